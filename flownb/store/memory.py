"""The store that dies with its process: the same contract, nothing written, nothing encoded."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model import events as ev
from flownb.model.events import Record
from flownb.model.fingerprint import digest_of
from flownb.model.journal import JsonCodec
from flownb.model.status import ApprovalStatus, RunStatus, VariableScope
from flownb.store import refusals
from flownb.store.audit import head_of, next_entry
from flownb.store.contract import Inbox, Lease, RunRow, VariableRow
from flownb.store.keys import Keys
from flownb.store.lease import Liveness, Stamp
from flownb.store.projections import (
    PROJECTED,
    answered_request,
    approval_changes,
    changed_row,
    is_new_vote,
    new_request,
    run_change,
    wake_for,
)
from flownb.store.references import GRACE_SECONDS, artifacts_named, is_older

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flownb.model.commands import Command
    from flownb.model.events import Event
    from flownb.store.artifacts import ArtifactStore
    from flownb.store.contract import NewRun, Owner, Program, Write
    from flownb.store.projections import ApprovalChange
    from flownb.store.requests import ApprovalRow, AuditEntry, Judge

_CODEC: Final = JsonCodec()
_UNFINISHED: Final = (RunStatus.PENDING, RunStatus.RUNNING)


class _Run:
    """A run with its journal; `row` holds all that changes rarely."""

    __slots__ = ("approvals", "audit", "events", "fence", "owner", "row")

    def __init__(self, row: RunRow) -> None:
        self.row = row
        #: The event numbered n is at n - 1.
        self.events: list[Event] = []
        self.owner = row.owner
        self.fence = row.fence
        self.approvals: dict[str, ApprovalRow] = {}
        self.audit: list[AuditEntry] = []

    def shown(self) -> RunRow:
        return msgspec.structs.replace(self.row, seq=len(self.events), owner=self.owner, fence=self.fence)


class MemoryStore:
    """A store in this process's memory; its events are the very objects that were committed."""

    def __init__(self, artifacts: ArtifactStore | None = None, *, liveness: Liveness | None = None) -> None:
        self.url = "memory:"
        self.durable = False
        self._given_artifacts = artifacts
        self._liveness = liveness or Liveness()
        self._lock = threading.RLock()
        self.closed = False
        self._version = 0
        self._runs: dict[str, _Run] = {}
        self._keys: dict[str, str] = {}
        self._owners: dict[str, tuple[Owner, Stamp]] = {}
        self._inbox: list[Inbox] = []
        self._sent = 0
        self._definitions: dict[str, str] = {}
        self._programs: dict[str, Program] = {}
        self._put_at: dict[str, float] = {}
        self._cached: dict[str, tuple[str, str, int]] = {}
        self._variables: dict[tuple[str, str], VariableRow] = {}
        self._forks: dict[str, ev.RunForked] = {}

    @functools.cached_property
    def keys(self) -> Keys:
        """What seals the audit log."""
        return Keys()

    @functools.cached_property
    def artifacts(self) -> ArtifactStore:
        """Where large values lie; in memory as well, unless others were given."""
        if self._given_artifacts is not None:
            return self._given_artifacts
        from flownb.store.artifacts import MemoryArtifacts

        return MemoryArtifacts()

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self.closed = True
            for kept in (self._runs, self._keys, self._owners, self._definitions, self._programs):
                kept.clear()
            self._inbox.clear()

    def _open(self) -> None:
        if self.closed:
            raise refusals.closed(self.url)

    def _changing(self) -> None:
        if self.closed:
            raise refusals.closed(self.url)
        self._version += 1

    def _run(self, run: str) -> _Run:
        kept = self._runs.get(run)
        if kept is None:
            raise refusals.no_such_run(self.url, run, self._runs)
        return kept

    # --- runs and their events

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
            self._runs[new.id] = _Run(row)
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
                kept.events += write.events
                if not PROJECTED.isdisjoint(map(type, write.events)):
                    self._project(kept, [event for event in write.events if type(event) in PROJECTED])
                if write.release:
                    kept.owner = None

    def _checked(self, writes: Sequence[Write]) -> list[tuple[_Run, Write]]:
        """The writes with their runs, once every run is owned under its fence and its journal ends before the write."""
        checked: list[tuple[_Run, Write]] = []
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

    def _project(self, kept: _Run, notable: list[Event]) -> None:
        change = run_change(notable)
        if change is not None:
            kept.row = changed_row(kept.row, change)
        for each in approval_changes(notable):
            self._project_approval(kept, each)
        for event in notable:
            match event:
                case ev.ResultCached():
                    self._cached[event.key] = (kept.row.id, event.node, event.seq)
                case ev.VariableSet(scope=VariableScope.WORKFLOW):
                    key = (kept.row.workflow, event.name)
                    self._variables[key] = VariableRow(workflow=key[0], run=kept.row.id, event=event)
                case ev.RunForked():
                    self._forks[kept.row.id] = event

    def _project_approval(self, kept: _Run, change: ApprovalChange) -> None:
        event = change.event
        rows = kept.approvals
        before = dict(rows)
        if isinstance(event, ev.ApprovalRequested):
            rows[event.approval] = new_request(kept.row, event)
        elif change.approval:
            row = rows.get(change.approval)
            if row is not None and (not isinstance(event, ev.ApprovalVoted) or is_new_vote(row, event)):
                rows[row.id] = answered_request(row, change)
        else:
            for row in [each for each in rows.values() if each.status == ApprovalStatus.PENDING]:
                if not change.node or row.node == change.node:
                    rows[row.id] = msgspec.structs.replace(row, status=ApprovalStatus.CANCELLED, decided_at=event.at)
        if rows != before:  # else the log has it already
            self._log(kept, event)

    def _log(self, kept: _Run, event: Event) -> None:
        kept.audit.append(next_entry(self.keys, kept.row.id, head_of(kept.audit), _CODEC.encode(event)))

    def events(self, run: str, after: int = 0, limit: int | None = None) -> list[Record]:
        """The events of a run with `seq > after`, in order."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            if kept is None:
                return []
            found = kept.events[after : None if limit is None else after + limit]
            return [Record(run, number, event) for number, event in enumerate(found, max(after, 0) + 1)]

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

    def approvals(self, *, run: str | None = None, pending: bool = True) -> list[ApprovalRow]:
        """Requests to people, oldest first."""
        with self._lock:
            self._open()
            found = [
                row
                for kept in self._runs.values()
                if run is None or kept.row.id == run
                for row in kept.approvals.values()
                if not pending or row.status == ApprovalStatus.PENDING
            ]
        return sorted(found, key=lambda row: (row.created_at, row.id))

    def due_approvals(self, now: float) -> list[ApprovalRow]:
        """Requests that nobody has answered and whose time is over."""
        return [row for row in self.approvals() if row.expires_at is not None and row.expires_at <= now]

    def decide(self, run: str, decision: ev.ApprovalDecided) -> ApprovalRow:
        """Give a request to a person its one answer."""

        def judge(row: ApprovalRow) -> list[Event]:
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
            for event in judge(row):
                if isinstance(event, ev.ApprovalRefused | ev.ApprovalReminded):
                    self._log(kept, event)
                    continue
                for change in approval_changes([event]):
                    self._project_approval(kept, change)
                if isinstance(event, ev.ApprovalDecided | ev.ApprovalExpired):
                    self.send(run, wake_for(event))
            return kept.approvals[approval]

    def audit(self, run: str) -> list[AuditEntry]:
        """The audit log of a run, in order."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            return [] if kept is None else list(kept.audit)

    def cached(self, key: str) -> Record | None:
        """The newest `node_completed` whose result was cached under a key."""
        with self._lock:
            self._open()
            if key not in self._cached:
                return None
            run, _, seq = self._cached[key]
            return Record(run, seq, self._runs[run].events[seq - 1])

    def forget_cached(self, workflow: str | None = None, node: str | None = None) -> int:
        """Let cached results be used no more; returns how many."""
        with self._lock:
            self._changing()
            kept = {
                key: (run, path, seq)
                for key, (run, path, seq) in self._cached.items()
                if (workflow not in (None, self._runs[run].row.workflow)) or node not in (None, path)
            }
            gone, self._cached = len(self._cached) - len(kept), kept
            return gone

    def variables(self, workflow: str | None = None) -> list[VariableRow]:
        """The variables of a workflow, or of all, by workflow and name."""
        with self._lock:
            self._open()
            return [row for key, row in sorted(self._variables.items()) if workflow in (None, key[0])]

    def set_variable(self, workflow: str, event: ev.VariableSet) -> None:
        """Give a workflow's variable a value from outside of any run."""
        with self._lock:
            self._changing()
            self._variables[workflow, event.name] = VariableRow(workflow=workflow, run=None, event=event)

    def unset_variable(self, workflow: str, name: str) -> bool:
        """Forget a workflow's variable; False where there was none of that name."""
        with self._lock:
            self._changing()
            return self._variables.pop((workflow, name), None) is not None

    def forks(self, run: str) -> dict[str, int]:
        """The runs that were forked from a run, with the event up to which they share its history."""
        with self._lock:
            self._open()
            return {fork: event.seq for fork, event in self._forks.items() if event.source == run}

    def delete_run(self, run: str) -> None:
        """Forget a run and everything beneath it."""
        with self._lock:
            self._changing()
            self._run(run)
            doomed = self._beneath(run)
            for each in doomed:
                owner = self.owner_of(each)
                if owner is not None and owner[1]:
                    raise refusals.owned(self.url, each, f"process {owner[0].pid} on {owner[0].host}")
            self._forget(doomed)

    def _beneath(self, run: str) -> list[str]:
        found = [run]
        for each in found:
            found += [kept.row.id for kept in self._runs.values() if kept.row.group == each]
        return found

    def _forget(self, doomed: list[str]) -> None:
        gone = frozenset(doomed)
        self._cached = {key: each for key, each in self._cached.items() if each[0] not in gone}
        for run in doomed:
            key = self._runs.pop(run).row.key
            self._forks.pop(run, None)
            if key is not None:
                del self._keys[key]
        self._inbox = [each for each in self._inbox if each.run in self._runs]

    # --- ownership

    def register(self, owner: Owner) -> None:
        """Make an owner known, with a fresh lease time."""
        with self._lock:
            self._changing()
            self._owners[owner.id] = (owner, self._liveness.now())

    def renew(self, owner_id: str) -> None:
        """Say that the owner lives."""
        with self._lock:
            self._open()
            known = self._owners.get(owner_id)
            if known is None:
                raise refusals.unknown_owner(self.url, owner_id)
            self._owners[owner_id] = (known[0], self._liveness.now())

    def retire(self, owner_id: str) -> None:
        """The owner ends in order: all its runs are free at once."""
        with self._lock:
            self._changing()
            self._owners.pop(owner_id, None)
            for kept in self._runs.values():
                if kept.owner == owner_id:
                    kept.owner = None

    def held(self, owner_id: str) -> dict[str, int]:
        """The runs that an owner has, with the fence of each."""
        with self._lock:
            self._open()
            return {run: kept.fence for run, kept in self._runs.items() if kept.owner == owner_id}

    def owner_of(self, run: str) -> tuple[Owner, bool] | None:
        """Who has the run, and whether that owner lives."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            known = self._owners.get(kept.owner) if kept is not None and kept.owner is not None else None
            return None if known is None else (known[0], not self._liveness.is_dead(*known))

    def claim(self, run: str, owner: Owner, *, expect: Lease | None = None) -> Lease | None:
        """Take a run that nobody has, or whose owner is dead, or hands it over."""
        with self._lock:
            self._changing()
            kept = self._run(run)
            holder = self.owner_of(run)
            handed_over = expect is not None and (kept.owner, kept.fence) == (expect.owner, expect.fence)
            if holder is not None and holder[1] and not handed_over:
                return None
            self._owners[owner.id] = (owner, self._liveness.now())
            kept.owner = owner.id
            kept.fence += 1
            return Lease(run, owner.id, kept.fence)

    def release(self, lease: Lease) -> bool:
        """Let a run go without an event."""
        with self._lock:
            self._changing()
            kept = self._runs.get(lease.run)
            if kept is None or (kept.owner, kept.fence) != (lease.owner, lease.fence):
                return False
            kept.owner = None
            return True

    def orphans(self) -> list[str]:
        """Runs that are unfinished, not paused, and whose owner is dead or missing."""
        with self._lock:
            self._open()
            found = []
            for run, kept in self._runs.items():
                if kept.row.status in _UNFINISHED:
                    holder = self.owner_of(run)
                    if holder is None or not holder[1]:
                        found.append(run)
            return sorted(found)

    # --- messages

    def send(self, run: str, command: Command) -> None:
        """Leave a command for whoever owns the run."""
        with self._lock:
            self._changing()
            self._run(run)
            self._sent += 1
            self._inbox.append(Inbox(self._sent, run, command))

    def receive(self, runs: Iterable[str]) -> list[Inbox]:
        """Take the commands that were left for these runs."""
        wanted = frozenset(runs)
        with self._lock:
            self._open()
            taken = [each for each in self._inbox if each.run in wanted]
            if taken:
                self._inbox = [each for each in self._inbox if each.run not in wanted]
            return taken

    def waiting(self) -> set[str]:
        """The runs for which commands were left."""
        with self._lock:
            self._open()
            return {each.run for each in self._inbox}

    def version(self) -> int:
        """A number that changes with every write."""
        self._open()
        return self._version

    # --- pinned definitions and programs

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

    # --- housekeeping

    def collect(self, *, older: float | None = None, dry_run: bool = False) -> tuple[int, int]:
        """Delete ended runs older than `older` seconds, and artifacts, definitions and programs that nothing names.

        The bytes are those of artifacts: events, definitions and programs are objects here.
        """
        now = self._liveness.clock.wall()
        with self._lock:
            self._changing()
            doomed = [] if older is None else self._old(now - older)
            if not dry_run:
                self._forget(doomed)
            artifacts, definitions, programs = self._named(frozenset(doomed))
            if dry_run:
                unnamed = [each for each in self.artifacts.digests() if each not in artifacts]
                going = [each for each in unnamed if is_older(self.artifacts, each, now - GRACE_SECONDS)]
                return len(doomed), sum(map(self.artifacts.size, going))
            for kept, named in ((self._definitions, definitions), (self._programs, programs)):
                for digest in [each for each in kept if each not in named and self._put_at[each] < now - GRACE_SECONDS]:
                    del kept[digest]
        size = 0
        for digest in list(self.artifacts.digests()):
            if digest not in artifacts:
                size += self.artifacts.delete_if_older(digest, now - GRACE_SECONDS)
        return len(doomed), size

    def _old(self, before: float) -> list[str]:
        found: list[str] = []
        for run, kept in self._runs.items():
            if kept.row.group in self._runs or not self._may_go(run, before):
                continue
            doomed = self._beneath(run)
            if all(self._may_go(each) for each in doomed):
                found += doomed
        return found

    def _may_go(self, run: str, before: float = float("inf")) -> bool:
        finished, holder = self._runs[run].row.finished_at, self.owner_of(run)
        return finished is not None and finished < before and (holder is None or not holder[1])

    def _named(self, without: frozenset[str] = frozenset()) -> tuple[set[str], set[str], set[str]]:
        definitions = {kept.row.definition for kept in self._runs.values()}
        programs = {kept.row.program for kept in self._runs.values()}
        artifacts: set[str] = set()
        for run, kept in self._runs.items():
            for event in kept.events if run not in without else ():
                artifacts.update(artifacts_named(msgspec.to_builtins(event)))
                if isinstance(event, (ev.RunStarted, ev.RunResumed)):
                    definitions.add(event.definition)
        for row in self._variables.values():
            artifacts.update(artifacts_named(row.event.value))
        for message in self._inbox:
            artifacts.update(artifacts_named(msgspec.to_builtins(message.command)))
        for document in self._definitions.values():
            artifacts.update(artifacts_named(msgspec.json.decode(document)))
        for program in self._programs.values():
            artifacts.update(artifacts_named(msgspec.to_builtins(program)))
        return artifacts, definitions, programs

    def check(self) -> list[str]:
        """Memory is healthy as long as it is there."""
        self._open()
        return []
