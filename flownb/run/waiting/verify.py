"""Whether the audit log of a run is whole: by its seals, by the journal, and by a head that was put down elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model import events as ev
from flownb.model.times import iso
from flownb.run.waiting.decisions import audited
from flownb.store.audit import Head, faults_of, head_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.store.contract import Store
    from flownb.store.requests import AuditEntry

_ASKED: Final = (ev.ApprovalRequested, ev.ApprovalVoted, ev.ApprovalDecided, ev.ApprovalExpired)


def parts_of(store: Store, run: str) -> list[str]:
    """A run, and those beneath it."""
    return [run, *sorted(each.id for each in store.rows(group=run) if each.id != run)]


def heads_of(store: Store, run: str) -> dict[str, dict[str, object]]:
    """How the logs of a run and of those beneath it stand, for a notebook's metadata; empty where nobody was asked."""
    heads = {each: head_of(store.audit(each)) for each in parts_of(store, run)}
    return {each: {"entries": head.entries, "seal": head.seal} for each, head in heads.items() if head.entries}


def verify(store: Store, run: str, head: Head | None = None) -> tuple[int, list[str]]:
    """How many entries the log of a run has, and what is wrong with it, a sentence each.

    Args:
        store: where it is.
        run: which.
        head: how the log stood once, as a notebook says.
    """
    found = audited(store, run)
    names = {entry.place: _name(entry, event) for entry, event in found}
    entries = [entry for entry, _ in found]
    keys = store.keys.all()
    if entries and not keys:
        gone = f"The {len(entries)} entries of run {run} can't be verified: the key that sealed them is gone."
        return len(entries), [f"{gone} It should be in {store.keys.path}."]
    faults = faults_of(run, entries, keys, lambda entry: names[entry.place], head)
    return len(entries), [*faults, *_against_journal(store, run, [event for _, event in found if event is not None])]


def _name(entry: AuditEntry, event: ev.Event | None) -> str:
    if event is None:
        return f"unreadable, {len(entry.body)} bytes"
    node = getattr(event, "node", "")
    by = getattr(event, "by", "")
    return f"{ev.event_type(event)}{f' of {node}' if node else ''}{f' by {by}' if by else ''} at {iso(event.at)}"


def _against_journal(store: Store, run: str, logged: list[ev.Event]) -> Iterator[str]:
    """What the journal, or the list of requests, says and the log does not."""
    told: set[str] = set()
    for record in store.events(run):
        event = record.event
        if isinstance(event, _ASKED) and not _is_in(event, logged):
            told.add(event.approval)
            yield (
                f"Event {record.seq} of run {run} ({ev.event_type(event)} of {event.node}) has no entry in the log: "
                "one of the two was altered or removed."
            )
    for row in store.approvals(run=run, pending=False):
        if row.decision is not None and row.id not in told and row.decision not in logged:
            yield f"The answer to {row.id} ({row.node}) that is listed in run {run} is not the one in the log."


def _is_in(event: ev.Event, logged: list[ev.Event]) -> bool:
    """Whether an event is in the log; of what somebody wrote, the journal may have a secret masked that it has not."""
    if isinstance(event, ev.ApprovalVoted | ev.ApprovalDecided):
        said = (type(event), event.approval, event.at, event.by, event.port)
        return any(
            isinstance(each, ev.ApprovalVoted | ev.ApprovalDecided)
            and (type(each), each.approval, each.at, each.by, each.port) == said
            for each in logged
        )
    return any(event == each for each in logged)
