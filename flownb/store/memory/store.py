"""The store that dies with its process: the same contract, nothing written, nothing encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flownb.model import events as ev
from flownb.model.events import Record
from flownb.model.fingerprint import digest_of
from flownb.model.status import ApprovalStatus, RunStatus
from flownb.store import refusals
from flownb.store.contract import Lease, RunRow
from flownb.store.memory.lists import Lists
from flownb.store.memory.notices import Notices
from flownb.store.memory.run import KeptRun
from flownb.store.projections import wake_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from flownb.store.contract import NewRun, Owner, Program, Write
    from flownb.store.requests import ApprovalRow, AuditEntry, Judge


class MemoryStore(Lists, Notices):
    """A store in this process's memory; its events are the very objects that were committed."""

    def create_run(self, new: NewRun, owner: Owner | None) -> tuple[RunRow, Lease | None]:
        """Record a run, or find the one that has its key."""
        if new.key is not None and not new.key.strip():
            raise refusals.blank_key()
        with self._lock:
            self._changing()
            if new.key is not None and new.key in self._keys:
                return self._runs[self._keys[new.key]].shown(), None
            if new.id in self._runs:
                raise refusals.id_in_use(self.url, new.id)
            fields = msgspec.structs.asdict(new)
            row = RunRow(
                **fields,
                status=RunStatus.PENDING,
                pause_reason=None,
                started_at=None,
                finished_at=None,
                seq=0,
                owner=owner.id if owner else None,
                fence=1 if owner else 0,
            )
            self._runs[new.id] = KeptRun(row, self.keys)
            if new.key is not None:
                self._keys[new.key] = new.id
            if owner is None:
                return row, None
            self._owners[owner.id] = (owner, self._liveness.now())
            return row, Lease(new.id, owner.id, 1)

    def announce_run(self, new: NewRun, owner: Owner) -> Lease:
        """Record a run that has no key."""
        _, lease = self.create_run(new, owner)
        assert lease is not None, "a run with a key may be another one: create it"
        return lease

    def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:  # noqa: ARG002  no plug to survive
        """Append the events of one loop tick, all or nothing."""
        with self._lock:
            self._changing()
            for kept, write in self._checked(writes):
                if notable := kept.append(write.events):
                    self._share(kept, notable)
                if write.release:
                    kept.owner = None

    def _checked(self, writes: Sequence[Write]) -> list[tuple[KeptRun, Write]]:
        """The writes with their runs, once every run is owned under its fence and its journal ends before the write."""
        checked: list[tuple[KeptRun, Write]] = []
        lost = []
        gaps = []
        for write in writes:
            kept = self._runs.get(write.run)
            if kept is None or kept.owner is None or kept.fence != write.fence:
                lost.append(write.run)
            elif write.events and write.first != (last := len(kept.events)) + 1:
                if write.first <= last:
                    lost.append(write.run)
                else:
                    gaps.append((write.run, last, write.first))
            else:
                checked.append((kept, write))
        if lost:
            raise refusals.fenced(self.url, lost)
        if gaps:
            raise refusals.misnumbered(self.url, *gaps[0])
        return checked

    def events(self, run: str, after: int = 0, limit: int | None = None) -> list[Record]:
        """The events of a run with `seq > after`, in order."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            if kept is None:
                return []
            found = kept.events[after : None if limit is None else after + limit]
            return [Record(run, number, event) for number, event in enumerate(found, max(after, 0) + 1)]

    def journals(self, runs: Collection[str]) -> dict[str, list[Record]]:
        """The events of many runs."""
        return {run: found for run in runs if (found := self.events(run))}

    def row(self, run: str) -> RunRow | None:
        """The run's row."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            return None if kept is None else kept.shown()

    def find_key(self, key: str) -> RunRow | None:
        """The run that was started with a key."""
        with self._lock:
            self._open()
            run = self._keys.get(key)
            return None if run is None else self._runs[run].shown()

    def rows(
        self,
        *,
        status: Iterable[str] = (),
        group: str | None = None,
        workflow: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RunRow]:
        """Runs, newest first."""
        wanted = frozenset(status)
        with self._lock:
            self._open()
            found = [
                kept.shown()
                for kept in self._runs.values()
                if kept.row.group == group
                and (not wanted or kept.row.status in wanted)
                and (workflow is None or kept.row.workflow == workflow)
            ]
        found.sort(key=lambda row: (row.created_at, row.id), reverse=True)
        return iter(found[:limit])

    def approvals(
        self, *, run: str | None = None, runs: Collection[str] | None = None, pending: bool = True
    ) -> list[ApprovalRow]:
        """Requests to people, oldest first."""
        wanted = None if runs is None else frozenset(runs)
        with self._lock:
            self._open()
            found = [
                kept.shown_request(row)
                for kept in self._runs.values()
                if (run is None or kept.row.id == run) and (wanted is None or kept.row.id in wanted)
                for row in kept.approvals.values()
                if not pending or row.status == ApprovalStatus.PENDING
            ]
        return sorted(found, key=lambda row: (row.created_at, row.id))

    def due_approvals(self, now: float) -> list[ApprovalRow]:
        """Requests that nobody has answered and whose time is over."""
        return [row for row in self.approvals() if row.expires_at is not None and row.expires_at <= now]

    def decide(self, run: str, decision: ev.ApprovalDecided) -> ApprovalRow:
        """Give a request to a person its one answer."""

        def judge(row: ApprovalRow) -> list[ev.Event]:
            if row.status != ApprovalStatus.PENDING:
                raise refusals.answered(row)
            return [decision]

        return self.answer(run, decision.approval, judge)

    def answer(self, run: str, approval: str, judge: Judge) -> ApprovalRow:
        """Let a judge decide about a request, and record what it says."""
        with self._lock:
            self._changing()
            kept = self._run(run)
            row = kept.approvals.get(approval)
            if row is None:
                raise refusals.no_such_request(self.url, run, approval)
            for event in judge(kept.shown_request(row)):
                kept.record(event)
                if isinstance(event, ev.ApprovalDecided | ev.ApprovalExpired):
                    self.send(run, wake_for(event))
            return kept.shown_request(kept.approvals[approval])

    def audit(self, run: str) -> list[AuditEntry]:
        """The audit log of a run, in order."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            return [] if kept is None else list(kept.audit)

    # --- pinned definitions and programs

    def version(self) -> int:
        """A number that changes with every write."""
        self._open()
        return self._version

    def put_definition(self, digest: str, document: str) -> None:
        """Keep a definition by its hash."""
        with self._lock:
            self._open()
            self._definitions.setdefault(digest, document)
            self._put_at[digest] = self._liveness.clock.wall()

    def definition(self, digest: str) -> str | None:
        """The JSON document of a definition."""
        self._open()
        return self._definitions.get(digest)

    def put_program(self, program: Program) -> str:
        """Keep a program; returns its digest."""
        digest = digest_of(program)
        with self._lock:
            self._open()
            self._programs.setdefault(digest, program)
            self._put_at[digest] = self._liveness.clock.wall()
        return digest

    def program(self, digest: str) -> Program | None:
        """The program again."""
        self._open()
        return self._programs.get(digest)
