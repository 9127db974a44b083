"""Delivering what people are to be told: one pass over what is due in a store.

A notice is claimed by one compare-and-swap, delivered, and its outcome written; who dies in between leaves a claim that
lapses, and the next who looks delivers again. So each arrives at least once, and of two processes one delivers. What
fails is tried again a few times, ever later; it never fails a run.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb import faults
from flownb.errors import FlownbError, StoreError
from flownb.model import events as ev
from flownb.run.handles.question import answer_lines
from flownb.run.handles.told import told_line
from flownb.run.waiting.judging import approvers_at
from flownb.services import masking
from flownb.services.channels.channel import SECONDS, DeliveryFailed, Message
from flownb.services.channels.directory import directory_of
from flownb.services.harmless import line
from flownb.services.links import link_to
from flownb.store.notices import ALL, ESCALATION, REMINDER, Notice, closed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flownb.services.channels.channel import Channel
    from flownb.services.channels.directory import Directory
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

_log: Final = logging.getLogger("flownb.notices")
#: Seconds before each further try; after the last it is given up.
WAITS: Final = (10.0, 60.0, 300.0, 1800.0)
#: How long nobody else delivers what one has claimed; longer than any delivery takes.
CLAIM_SECONDS: Final = 60.0
#: Deliveries at the same time, and looks at what is due in one pass.
_AT_ONCE: Final = 8
_MOST_LOOKS: Final = 1_000
_MOST_WHY: Final = 400


def deliver(
    store: Store, now: Callable[[], float], *, stopped: Callable[[], bool] = lambda: False
) -> list[ev.ApprovalNotified]:
    """Deliver what is due; returns what came of each. On a thread without a loop.

    Args:
        store: whose notices.
        now: seconds since 1970.
        stopped: whether nothing more is to be begun.

    Raises:
        StoreError: the store can't be read or written.
    """
    if (moment := store.next_notice()) is None or moment > now():
        return []
    return asyncio.run(_Pass(store, now, stopped).work())


class _Pass:
    """One pass over what is due."""

    def __init__(self, store: Store, now: Callable[[], float], stopped: Callable[[], bool]) -> None:
        self._store, self._now, self._stopped = store, now, stopped
        self._told: list[ev.ApprovalNotified] = []
        self._directory: Directory | None = None
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def work(self) -> list[ev.ApprovalNotified]:
        for _ in range(_MOST_LOOKS):
            due = [] if self._stopped() else self._store.due_notices(self._now())
            if not due:
                break
            ended = await asyncio.gather(*map(self._one, due), return_exceptions=True)
            for each in ended:
                if isinstance(each, BaseException):
                    raise each
        return self._told

    async def _one(self, seen: Notice) -> None:
        async with self._room:
            if self._stopped():
                return
            now = self._now()
            notice = msgspec.structs.replace(seen, claim=os.urandom(8).hex(), claimed_until=now + CLAIM_SECONDS)
            if not self._store.change_notice(seen, notice):
                return
            faults.reach("notice.claimed")
            row = _pending(self._store, notice)
            if row is None:
                self._store.change_notice(notice, closed(notice))
                return
            try:
                if notice.is_plan:
                    self._spread(notice, row)
                    return
                why = await self._send(notice, row)
            except FlownbError as error:
                if isinstance(error, StoreError):
                    raise
                why = str(error)
            except Exception as error:  # noqa: BLE001  whatever a channel raises, it is told and tried again
                why = f"{type(error).__name__}: {error}"
            self._settle(notice, row, why)

    def _known(self) -> Directory:
        if self._directory is None:
            self._directory = directory_of(self._store)
        return self._directory

    def _spread(self, plan: Notice, row: ApprovalRow) -> None:
        """Make a notice for each who is to be told."""
        channel = self._known().channel(plan.channel)
        names = recipients(row, plan.kind, self._now())
        to = _people(self._known(), names, plan.channel, row) if channel.personal else _rooms(names)
        number = 0
        if plan.kind == REMINDER:
            number = 1 + max((each.round for each in row.notices if each.kind == REMINDER), default=0)
        now = self._now()
        more = [
            Notice(
                run=plan.run, approval=plan.approval, kind=plan.kind, channel=plan.channel, to=each, round=number,
                next_at=now,
            )
            for each in to
        ]  # fmt: skip
        then = msgspec.structs.replace(
            plan, next_at=_next(plan, row, now), attempts=0, claim="", claimed_until=0.0, outcome=None
        )
        self._store.change_notice(plan, then, more=more)

    async def _send(self, notice: Notice, row: ApprovalRow) -> str:
        """Deliver one; returns why not, empty where it was."""
        channel: Channel = self._known().channel(notice.channel)
        person = notice.to if channel.personal else ""
        address = self._known().address(person, notice.channel) if person else notice.to.replace(ALL, "")
        message = message_of(self._store, notice, row, person=person, address=address, now=self._now())
        async with asyncio.timeout(CLAIM_SECONDS - SECONDS):
            await channel.deliver(message)
        faults.reach("notice.sent")
        return ""

    def _settle(self, notice: Notice, row: ApprovalRow, why: str) -> None:
        now, attempt = self._now(), notice.attempts + 1
        wait = WAITS[attempt - 1] if why and attempt <= len(WAITS) else None
        told = ev.ApprovalNotified(
            at=now,
            node=row.node,
            approval=row.id,
            channel=notice.channel,
            to=notice.to,
            kind=notice.kind,
            why=line(masking.text(why), _MOST_WHY),
            attempt=attempt,
            next_at=None if wait is None else now + wait,
        )
        then = msgspec.structs.replace(
            notice, next_at=told.next_at, attempts=attempt, claim="", claimed_until=0.0, outcome=told
        )
        if notice.is_plan and wait is None and notice.kind == REMINDER:
            then = msgspec.structs.replace(then, next_at=_next(notice, row, now), attempts=0)
        self._store.change_notice(notice, then)
        self._told.append(told)
        if why and wait is None:
            _log.warning("%s of run %s: %s", row.node, row.run, told_line(then))


def recipients(row: ApprovalRow, kind: str, now: float) -> tuple[str, ...]:
    """The names of who is to be told, without those who have voted."""
    request = row.request
    if kind == ESCALATION:
        return request.escalate_to
    names = request.to or request.approvers
    if kind == REMINDER and request.escalate_at is not None and request.escalate_at <= now:
        names = (*names, *request.escalate_to)
    voted = {vote.by for vote in row.votes}
    return tuple(each for each in names if each not in voted)


def _people(directory: Directory, names: Sequence[str], channel: str, row: ApprovalRow) -> list[str]:
    found = [each.name for each in directory.people(each for each in names if not each.startswith("#"))]
    if not found:
        raise DeliveryFailed(
            f"{row.node} names nobody whom {channel} could tell: give it `to`, or approvers."
            if not row.votes
            else f"Everybody whom {channel} could tell has answered."
        )
    return found


def _rooms(names: Sequence[str]) -> list[str]:
    """The rooms that are named, as `#finance`; else the one that the channel has."""
    return [each for each in names if each.startswith("#")] or [ALL]


def _pending(store: Store, notice: Notice) -> ApprovalRow | None:
    return next((row for row in store.approvals(run=notice.run) if row.id == notice.approval), None)


def _next(plan: Notice, row: ApprovalRow, now: float) -> float | None:
    """When a plan is due again: reminders come again and again; those that nobody could send are not made up for."""
    every = row.request.remind
    if plan.kind != REMINDER or not every or plan.next_at is None:
        return None
    missed = max(0.0, (now - plan.next_at) // every)
    return plan.next_at + (missed + 1) * every


def message_of(store: Store, notice: Notice, row: ApprovalRow, *, person: str, address: str, now: float) -> Message:
    """What somebody is told of a request; `person` is empty where that is a room."""
    request = row.request
    shown: Any = request.preview or ()
    return Message(
        id="/".join((notice.run, *map(str, notice.key))),
        thread=f"{notice.run}/{notice.approval}/asked/{notice.channel}/{notice.to}/0",
        kind=notice.kind,
        run=row.run,
        workflow=row.workflow,
        node=row.node,
        approval=row.id,
        question=request.question,
        details=request.details,
        ports=request.ports,
        until=row.expires_at,
        due=request.due_at,
        approvers=approvers_at(request, now),
        to=person,
        address=address,
        link=link_to(store, row, person, now=now),
        commands=tuple(answer_lines(request)),
        shown=tuple(shown),
    )
