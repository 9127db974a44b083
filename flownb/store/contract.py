"""What every store promises; `tests/unit/store/suite.py` holds each of them to it.

The journal is the truth: `commit` appends events and writes, in the same transaction, what lists and counts need to
know of them (the *projections*). Nothing else changes a run's status.

A run has at most one owner. Whoever wants to write claims it and gets a fence; every commit carries the fence, and a
commit with an old one changes nothing and raises `Fenced`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from flownb.model.commands import Command
from flownb.model.events import (
    ApprovalDecided,
    Event,
    VariableSet,
)
from flownb.store.lists import Lists
from flownb.store.notices import NoticeStore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from flownb.model.events import Record
    from flownb.store.artifacts.contract import ArtifactStore
    from flownb.store.keys import Keys
    from flownb.store.letters import DeadLetter, ErrorCall, StatusCall
    from flownb.store.requests import ApprovalRow, AuditEntry, Judge


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Who may own runs: one engine in one process, described so that others can tell whether it lives.

    A headless notebook has two processes, the kernel that owns and the runner that watches it; either gone means dead.
    """

    id: str
    host: str
    boot: str
    #: The inode of the pid namespace, so that a container's pid 7 is not the host's.
    pid_namespace: str
    pid: int
    #: The start time of the process in clock ticks since boot, so that a reused pid is noticed.
    pid_started: int
    #: The same of the second process, or 0.
    partner_pid: int = 0
    partner_started: int = 0


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of a run before its first event."""

    id: str
    workflow: str
    #: `flow` or `notebook`.
    kind: str = "flow"
    key: str | None = None
    #: Digest of target and inputs, compared where a key comes again.
    request: str = ""
    mode: str = "manual"
    trigger: str = "manual"
    parent: str | None = None
    #: The notebook run beneath which it is listed, as `<id>.<n>` is beneath `<id>`.
    group: str | None = None
    #: The hash of the definition, kept by `put_definition`.
    definition: str = ""
    #: How to start it again, kept by `put_program`: digest of a `Program`.
    program: str = ""
    created_at: float


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run as lists show it: written by `commit` beside the events."""

    id: str
    workflow: str
    kind: str
    status: str
    pause_reason: str | None
    key: str | None
    request: str
    mode: str
    trigger: str
    parent: str | None
    group: str | None
    definition: str
    program: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    #: The number of the last event; 0 before the first.
    seq: int
    owner: str | None
    fence: int


class VariableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A variable of a workflow: what was set last, in the order of the commits."""

    workflow: str
    #: The run that set it; None where somebody did it from outside.
    run: str | None
    #: Name and value, when, and by which node or whom.
    event: VariableSet


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is started again in another process: its pinned program."""

    #: `notebook` (headless), `cells` (of an interactive kernel), `module`, `json`.
    kind: str
    #: Path or `module:name`, as given; for people.
    target: str = ""
    #: Working directory that imports and relative paths start from.
    directory: str = ""
    #: The notebook with its parameters injected, or the cells, or the JSON document.
    source: str = ""
    #: Whatever else that kind needs: parameters, the starting call, where the output notebook goes.
    details: dict[str, Any] = {}


class Write(msgspec.Struct, frozen=True):
    """The next events of one run, numbered from `first`, under the fence of its owner."""

    run: str
    fence: int
    first: int
    #: Nobody changes it.
    events: Sequence[Event]
    #: Whether the run is let go with this write, as at a pause or an end.
    release: bool = False


class Lease(msgspec.Struct, frozen=True):
    """A run that this owner may write."""

    run: str
    owner: str
    fence: int


class Inbox(msgspec.Struct, frozen=True):
    """A command that somebody without the run's ownership left for its owner."""

    id: int
    run: str
    command: Command


