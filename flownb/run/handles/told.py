"""Who was told of a request, for people: `mail to alice failed: …; tried again at …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.model.times import iso, maybe_iso
from flownb.services.harmless import line
from flownb.store.notices import ALL, REMINDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model import events as ev
    from flownb.store.notices import Notice
    from flownb.store.requests import ApprovalRow

_MOST_WHY: Final = 400
_MOST: Final = 20


def told_line(notice: Notice) -> str:
    """How one notice stands."""
    if notice.outcome is not None:
        return outcome_line(notice.outcome)
    head = _head(notice.channel, notice.to, notice.kind)
    return f"{head} at {maybe_iso(notice.next_at)}" if notice.is_plan else f"{head} is about to be sent"


def outcome_line(told: ev.ApprovalNotified) -> str:
    """What came of one."""
    head = _head(told.channel, told.to, told.kind)
    if not told.why:
        return f"{head} was sent at {iso(told.at)}"
    again = "given up" if told.next_at is None else f"tried again at {iso(told.next_at)}"
    return f"{head} failed: {line(told.why, _MOST_WHY)}; {again}"


def _head(channel: str, to: str, kind: str) -> str:
    what = "" if kind == "asked" else f" ({kind})"
    who = "" if to in ("", ALL) else f" to {line(to, 60)}"
    return f"{line(channel, 40)}{who}{what}"


def told_lines(row: ApprovalRow) -> Iterator[str]:
    """How the notices of a request stand, of reminders the newest."""
    newest = max((each.round for each in row.notices if each.kind == REMINDER), default=0)
    shown = [each for each in row.notices if not _is_over(each) and each.round in (0, newest)]
    for each in shown[:_MOST]:
        yield told_line(each)
    if len(shown) > _MOST:
        yield f"and {len(shown) - _MOST} more"


def _is_over(notice: Notice) -> bool:
    """Whether it is a plan that was carried out, or came to nothing because the request was answered."""
    return notice.next_at is None and notice.outcome is None


def describe_notices(row: ApprovalRow) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [
        {
            "channel": each.channel,
            "to": None if each.to in ("", ALL) else each.to,
            "kind": each.kind,
            "attempts": each.attempts,
            "at": None if each.outcome is None else iso(each.outcome.at),
            "error": None if each.outcome is None else each.outcome.why or None,
            "next_at": maybe_iso(each.next_at),
        }
        for each in row.notices
        if not _is_over(each)
    ]


def describe_outcome(told: ev.ApprovalNotified) -> dict[str, Any]:
    """What came of one, as `flownb approvals --send --json` prints it."""
    return {
        "approval": told.approval,
        "node": told.node,
        "channel": told.channel,
        "to": None if told.to in ("", ALL) else told.to,
        "kind": told.kind,
        "attempts": told.attempt,
        "at": iso(told.at),
        "error": told.why or None,
        "next_at": maybe_iso(told.next_at),
    }
