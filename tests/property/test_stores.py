"""Whatever is done in whatever order, SQLite and memory answer alike; and a reader beside them sees the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flownb.errors import FlownbError
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.store.contract import Lease, Write
from flownb.store.memory import MemoryStore
from flownb.store.sqlite import SqliteStore
from tests.unit.store.suite import FAILURE, World, asked, new

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Store

RUNS = st.sampled_from(["a", "b", "c"])
PIDS = st.integers(1, 4)
EVENTS = st.lists(
    st.sampled_from(
        [
            ev.RunStarted(at=1.0, workflow="w", definition="d1"),
            ev.RunPaused(at=2.0, reason="human"),
            ev.RunResumed(at=3.0),
            ev.RunResumed(at=3.5, definition="d2"),
            ev.RunCompleted(at=4.0),
            ev.RunFailedEvent(at=5.0, error=FAILURE),
            ev.RunCancelledEvent(at=6.0),
            ev.NodeStarted(at=7.0, node="n"),
            ev.NodeCancelled(at=8.0, node="n", reason=ev.Reason(group="run", message="m")),
            asked("q", "n"),
            ev.ApprovalVoted(at=9.0, node="n", approval="q", by="ada", port="approved"),
            ev.ApprovalDecided(at=10.0, node="n", approval="q", by="bob", port="approved"),
            ev.ApprovalExpired(at=11.0, node="n", approval="q"),
        ]
    ),
    max_size=4,
)


class Stores(RuleBasedStateMachine):
    """The same calls on both stores, in one world."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "flownb.db"
        options: dict[str, Any] = {"artifacts": self.world.artifacts, "liveness": self.world.liveness}
        self.memory = MemoryStore(**options)
        self.sqlite = SqliteStore(path, **options)
        self.beside = SqliteStore(path, **options)
        self.leases: list[Lease] = []

    def teardown(self) -> None:
        self.sqlite.close()
        self.beside.close()
        self.folder.cleanup()

    def both(self, call: Callable[[Store], Any]) -> Any:
        """What both say to it: the same value, or the same kind of error about the same runs."""
        told = [self._try(store, call) for store in (self.memory, self.sqlite)]
        assert told[0] == told[1]
        return told[0]

    @staticmethod
    def _try(store: Store, call: Callable[[Store], Any]) -> Any:
        try:
            return call(store)
        except FlownbError as error:
            return type(error), error.fields.get("runs"), error.fields.get("run")

    @rule(run=RUNS, pid=PIDS, key=st.sampled_from([None, None, "k", "l"]), owned=st.booleans())
    def start(self, run: str, pid: int, key: str | None, *, owned: bool) -> None:
        owner = self.world.owner(pid) if owned else None
        told = self.both(lambda store: store.create_run(new(run, key=key), owner))
        if isinstance(told[1], Lease):
            self.leases.append(told[1])

    @rule(run=RUNS, pid=PIDS)
    def claim(self, run: str, pid: int) -> None:
        told = self.both(lambda store: store.claim(run, self.world.owner(pid)))
        if isinstance(told, Lease):
            self.leases.append(told)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), pid=PIDS)
    def hand_over(self, data: st.DataObject, pid: int) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        told = self.both(lambda store: store.claim(lease.run, self.world.owner(pid), expect=lease))
        if isinstance(told, Lease):
            self.leases.append(told)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), happened=EVENTS, off=st.sampled_from([0, 0, 0, 0, -1, 1]), release=st.booleans())
    def write(self, data: st.DataObject, happened: list[ev.Event], off: int, *, release: bool) -> None:
        leases = st.sampled_from(self.leases)
        chosen = data.draw(st.lists(leases, min_size=1, max_size=3, unique_by=lambda each: each.run))
        writes = []
        for lease in chosen:
            row = self.memory.row(lease.run)
            first = (row.seq if row else 0) + 1 + off
            writes.append(Write(lease.run, lease.fence, first, tuple(happened), release))
        self.both(lambda store: store.commit(writes))

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        self.both(lambda store: store.release(lease))

    @rule(pid=PIDS)
    def renew(self, pid: int) -> None:
        self.both(lambda store: store.renew(f"owner-{pid}"))

    @rule(pid=PIDS)
    def retire(self, pid: int) -> None:
        self.both(lambda store: store.retire(f"owner-{pid}"))

    @rule(pid=PIDS)
    def die(self, pid: int) -> None:
        self.world.gone.add(pid)

    @rule(seconds=st.sampled_from([1.0, 10.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.pass_time(seconds)

    @rule(run=RUNS)
    def send(self, run: str) -> None:
        self.both(lambda store: store.send(run, cmd.Pause(by="ada")))

    @rule(runs=st.lists(RUNS, unique=True))
    def receive(self, runs: list[str]) -> None:
        self.both(lambda store: [(each.run, each.command) for each in store.receive(runs)])

    @rule(run=RUNS)
    def delete(self, run: str) -> None:
        self.both(lambda store: store.delete_run(run))

    @rule(older=st.sampled_from([None, 0.0, 1e9]))
    def collect(self, older: float | None) -> None:
        self.both(lambda store: store.collect(older=older)[0])

    @rule()
    def open_again(self) -> None:
        self.sqlite.close()
        self.sqlite = SqliteStore(self.sqlite.path, artifacts=self.world.artifacts, liveness=self.world.liveness)

    @invariant()
    def all_see_the_same(self) -> None:
        pictures = [self._picture(store) for store in (self.memory, self.sqlite, self.beside)]
        assert pictures[0] == pictures[1] == pictures[2]

    def _picture(self, store: Store) -> Any:
        rows = list(store.rows())
        return (
            rows,
            [store.events(row.id) for row in rows],
            [store.owner_of(row.id) for row in rows],
            store.approvals(pending=False),
            store.orphans(),
            store.find_key("k"),
        )


TestStores = Stores.TestCase
TestStores.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