class Store(Lists, NoticeStore, Protocol):
    """The contract. Methods are synchronous, short, and may be called from any thread.

    Every method may raise `StoreError` or one of its kinds, with a sentence that names the place.
    """

    #: As `--store` takes it; `memory:` for the one that dies with the process.
    url: str
    #: Whether what is committed survives this process.
    durable: bool

    @property
    def artifacts(self) -> ArtifactStore:
        """Where large values lie."""
        ...

    @property
    def keys(self) -> Keys:
        """What seals the audit log."""
        ...

    def close(self) -> None:
        """Let go of files; further calls fail."""
        ...

    # --- runs and their events

    def create_run(self, new: NewRun, owner: Owner | None) -> tuple[RunRow, Lease | None]:
        """Record a run, owned by `owner` from the start; or find the one that has its key.

        Returns the row and a lease; the lease is None where the key was in use, and the row is then the older run's.
        """
        ...

    def announce_run(self, new: NewRun, owner: Owner) -> Lease:
        """Record a run that has no key with the next transaction of this process, or before anything is read.

        So a burst of starts costs one commit. If the process dies before that, there was no such run, and nothing of it
        has begun.
        """
        ...

    def commit(self, writes: Sequence[Write], *, power: bool = False) -> None:
        """Append the events of one loop tick, all or nothing, with their projections.

        Args:
            writes: at most one for each run.
            power: whether it must also survive the plug.

        Raises:
            Fenced: another owner has one of the runs, or an event number is taken; `.runs` names which. Nothing of
                this call is written.
        """
        ...

    def events(self, run: str, after: int = 0, limit: int | None = None) -> list[Record]:
        """The events of a run with `seq > after`, in order."""
        ...

    def cached(self, key: str) -> Record | None:
        """The newest `node_completed` whose result was cached under a key; it goes with its run."""
        ...

    def forget_cached(self, workflow: str | None = None, node: str | None = None) -> int:
        """Let cached results be used no more: of a workflow, of a node, or all of them; returns how many."""
        ...

    def variables(self, workflow: str | None = None) -> list[VariableRow]:
        """The variables of a workflow, or of all, by workflow and name; they outlive the runs that set them."""
        ...

    def set_variable(self, workflow: str, event: VariableSet) -> None:
        """Give a workflow's variable a value from outside of any run; a run does it by committing such an event."""
        ...

    def unset_variable(self, workflow: str, name: str) -> bool:
        """Forget a workflow's variable; False where there was none of that name."""
        ...

    def forks(self, run: str) -> dict[str, int]:
        """The runs that were forked from a run, with the event up to which each shares its history."""
        ...

    def dead_letters(self, run: str | None = None) -> list[DeadLetter]:
        """Nodes that failed and that nobody has taken care of, oldest first: of a run, or of all."""
        ...

    def error_calls(self) -> list[ErrorCall]:
        """Workflows that are to be started because a run failed, oldest first."""
        ...

    def status_calls(self) -> list[StatusCall]:
        """Workflows that are to be started because a run has a status now, oldest first."""
        ...

    def answer_call(self, call: ErrorCall | StatusCall) -> bool:
        """A workflow was started because of a failure or a status; False where somebody has said so before."""
        ...

    def journals(self, runs: Collection[str]) -> dict[str, list[Record]]:
        """The events of many runs, by run and in order, read at once; a run without events is absent."""
        ...

    def row(self, run: str) -> RunRow | None:
        """The run's row."""
        ...

    def find_key(self, key: str) -> RunRow | None:
        """The run that was started with a key."""
        ...

    def rows(
        self,
        *,
        status: Iterable[str] = (),
        group: str | None = None,
        workflow: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RunRow]:
        """Runs, newest first; `group` lists those beneath a notebook's run, else they are left out of the list."""
        ...

    def approvals(
        self, *, run: str | None = None, runs: Collection[str] | None = None, pending: bool = True
    ) -> list[ApprovalRow]:
        """Requests to people, oldest first: those without an answer, or all of them; of a run, of some, or of all."""
        ...

    def decide(self, run: str, decision: ApprovalDecided) -> ApprovalRow:
        """Give a request to a person its one answer, by one compare-and-swap; the run's owner finds a command.

        Whoever has the run, or takes it up, writes the event: nothing is journaled here.

        Raises:
            NotFound: the run has no such request.
            Conflict: it has an answer, or nobody waits for one any more; `.row` is how it stands.
        """
        ...

    def answer(self, run: str, approval: str, judge: Judge) -> ApprovalRow:
        """Let a judge decide about a request, and record what it says, in one transaction; nobody comes between.

        A vote is kept; an answer or an expiry ends the request, and the run's owner finds a command; a refusal or a
        reminder goes into the audit log only. Whoever has the run, or takes it up, journals votes and answers.

        Args:
            run: the run that asks.
            approval: the request's id.
            judge: given the request as it stands, what is to be recorded; what it raises is raised here, and nothing
                is recorded.

        Raises:
            NotFound: the run has no such request.
        """
        ...

    def due_approvals(self, now: float) -> list[ApprovalRow]:
        """Requests that nobody has answered and whose time is over."""
        ...

    def audit(self, run: str) -> list[AuditEntry]:
        """The audit log of a run, in order."""
        ...

    def delete_run(self, run: str) -> None:
        """Forget a run and everything beneath it; artifacts are left to `gc`.

        Raises:
            NotFound: no such run.
            Conflict: a living owner has it.
        """
        ...

    # --- ownership

    def register(self, owner: Owner) -> None:
        """Make an owner known, with a fresh lease time."""
        ...

    def renew(self, owner_id: str) -> None:
        """Say that the owner lives; every few seconds."""
        ...

    def retire(self, owner_id: str) -> None:
        """The owner ends in order: all its runs are free at once."""
        ...

    def held(self, owner_id: str) -> dict[str, int]:
        """The runs that an owner has, with the fence of each."""
        ...

    def owner_of(self, run: str) -> tuple[Owner, bool] | None:
        """Who has the run, and whether that owner lives; None where nobody has it."""
        ...

    def claim(self, run: str, owner: Owner, *, expect: Lease | None = None) -> Lease | None:
        """Take a run that nobody has, or whose owner is dead; by one conditional update that raises the fence.

        Args:
            run: which.
            owner: who takes it.
            expect: take it from this living owner, who hands it over.

        Returns None where another owner lives or was faster, and where `owner` itself has it and lives: a run is
        handed out once.

        Raises:
            NotFound: no such run.
        """
        ...

    def claim_free(self, runs: Collection[str], owner: Owner) -> list[Lease]:
        """Take those of the runs that nobody has, at once, as `claim` does each; the others are passed over."""
        ...

    def release(self, lease: Lease) -> bool:
        """Let a run go without an event; False where the lease was lost before."""
        ...

    def orphans(self) -> list[str]:
        """Runs that are unfinished, not paused, and whose owner is dead or missing."""
        ...

    # --- messages to an owner in another process

    def send(self, run: str, command: Command) -> None:
        """Leave a command for whoever owns the run."""
        ...

    def receive(self, runs: Iterable[str]) -> list[Inbox]:
        """Take the commands that were left for these runs, oldest first; each is handed out once."""
        ...

    def waiting(self) -> set[str]:
        """The runs for which commands were left; as cheap as there are few."""
        ...

    def version(self) -> int:
        """A number that changes when another connection has written; cheap enough to ask ten times a second."""
        ...

    # --- pinned definitions and programs

    def put_definition(self, digest: str, document: str) -> None:
        """Keep a definition by its hash; free where it is there."""
        ...

    def definition(self, digest: str) -> str | None:
        """The JSON document of a definition."""
        ...

    def put_program(self, program: Program) -> str:
        """Keep a program; returns its digest."""
        ...

    def program(self, digest: str) -> Program | None:
        """The program again."""
        ...

    # --- housekeeping

    def collect(self, *, older: float | None = None, dry_run: bool = False) -> tuple[int, int]:
        """Delete ended runs older than `older` seconds, and artifacts, definitions and programs that nothing names.

        With `dry_run` nothing is deleted, and what would be is counted.

        Artifacts younger than an hour stay: their event may be about to be committed. Returns how many runs and how
        many bytes went.
        """
        ...

    def check(self) -> list[str]:
        """What is wrong with the store, a sentence each; empty when it is healthy."""
        ...
