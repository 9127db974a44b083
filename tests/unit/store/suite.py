"""What every store must keep; a store's own test gives a `Kit`, and runs all of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pytest

from flownb.errors import Conflict, Fenced, InvalidInput, NotFound, StoreError
from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.fold import fold
from flownb.model.state import RunState
from flownb.model.topology import Topology
from flownb.model.workflow import Workflow
from flownb.store.audit import faults_of
from flownb.store.contract import NewRun, Owner, Program, Write
from flownb.store.lease import Liveness
from flownb.store.lists import RequestFilter, RunFilter
from flownb.store.owner import Here
from tests.unit.store.fakes import FakeArtifacts, FakeClock

if TYPE_CHECKING:
    from flownb.store.contract import Lease, Store

HERE = Here(host="desk", boot="boot-1", pid_namespace="ns-1")
FAILURE = ev.Failure(type="ValueError", message="no such month")


class World:
    """Clocks and processes that a test moves by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.gone: set[int] = set()
        self.artifacts = FakeArtifacts(self.clock)
        self.liveness = Liveness(
            self.clock, place=HERE, gone=lambda pid, started: (pid, started) != (pid, pid * 10) or pid in self.gone
        )

    def owner(self, pid: int, **fields: Any) -> Owner:
        """An owner on this machine; its start time is ten times its pid, else its pid came again."""
        plain: dict[str, Any] = {
            "id": f"owner-{pid}",
            "host": HERE.host,
            "boot": HERE.boot,
            "pid_namespace": HERE.pid_namespace,
            "pid": pid,
            "pid_started": pid * 10,
        }
        return Owner(**(plain | fields))


class Kit(Protocol):
    """How a store under test is made."""

    world: World

    def open(self) -> Store:
        """The store; a second call gives another way into the same one, as another process has it."""
        ...


def new(run: str, **fields: Any) -> NewRun:
    plain: dict[str, Any] = {"id": run, "workflow": "invoices", "created_at": 1000.0}
    return NewRun(**(plain | fields))


def begin(store: Store, run: str, owner: Owner, **fields: Any) -> Lease:
    """A run that has started: one event is written."""
    _, lease = store.create_run(new(run, **fields), owner)
    assert lease is not None
    store.commit([write(lease, 1, ev.RunStarted(at=1001.0, workflow="invoices"))])
    return lease


def write(lease: Lease, first: int, *happened: ev.Event, release: bool = False) -> Write:
    return Write(lease.run, lease.fence, first, happened, release)


def started(node: str, at: float = 1002.0) -> ev.NodeStarted:
    return ev.NodeStarted(at=at, node=node)


def completed(node: str, output: Any = None, at: float = 1003.0) -> ev.NodeCompleted:
    return ev.NodeCompleted(at=at, node=node, output=output)


def asked(approval: str, node: str, at: float = 1004.0) -> ev.ApprovalRequested:
    return ev.ApprovalRequested(
        at=at, node=node, approval=approval, kind="approval", question="Post 3 EUR?", ports=("approved", "rejected")
    )


def told_of(approval: str, node: str = "ok") -> ev.ApprovalRequested:
    return msgspec.structs.replace(
        asked(approval, node),
        channels=("mail", "console", "mail"),
        due_at=1020.0,
        escalate_to=("eve",),
        escalate_at=1030.0,
    )


ALL_EVENTS: tuple[ev.Event, ...] = (
    ev.RunStarted(at=1.5, workflow="invoices", definition="d1", inputs={"path": "ä.csv", "n": [1, 2.5, None, True]}),
    ev.NodeStarted(at=2.0, node="load", attempt=2),
    ev.SignalReceived(at=2.0, name="paid", value=3.5, by="ada", nodes=("wait",)),
    ev.SignalDelivered(at=2.0, node="wait", name="paid"),
    ev.ResultCached(at=2.0, node="load", key="ab12", seq=2),
    ev.BreakpointSet(at=2.0, node="post"),
    ev.IterationStarted(at=2.0, node="each", index=3, item={"amount": 3.5}),
    ev.ChildStarted(at=2.0, node="each", run="1ngjcmg5e1p9657", workflow="billing"),
    ev.NodeRetrying(at=2.0, node="load", attempt=2, delay=0.5, error=FAILURE),
    ev.NodeCompleted(
        at=3.0, node="load", output={"$artifact": {"digest": "ab"}}, ports=("true",), verdicts={"e": True}
    ),
    ev.NodeFailedEvent(at=3.0, node="b", error=FAILURE, handled=True, port=True, output={"m": 1}),
    ev.NodeSkipped(at=3.0, node="c", reason=ev.Reason(group="gate", message="b took false", edge="e1")),
    ev.NodeWaiting(at=3.0, node="d", waits_for="human", until=9.0, request="q", resume_data={"page": 3}),
    ev.NodeCancelled(at=3.0, node="e", reason=ev.Reason(group="run", message="cancelled")),
    ev.NodeOutput(at=3.0, node="load", stream="display", data={"text/plain": "3"}),
    ev.NodeProgress(at=3.0, node="load", text="page 3/12", progress=0.25),
    asked("a1", "ok"),
    ev.ApprovalVoted(at=4.0, node="ok", approval="a1", by="ada", port="approved"),
    ev.ApprovalDecided(at=4.0, node="ok", approval="a1", by="bob", port="approved", data={"x": 1}, comment="fine"),
    ev.ApprovalExpired(at=4.0, node="ok", approval="a2"),
    ev.ApprovalRefused(at=4.0, node="ok", approval="a2", by="eve", port="approved", why="eve may not"),
    ev.ApprovalReminded(at=4.0, node="ok", approval="a2"),
    ev.ApprovalNotified(at=4.0, node="ok", approval="a2", channel="mail", to="ada", why="refused", next_at=9.0),
    ev.VariableSet(at=5.0, name="month", value="2026-11"),
    ev.VariableSet(at=5.0, name="limit", value=500, scope="workflow", by="ada"),
    ev.DesktopScreenshot(at=5.0, node="shot", image={"$artifact": {"digest": "cd"}}),
    ev.DesktopClick(at=5.0, node="shot", x=3, y=4),
    ev.DesktopType(at=5.0, node="shot", text="•••"),
    ev.DesktopOcr(at=5.0, node="shot", result=[{"text": "OK"}]),
    ev.SystemInfo(at=5.0, message="hello"),
    ev.SystemWarning(at=5.0, message="hm"),
    ev.SystemError(at=5.0, message="oh"),
    ev.RunPaused(at=6.0, reason="human", message="waits for ok", tells="ops:told"),
    ev.RunResumed(at=7.0, reset=("b",), cause="decided"),
    ev.RunForked(at=7.0, source="other", seq=3),
    ev.RunEnding(at=8.0, error=FAILURE, node="b", undo=("cancel_hotel",), handlers=("failed",)),
    ev.RunStopping(at=8.0, node="b", status="completed", message="enough", undoes=True),
    ev.DeadLetterDropped(at=8.0, node="b", by="ada"),
    ev.NodeFailedEvent(at=8.0, node="post", error=FAILURE),
    ev.RunFailedEvent(at=8.0, error=FAILURE, node="b", calls="ops:on_failure", tells="ops:told"),
    ev.RunCancelledEvent(at=8.0, by="ada", tells="ops:told"),
    ev.NodeStep(at=8.0, node="load", name="charge", output={"id": "ch_1"}),
    ev.NodeHeartbeat(at=8.0, node="load", detail={"page": 3}),
    ev.NodeMeasured(at=8.0, node="load", memory=1_048_576),
    ev.RunCompleted(at=9.0, results={"rows": 3}, tells="ops:told"),
)


class StoreSuite:
    """The contract, promise by promise. A subclass gives the fixture `kit`."""

    @pytest.fixture
    def world(self, kit: Kit) -> World:
        return kit.world

    @pytest.fixture
    def store(self, kit: Kit) -> Store:
        return kit.open()

    @pytest.fixture
    def me(self, world: World, store: Store) -> Owner:
        owner = world.owner(1)
        store.register(owner)
        return owner

    @pytest.fixture
    def other(self, world: World, store: Store) -> Owner:
        owner = world.owner(2)
        store.register(owner)
        return owner

    # --- runs and their events

    def test_a_new_run_is_pending_and_owned_from_the_start(self, store: Store, me: Owner) -> None:
        row, lease = store.create_run(
            new("r1", key="k", request="q", mode="test", trigger="cron", parent="p", definition="d", program="g"), me
        )
        assert lease is not None
        assert (lease.run, lease.owner) == ("r1", me.id)
        assert (row.status, row.seq, row.owner, row.fence) == ("pending", 0, me.id, lease.fence)
        assert (row.key, row.request, row.mode, row.trigger) == ("k", "q", "test", "cron")
        assert (row.parent, row.definition, row.program, row.created_at) == ("p", "d", "g", 1000.0)
        assert store.row("r1") == row
        assert store.find_key("k") == row

    def test_a_run_may_begin_without_an_owner(self, store: Store, me: Owner) -> None:
        row, lease = store.create_run(new("r1"), None)
        assert lease is None
        assert row.owner is None
        assert store.row("r1") == row
        assert store.claim("r1", me) is not None

    def test_what_is_not_there_is_none(self, store: Store) -> None:
        assert store.row("r1") is None
        assert store.find_key("k") is None
        assert store.events("r1") == []
        assert store.owner_of("r1") is None
        assert store.definition("d") is None
        assert store.program("g") is None

    def test_one_key_starts_one_run(self, store: Store, me: Owner, other: Owner) -> None:
        first, _ = store.create_run(new("r1", key="k", request="q1"), me)
        again, lease = store.create_run(new("r2", key="k", request="q2"), other)
        assert lease is None
        assert again == first
        assert store.row("r2") is None

    def test_runs_without_a_key_are_many(self, store: Store, me: Owner) -> None:
        assert all(store.create_run(new(f"r{number}"), me)[1] for number in range(3))
        assert len(list(store.rows())) == 3

    @pytest.mark.parametrize("key", ["", "   ", "\n"])
    def test_an_empty_key_is_refused(self, store: Store, me: Owner, key: str) -> None:
        with pytest.raises(InvalidInput, match="key"):
            store.create_run(new("r1", key=key), me)
        assert store.row("r1") is None

    def test_an_id_in_use_is_refused(self, store: Store, me: Owner) -> None:
        store.create_run(new("r1"), me)
        with pytest.raises(Conflict, match="r1"):
            store.create_run(new("r1", workflow="another"), me)
        row = store.row("r1")
        assert row is not None
        assert row.workflow == "invoices"

    def test_an_announced_run_is_there_for_whoever_looks(self, store: Store, me: Owner) -> None:
        lease = store.announce_run(new("r1", definition="d"), me)
        row = store.row("r1")
        assert row is not None
        assert (row.status, row.seq, row.owner, row.fence) == ("pending", 0, me.id, lease.fence)
        assert store.claim("r1", me) is None

    def test_an_announced_run_is_there_with_its_first_events(self, store: Store, kit: Kit, me: Owner) -> None:
        leases = [store.announce_run(new(f"r{number}"), me) for number in range(3)]
        store.commit([write(leases[1], 1, started("load")), write(leases[0], 1, started("load"))])
        assert {row.id for row in kit.open().rows()} == {"r0", "r1", "r2"}
        store.commit([write(leases[2], 1, started("load"))])
        assert [len(kit.open().events(f"r{number}")) for number in range(3)] == [1, 1, 1]

    def test_an_announced_run_can_be_deleted_when_it_has_ended(self, store: Store, me: Owner) -> None:
        lease = store.announce_run(new("r1"), me)
        store.commit([write(lease, 1, ev.RunCompleted(at=1.0), release=True)])
        store.announce_run(new("r2"), me)
        store.delete_run("r1")
        assert [row.id for row in store.rows()] == ["r2"]

    def test_events_come_back_equal_and_numbered(self, store: Store, kit: Kit, me: Owner) -> None:
        _, lease = store.create_run(new("r1"), me)
        assert lease is not None
        store.commit([write(lease, 1, *ALL_EVENTS[:10])])
        store.commit([write(lease, 11, *ALL_EVENTS[10:])])
        for each in (store, kit.open()):
            records = each.events("r1")
            assert [record.event for record in records] == list(ALL_EVENTS)
            assert [record.seq for record in records] == list(range(1, len(ALL_EVENTS) + 1))
            assert {record.run for record in records} == {"r1"}

    def test_the_vocabulary_above_is_complete(self) -> None:
        assert {type(each) for each in ALL_EVENTS} == set(ev.EVENT_TYPES.values()) - {ev.UserEvent}

    def test_events_can_be_read_in_parts(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, *(started(f"n{number}") for number in range(2, 11)))])
        assert [record.seq for record in store.events("r1", after=7)] == [8, 9, 10]
        assert [record.seq for record in store.events("r1", after=3, limit=2)] == [4, 5]
        assert store.events("r1", after=10) == []
        assert store.events("r1", limit=0) == []

    def test_one_commit_writes_many_runs(self, store: Store, me: Owner) -> None:
        leases = [begin(store, f"r{number}", me) for number in range(3)]
        store.commit([write(lease, 2, started("a"), completed("a")) for lease in leases])
        assert [len(store.events(lease.run)) for lease in leases] == [3, 3, 3]

    def test_an_empty_commit_changes_nothing(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([])
        store.commit([write(lease, 2)])
        assert len(store.events("r1")) == 1

    # --- failures that somebody has to look at

    def test_a_node_that_failed_is_a_dead_letter_until_somebody_takes_care_of_it(
        self, store: Store, kit: Kit, me: Owner
    ) -> None:
        lease = begin(store, "r1", me, workflow="invoices")
        failed = [ev.NodeFailedEvent(at=float(at), node=f"n{at}", error=FAILURE) for at in range(2, 6)]
        taken = ev.NodeFailedEvent(at=6.0, node="n6", error=FAILURE, handled=True, port=True)
        store.commit([write(lease, 2, *failed, taken)])
        for each in (store, kit.open()):
            letters = each.dead_letters()
            assert [(letter.run, letter.workflow, letter.event) for letter in letters] == [
                ("r1", "invoices", event) for event in failed
            ]
        reason = ev.Reason(group="command", message="skipped by ada")
        gone = (
            ev.RunResumed(at=7.0, reset=("n2",)),
            ev.NodeSkipped(at=7.0, node="n3", reason=reason),
            ev.DeadLetterDropped(at=7.0, node="n4", by="ada"),
        )
        store.commit([write(lease, 7, *gone)])
        assert [letter.node for letter in store.dead_letters("r1")] == ["n5"]
        again = ev.NodeFailedEvent(at=8.0, node="n2", error=FAILURE)
        store.commit([write(lease, 10, again, release=True)])
        assert [letter.node for letter in store.dead_letters()] == ["n5", "n2"]
        assert store.dead_letters("r2") == []
        store.delete_run("r1")
        assert store.dead_letters() == []

    def test_a_call_for_another_workflow_stays_until_it_is_answered_once(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        silent = ev.RunFailedEvent(at=2.0, error=FAILURE)
        store.commit([write(lease, 2, silent)])
        assert store.error_calls() == []
        first, second = (ev.RunFailedEvent(at=at, error=FAILURE, node="a", calls="ops:tell") for at in (3.0, 4.0))
        store.commit([write(lease, 3, first)])
        (old,) = store.error_calls()
        assert (old.run, old.event) == ("r1", first)
        store.commit([write(lease, 4, ev.RunResumed(at=3.5), second)])
        assert not store.answer_call(old)
        (call,) = store.error_calls()
        assert call.event == second
        assert [store.answer_call(call) for _ in range(2)] == [True, False]
        assert store.error_calls() == []

    def test_each_status_that_calls_a_workflow_stays_until_it_is_answered_once(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        quiet = ev.RunPaused(at=2.0, reason="human")
        paused = ev.RunPaused(at=3.0, reason="timer", tells="ops:tell")
        failed = ev.RunFailedEvent(at=3.0, error=FAILURE, calls="ops:alert", tells="ops:tell")
        cancelled = ev.RunCancelledEvent(at=4.0, tells="ops:tell")
        store.commit([write(lease, 2, quiet, paused, failed)])
        store.commit([write(lease, 5, cancelled, release=True)])
        calls = store.status_calls()
        assert [(call.run, call.status, call.event) for call in calls] == [
            ("r1", "failed", failed),
            ("r1", "paused", paused),
            ("r1", "cancelled", cancelled),
        ]
        assert [store.answer_call(calls[1]) for _ in range(2)] == [True, False]
        assert [call.status for call in store.status_calls()] == ["failed", "cancelled"]
        (error,) = store.error_calls()
        assert store.answer_call(error)
        assert len(store.status_calls()) == 2
        store.delete_run("r1")
        assert store.status_calls() == []
        assert not store.answer_call(calls[0])

    # --- results that may be used again

    def test_a_cached_result_is_found_by_its_key_until_it_is_forgotten(self, store: Store, me: Owner) -> None:
        for run in ("r1", "r2"):
            lease = begin(store, run, me, workflow=f"w-{run}")
            done = ev.NodeCompleted(at=2.0, node="a", output=run)
            cached = ev.ResultCached(at=2.0, node="a", key=f"key-{run}", seq=2)
            store.commit([write(lease, 2, done, cached, ev.RunCompleted(at=3.0), release=True)])
        found = store.cached("key-r1")
        assert found is not None
        assert (found.run, found.seq, found.event) == ("r1", 2, ev.NodeCompleted(at=2.0, node="a", output="r1"))
        assert store.cached("other") is None
        assert store.forget_cached("w-r1", "b") == 0
        assert store.forget_cached("w-r1", "a") == 1
        assert store.cached("key-r1") is None
        store.delete_run("r2")
        assert store.cached("key-r2") is None
        assert store.forget_cached() == 0

    def test_the_newest_result_of_a_key_counts(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        for first, output in ((2, "old"), (4, "new")):
            done = ev.NodeCompleted(at=2.0, node="a", output=output)
            store.commit([write(lease, first, done, ev.ResultCached(at=2.0, node="a", key="k", seq=first))])
        found = store.cached("k")
        assert found is not None
        assert isinstance(found.event, ev.NodeCompleted)
        assert found.event.output == "new"

    def test_a_commit_may_ask_for_the_disk(self, store: Store, kit: Kit, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, started("a"))], power=True)
        store.commit([write(lease, 3, completed("a"))])
        assert len(kit.open().events("r1")) == 3

    def test_a_taken_number_is_fenced(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        with pytest.raises(Fenced) as caught:
            store.commit([write(lease, 1, started("a"))])
        assert caught.value.fields["runs"] == ["r1"]
        assert len(store.events("r1")) == 1

    def test_two_who_share_a_lease_do_not_take_the_same_number(self, store: Store, kit: Kit, me: Owner) -> None:
        lease, good = begin(store, "r1", me), begin(store, "r2", me)
        other = kit.open()
        other.commit([write(lease, 2, started("a"))])
        with pytest.raises(Fenced) as caught:
            store.commit([write(good, 2, started("a")), write(lease, 2, started("b"))])
        assert caught.value.fields["runs"] == ["r1"]
        assert len(store.events("r2")) == 1
        store.commit([write(good, 2, started("a")), write(lease, 3, completed("a"))])
        other.commit([write(lease, 4, started("b"))])
        assert [record.seq for record in store.events("r1")] == [1, 2, 3, 4]

    def test_a_gap_is_refused(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        with pytest.raises(StoreError, match="next is 2, not 3") as caught:
            store.commit([write(lease, 3, started("a"))])
        assert not isinstance(caught.value, Fenced)
        assert len(store.events("r1")) == 1
        store.commit([write(lease, 2, started("a"))])

    def test_an_old_fence_changes_nothing_in_any_run(self, store: Store, world: World, me: Owner, other: Owner) -> None:
        mine, lost = begin(store, "r1", me), begin(store, "r2", me)
        world.gone.add(me.pid)
        assert store.claim("r2", other) is not None
        with pytest.raises(Fenced, match="r2") as caught:
            store.commit(
                [
                    write(mine, 2, ev.RunCompleted(at=9.0)),
                    write(lost, 2, ev.RunCompleted(at=9.0), release=True),
                ]
            )
        assert caught.value.fields["runs"] == ["r2"]
        for run, owner in (("r1", me), ("r2", other)):
            row = store.row(run)
            assert row is not None
            assert (row.status, row.seq, row.owner) == ("running", 1, owner.id)
            assert len(store.events(run)) == 1
        store.commit([write(mine, 2, started("a"))])

    def test_a_run_that_is_gone_is_fenced(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        assert store.release(lease)
        store.delete_run("r1")
        with pytest.raises(Fenced):
            store.commit([write(lease, 2, started("a"))])
        assert store.events("r1") == []

    # --- variables of workflows, and forks

    def test_a_workflows_variable_is_written_with_the_event_that_sets_it(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        mine = ev.VariableSet(at=2.0, name="n", value=1, node="keep")
        ours = ev.VariableSet(at=3.0, name="n", value={"a": [1]}, node="keep", scope="workflow")
        store.commit([write(lease, 2, mine)])
        assert store.variables() == []
        store.commit([write(lease, 3, ours)])
        (row,) = store.variables("invoices")
        assert (row.workflow, row.run, row.event) == ("invoices", "r1", ours)
        assert store.variables("other") == []

    def test_of_a_variable_the_last_commit_counts(self, store: Store, me: Owner) -> None:
        first, second = begin(store, "r1", me), begin(store, "r2", me)
        store.commit([write(second, 2, ev.VariableSet(at=9.0, name="n", value="second", scope="workflow"))])
        store.commit([write(first, 2, ev.VariableSet(at=1.0, name="n", value="first", scope="workflow"))])
        assert [(each.run, each.event.value) for each in store.variables()] == [("r1", "first")]

    def test_a_stale_owner_sets_no_variable(self, store: Store, world: World, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.release(lease)
        with pytest.raises(Fenced):
            store.commit([write(lease, 2, ev.VariableSet(at=9.0, name="n", value=1, scope="workflow"))])
        assert store.variables() == []

    def test_variables_are_set_and_forgotten_from_outside_and_outlive_runs(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, ev.VariableSet(at=2.0, name="n", value=1, scope="workflow"), release=True)])
        store.set_variable("invoices", ev.VariableSet(at=3.0, name="m", value=2, scope="workflow", by="ada"))
        store.delete_run("r1")
        assert [(each.event.name, each.run, each.event.by) for each in store.variables("invoices")] == [
            ("m", None, "ada"),
            ("n", "r1", ""),
        ]
        assert store.unset_variable("invoices", "m")
        assert not store.unset_variable("invoices", "m")
        assert not store.unset_variable("other", "n")
        assert [each.event.name for each in store.variables()] == ["n"]

    def test_a_fork_is_found_from_its_source_as_long_as_it_is_there(self, store: Store, me: Owner) -> None:
        begin(store, "r1", me)
        _, lease = store.create_run(new("r2"), me)
        assert lease is not None
        forked = ev.RunForked(at=50.0, source="r1", seq=1)
        store.commit([write(lease, 1, forked, ev.RunStarted(at=50.0, workflow="invoices"), release=True)])
        assert store.forks("r1") == {"r2": 1}
        assert store.forks("r2") == {}
        row = store.row("r2")
        assert row is not None
        assert (row.status, row.started_at) == ("running", 50.0)
        store.delete_run("r2")
        assert store.forks("r1") == {}

    # --- projections

    def test_the_row_follows_the_events(self, store: Store, me: Owner) -> None:
        _, lease = store.create_run(new("r1", definition="d1"), me)
        assert lease is not None
        steps: list[tuple[ev.Event, tuple[Any, ...]]] = [
            (ev.RunStarted(at=10.0, workflow="w", definition="d1"), ("running", None, 10.0, None, "d1")),
            (started("a"), ("running", None, 10.0, None, "d1")),
            (ev.RunPaused(at=11.0, reason="human"), ("paused", "human", 10.0, None, "d1")),
            (ev.RunResumed(at=12.0), ("running", None, 10.0, None, "d1")),
            (ev.RunFailedEvent(at=13.0, error=FAILURE), ("failed", None, 10.0, 13.0, "d1")),
            (ev.RunResumed(at=14.0, definition="d2"), ("running", None, 10.0, None, "d2")),
            (ev.RunPaused(at=15.0, reason="timer"), ("paused", "timer", 10.0, None, "d2")),
            (ev.RunCancelledEvent(at=16.0), ("cancelled", None, 10.0, 16.0, "d2")),
        ]
        for number, (event, expected) in enumerate(steps, 1):
            store.commit([write(lease, number, event)])
            row = store.row("r1")
            assert row is not None
            assert (row.status, row.pause_reason, row.started_at, row.finished_at, row.definition) == expected
            assert row.seq == number

    @pytest.mark.parametrize("together", [True, False])
    def test_projections_agree_with_the_fold(self, store: Store, me: Owner, *, together: bool) -> None:
        happened: list[ev.Event] = [
            ev.RunStarted(at=10.0, workflow="w", definition="d1"),
            ev.RunPaused(at=11.0, reason="human"),
            ev.RunResumed(at=12.0, definition="d2"),
            ev.RunFailedEvent(at=13.0, error=FAILURE),
            ev.RunResumed(at=14.0),
            ev.RunPaused(at=15.0, reason="in_doubt"),
        ]
        for last in range(1, len(happened) + 1):
            run = f"r{last}"
            _, lease = store.create_run(new(run), me)
            assert lease is not None
            if together:
                store.commit([write(lease, 1, *happened[:last])])
            else:
                for number, event in enumerate(happened[:last], 1):
                    store.commit([write(lease, number, event)])
            state = fold(RunState(Topology(Workflow(name="w"), {}), run), [each.event for each in store.events(run)])
            row = store.row(run)
            assert row is not None
            assert (row.status, row.pause_reason) == (state.status, state.pause_reason)
            assert (row.started_at, row.finished_at, row.definition, row.seq) == (
                state.started_at,
                state.finished_at,
                state.definition,
                state.seq,
            )

    def test_a_write_may_let_the_run_go(self, store: Store, me: Owner, other: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, ev.RunPaused(at=9.0, reason="human"), release=True)])
        row = store.row("r1")
        assert row is not None
        assert (row.status, row.owner) == ("paused", None)
        with pytest.raises(Fenced):
            store.commit([write(lease, 3, started("a"))])
        taken = store.claim("r1", other)
        assert taken is not None
        assert taken.fence > lease.fence

    def test_rows_come_newest_first(self, store: Store, me: Owner) -> None:
        for number, created in ((1, 5.0), (2, 7.0), (3, 6.0), (4, 7.0)):
            store.create_run(new(f"r{number}", created_at=created), me)
        assert [row.id for row in store.rows()] == ["r4", "r2", "r3", "r1"]
        assert [row.id for row in store.rows(limit=2)] == ["r4", "r2"]
        assert list(store.rows(limit=0)) == []

    def test_rows_can_be_chosen(self, store: Store, me: Owner) -> None:
        begin(store, "r1", me)
        begin(store, "r2", me, workflow="orders")
        store.create_run(new("r3", workflow="orders"), me)
        assert [row.id for row in store.rows(status=["running"])] == ["r2", "r1"]
        assert [row.id for row in store.rows(status=["pending", "running"], workflow="orders")] == ["r3", "r2"]
        assert list(store.rows(status=["failed"])) == []

    def test_runs_beneath_a_notebook_are_listed_with_it_alone(self, store: Store, me: Owner) -> None:
        store.create_run(new("nb", kind="notebook"), me)
        store.create_run(new("nb.1", group="nb"), me)
        store.create_run(new("nb.2", group="nb"), me)
        assert [row.id for row in store.rows()] == ["nb"]
        assert [row.id for row in store.rows(group="nb")] == ["nb.2", "nb.1"]

    def test_many_rows_come_without_gaps(self, store: Store, me: Owner) -> None:
        for number in range(1203):
            store.create_run(new(f"r{number:04}", created_at=float(number // 7)), me)
        assert [row.id for row in store.rows()] == [f"r{number:04}" for number in reversed(range(1203))]
        assert len(list(store.rows(limit=1001))) == 1001

    # --- pages for lists

    def test_a_page_of_runs_is_cut_from_the_newest_and_counted_by_status(self, store: Store, me: Owner) -> None:
        for number in range(7):
            begin(store, f"r{number}", me, created_at=float(number))
        store.create_run(new("nb.1", group="r1", created_at=9.0), me)
        store.create_run(new("x1", workflow="Orders 100%", key="july", created_at=3.5), me)
        everything = RunFilter()
        assert [row.id for row in store.page_of_runs(everything, skip=2, limit=3)] == ["r4", "x1", "r3"]
        assert store.page_of_runs(everything, skip=8) == []
        assert store.count_runs(everything) == {"running": 7, "pending": 1}
        assert [row.id for row in store.page_of_runs(RunFilter(status=("pending",)))] == ["x1"]

    @pytest.mark.parametrize(
        ("text", "found"), [("oRDers", ["x1"]), ("100%", ["x1"]), ("r_", []), ("JULY", ["x1"]), ("human", ["r1"])]
    )
    def test_runs_are_found_by_what_is_known_of_them(
        self, store: Store, me: Owner, text: str, found: list[str]
    ) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, ev.RunPaused(at=9.0, reason="human"), release=True)])
        store.create_run(new("x1", workflow="Orders 100%", key="july"), me)
        assert [row.id for row in store.page_of_runs(RunFilter(text=text))] == found
        assert sum(store.count_runs(RunFilter(status=("failed",), text=text)).values()) == len(found)

    def test_a_page_of_requests_is_cut_from_the_oldest_and_found_by_its_question(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        questions = [asked(f"a{number}", f"ok{number}", at=float(10 + number)) for number in range(6)]
        store.commit([write(lease, 2, *questions)])
        store.decide("r1", ev.ApprovalDecided(at=20.0, node="ok1", approval="a1", by="bob", port="approved"))
        page, count = store.page_of_requests(RequestFilter(), skip=1, limit=2)
        assert ([row.id for row in page], count) == (["a2", "a3"], 5)
        page, count = store.page_of_requests(RequestFilter(pending=False), limit=3)
        assert ([row.id for row in page], count) == (["a5", "a4", "a3"], 6)
        page, count = store.page_of_requests(RequestFilter(text="OK4"))
        assert ([row.id for row in page], count) == (["a4"], 1)
        assert store.page_of_requests(RequestFilter(text=questions[0].question))[1] == 5
        assert store.count_requests() == {"pending": 5, "approved": 1}
        row = store.find_request("r1", "a1")
        assert row is not None
        assert row.decided_by == "bob"
        assert store.find_request("r1", "a9") is None

    # --- requests to people

    def test_a_request_is_listed_until_it_is_answered(self, store: Store, kit: Kit, me: Owner) -> None:
        lease = begin(store, "r1", me)
        question = asked("a1", "ok")
        store.commit([write(lease, 2, question, asked("a2", "sure", at=1005.0))])
        assert [row.id for row in store.approvals()] == ["a1", "a2"]
        vote = ev.ApprovalVoted(at=6.0, node="ok", approval="a1", by="ada", port="approved")
        answer = ev.ApprovalDecided(at=7.0, node="ok", approval="a1", by="bob", port="approved", comment="fine")
        store.commit([write(lease, 4, vote, answer)])
        assert [row.id for row in store.approvals()] == ["a2"]
        row = kit.open().approvals(pending=False)[0]
        assert (row.id, row.run, row.workflow, row.node, row.kind) == ("a1", "r1", "invoices", "ok", "approval")
        assert (row.status, row.decided_at, row.decided_by, row.port) == ("approved", 7.0, "bob", "approved")
        assert (row.request, row.decision, row.votes) == (question, answer, (vote,))

    @pytest.mark.parametrize(
        ("event", "status"),
        [
            (ev.ApprovalDecided(at=7.0, node="ok", approval="a1", by="bob", port="rejected"), "rejected"),
            (ev.ApprovalDecided(at=7.0, node="ok", approval="a1", by="bob", port="later"), "answered"),
            (ev.ApprovalExpired(at=7.0, node="ok", approval="a1"), "expired"),
            (ev.NodeCancelled(at=7.0, node="ok", reason=ev.Reason(group="run", message="x")), "cancelled"),
            (ev.NodeSkipped(at=7.0, node="ok", reason=ev.Reason(group="command", message="x")), "cancelled"),
            (ev.RunCancelledEvent(at=7.0), "cancelled"),
            (ev.NodeCancelled(at=7.0, node="another", reason=ev.Reason(group="run", message="x")), "pending"),
            (ev.NodeSkipped(at=7.0, node="another", reason=ev.Reason(group="gate", message="x")), "pending"),
            (ev.RunPaused(at=7.0, reason="human"), "pending"),
        ],
    )
    def test_how_a_request_ends(self, store: Store, me: Owner, event: ev.Event, status: str) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, asked("a1", "ok"), event)])
        assert [row.status for row in store.approvals(run="r1", pending=False)] == [status]
        assert len(store.approvals()) == (status == "pending")

    def test_the_first_answer_stands(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, asked("a1", "ok"), ev.ApprovalExpired(at=6.0, node="ok", approval="a1"))])
        late = ev.ApprovalDecided(at=7.0, node="ok", approval="a1", by="bob", port="approved")
        store.commit([write(lease, 4, late)])
        row = store.approvals(pending=False)[0]
        assert (row.status, row.decided_at, row.decided_by) == ("expired", 6.0, None)

    def test_an_answer_is_given_once_and_its_owner_hears_of_it(self, store: Store, kit: Kit, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, asked("a1", "ok"))])
        elsewhere = kit.open()
        answer = ev.ApprovalDecided(at=7.0, node="ok", approval="a1", by="bob", port="approved", data={"n": 1})
        row = elsewhere.decide("r1", answer)
        assert (row.status, row.port, row.decided_by, row.decision) == ("approved", "approved", "bob", answer)
        late = ev.ApprovalDecided(at=8.0, node="ok", approval="a1", by="ann", port="rejected")
        with pytest.raises(Conflict, match="was answered already: approved by bob at 1970-01-01T00:00:07") as refused:
            store.decide("r1", late)
        assert refused.value.fields["row"] == row
        assert store.waiting() == {"r1"}
        (message,) = store.receive(["r1"])
        expected = cmd.Decide(by="bob", approval="a1", port="approved", data={"n": 1})
        assert (message.run, message.command) == ("r1", expected)
        assert store.waiting() == set()
        store.commit([write(lease, 3, answer)])  # whoever has the run writes it down, and that changes nothing more
        assert store.approvals(pending=False) == [row]

    def test_of_many_answers_one_counts(self, store: Store, kit: Kit, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, asked("a1", "ok"))])
        places = [store, kit.open()]
        taken: list[str] = []

        def answer(number: int) -> None:
            by = f"p{number}"
            decision = ev.ApprovalDecided(at=7.0, node="ok", approval="a1", by=by, port="approved")
            try:
                places[number % 2].decide("r1", decision)
            except Conflict:
                return
            taken.append(by)

        threads = [threading.Thread(target=answer, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [row.decided_by for row in store.approvals(pending=False)] == taken
        assert len(store.receive(["r1"])) == 1

    def test_what_is_not_asked_or_asked_no_more_is_not_answered(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        answer = ev.ApprovalDecided(at=7.0, node="ok", approval="a1", by="bob", port="approved")
        with pytest.raises(NotFound, match="has no request 'a1'"):
            store.decide("r1", answer)
        store.commit([write(lease, 2, asked("a1", "ok"), ev.RunResumed(at=6.0, reset=("ok",)))])
        with pytest.raises(Conflict, match="is cancelled and waits for no answer"):
            store.decide("r1", answer)
        assert store.waiting() == set()

    def test_requests_can_be_listed_by_run(self, store: Store, me: Owner) -> None:
        for run in ("r1", "r2"):
            lease = begin(store, run, me)
            store.commit([write(lease, 2, asked(f"a-{run}", "ok"))])
        assert [row.id for row in store.approvals(run="r2")] == ["a-r2"]

    # --- notices to people

    def test_what_is_asked_through_a_channel_is_to_be_told(self, store: Store, kit: Kit, me: Owner) -> None:
        lease = begin(store, "r1", me)
        assert (store.next_notice(), store.due_notices(9e9)) == (None, [])
        store.commit([write(lease, 2, asked("a1", "ok"), told_of("a2"))])
        row = kit.open().approvals()[1]
        assert [(each.kind, each.channel, each.to, each.next_at) for each in row.notices] == [
            ("asked", "mail", "", 1004.0),
            ("escalation", "mail", "", 1030.0),
            ("reminder", "mail", "", 1020.0),
        ]
        assert kit.open().approvals()[0].notices == ()
        assert store.next_notice() == 1004.0
        assert store.due_notices(1003.9) == []
        assert [each.kind for each in store.due_notices(1025.0)] == ["asked", "reminder"]

    def test_of_many_who_claim_a_notice_one_has_it(self, store: Store, kit: Kit, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, told_of("a1"))])
        places = [store, kit.open()]
        (seen,) = store.due_notices(1004.0)
        won: list[str] = []

        def claim(number: int) -> None:
            then = msgspec.structs.replace(seen, claim=str(number), claimed_until=1064.0)
            if places[number % 2].change_notice(seen, then):
                won.append(str(number))

        threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert store.due_notices(1004.0) == []
        assert "asked" not in {each.kind for each in store.due_notices(1063.9)}
        (again,) = [each for each in store.due_notices(1064.0) if each.kind == "asked"]
        assert again.claim == won[0], "who died with it holds it no longer"

    def test_a_claim_from_before_the_clock_was_set_back_holds_nobody_up(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, told_of("a1"))])
        (seen,) = store.due_notices(1004.0)
        assert store.change_notice(seen, msgspec.structs.replace(seen, claim="x", claimed_until=9_000.0))
        assert len(store.due_notices(1004.0)) == 1

    def test_how_a_notice_went_is_kept_and_logged(self, store: Store, kit: Kit, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, told_of("a1"))])
        (plan,) = store.due_notices(1004.0)
        made = [msgspec.structs.replace(plan, to=name) for name in ("ada", "bob")]
        assert store.change_notice(plan, msgspec.structs.replace(plan, next_at=None), more=made)
        assert not store.change_notice(plan, msgspec.structs.replace(plan, attempts=5)), "it is another one now"
        ada, bob = store.due_notices(1004.0)
        failed = ev.ApprovalNotified(
            at=1005.0, node="ok", approval="a1", channel="mail", to="ada", why="refused", next_at=1015.0
        )
        assert store.change_notice(ada, msgspec.structs.replace(ada, attempts=1, next_at=1015.0, outcome=failed))
        sent = ev.ApprovalNotified(at=1005.0, node="ok", approval="a1", channel="mail", to="bob")
        assert store.change_notice(bob, msgspec.structs.replace(bob, attempts=1, next_at=None, outcome=sent))
        shown = {each.to: each for each in kit.open().approvals()[0].notices if each.kind == "asked"}
        assert (shown["ada"].outcome, shown["ada"].delivered, shown["ada"].next_at) == (failed, False, 1015.0)
        assert (shown["bob"].outcome, shown["bob"].delivered, shown["bob"].next_at) == (sent, True, None)
        bodies = [entry.body for entry in store.audit("r1")]
        assert [b"approval_notified" in body for body in bodies] == [False, True, True]
        assert faults_of("r1", store.audit("r1"), store.keys.all(), lambda entry: str(entry.place)) == []

    @pytest.mark.parametrize(
        "end",
        [
            ev.ApprovalDecided(at=1006.0, node="ok", approval="a1", by="bob", port="approved"),
            ev.ApprovalExpired(at=1006.0, node="ok", approval="a1"),
            ev.NodeCancelled(at=1006.0, node="ok", reason=ev.Reason(group="run", message="x")),
            ev.RunCancelledEvent(at=1006.0),
        ],
    )
    def test_nobody_is_told_of_what_is_answered(self, store: Store, me: Owner, end: ev.Event) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, told_of("a1"))])
        (plan,) = store.due_notices(1004.0)
        claimed = msgspec.structs.replace(plan, claim="x", claimed_until=1064.0)
        assert store.change_notice(plan, claimed)
        store.commit([write(lease, 3, end)])
        assert (store.due_notices(9e9), store.next_notice()) == ([], None)
        sent = ev.ApprovalNotified(at=1007.0, node="ok", approval="a1", channel="mail")
        then = msgspec.structs.replace(claimed, claim="", claimed_until=0.0, outcome=sent, next_at=1100.0)
        made = [msgspec.structs.replace(plan, to="ada")]
        assert store.change_notice(claimed, then, more=made), "what was in flight is told of"
        row = store.approvals(pending=False)[0]
        assert [(each.to, each.next_at) for each in row.notices] == [("", None)] * 3, "and nothing more is sent"
        assert store.next_notice() is None

    def test_notices_go_with_their_run(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, told_of("a1"), ev.RunPaused(at=9.0, reason="human"), release=True)])
        assert store.next_notice() is not None
        (seen,) = store.due_notices(1004.0)
        store.delete_run("r1")
        assert (store.next_notice(), store.due_notices(9e9)) == (None, [])
        assert not store.change_notice(seen, msgspec.structs.replace(seen, claim="x"))

    # --- ownership

    def test_only_one_has_a_run(self, store: Store, me: Owner, other: Owner) -> None:
        begin(store, "r1", me)
        assert store.claim("r1", other) is None
        assert store.claim("r1", me) is None
        assert store.owner_of("r1") == (me, True)

    def test_claiming_an_unknown_run_names_the_near_ones(self, store: Store, me: Owner) -> None:
        store.create_run(new("abcdef"), me)
        with pytest.raises(NotFound, match="abcdef"):
            store.claim("abcdeg", me)

    def test_a_free_run_is_claimed_once(self, store: Store, me: Owner, other: Owner) -> None:
        lease = begin(store, "r1", me)
        assert store.release(lease)
        assert store.owner_of("r1") is None
        taken = store.claim("r1", other)
        assert taken is not None
        assert taken.fence > lease.fence
        assert store.claim("r1", me) is None
        assert not store.release(lease)
        assert store.owner_of("r1") == (other, True)

    def test_of_many_runs_those_that_nobody_has_are_claimed_at_once(
        self, store: Store, world: World, me: Owner, other: Owner
    ) -> None:
        fences = {}
        for run in ("r1", "r2", "r3", "r4"):
            lease = begin(store, run, me)
            fences[run] = lease.fence
            if run in ("r1", "r3"):
                assert store.release(lease)
        world.gone.add(me.pid)  # what a dead process has is for `claim`, which judges
        taken = store.claim_free(["r1", "r2", "r3", "nothing", "r1"], other)
        assert {(lease.run, lease.owner, lease.fence) for lease in taken} == {
            ("r1", other.id, fences["r1"] + 1),
            ("r3", other.id, fences["r3"] + 1),
        }
        assert len(taken) == 2
        assert store.owner_of("r1") == (other, True)
        assert store.claim_free(["r1", "r3"], me) == []
        assert store.claim_free([], me) == []
        with pytest.raises(Fenced):
            store.commit([Write("r1", fences["r1"], 2, (started("load"),))])
        (first,) = [lease for lease in taken if lease.run == "r1"]
        store.commit([write(first, 2, started("load"))])

    def test_the_journals_of_many_runs_are_read_at_once(self, store: Store, me: Owner) -> None:
        for run in ("r1", "r2", "r3"):
            lease = begin(store, run, me)
            store.commit([write(lease, 2, started(run), completed(run))])
        found = store.journals(["r3", "r1", "nothing"])
        assert found == {"r1": store.events("r1"), "r3": store.events("r3")}
        assert [record.seq for record in found["r3"]] == [1, 2, 3]
        assert store.journals([]) == {}

    def test_the_requests_of_some_runs_are_listed(self, store: Store, me: Owner) -> None:
        for run in ("r1", "r2", "r3"):
            lease = begin(store, run, me)
            store.commit([write(lease, 2, asked(f"a-{run}", "ok"))])
        assert [row.id for row in store.approvals(runs=["r3", "r1", "nothing"])] == ["a-r1", "a-r3"]
        assert store.approvals(runs=[]) == []
        assert [row.id for row in store.approvals(run="r1", runs=["r1", "r2"])] == ["a-r1"]

    def test_a_dead_process_loses_its_runs_at_once(self, store: Store, world: World, me: Owner, other: Owner) -> None:
        lease = begin(store, "r1", me)
        world.gone.add(me.pid)
        assert store.owner_of("r1") == (me, False)
        taken = store.claim("r1", other)
        assert taken is not None
        assert taken.fence == lease.fence + 1

    def test_either_of_two_processes_gone_is_dead(self, store: Store, world: World, other: Owner) -> None:
        kernel = world.owner(3, partner_pid=4, partner_started=40)
        store.register(kernel)
        begin(store, "r1", kernel)
        assert store.claim("r1", other) is None
        world.gone.add(4)
        assert store.claim("r1", other) is not None

    def test_a_reused_pid_is_not_the_owner(self, store: Store, world: World, other: Owner) -> None:
        old = world.owner(5, pid_started=49)
        begin(store, "r1", old)
        assert store.claim("r1", other) is not None

    @pytest.mark.parametrize("elsewhere", [{"host": "rack"}, {"pid_namespace": "ns-2"}])
    def test_a_process_elsewhere_is_judged_by_its_lease(
        self, store: Store, world: World, other: Owner, elsewhere: dict[str, str]
    ) -> None:
        far = world.owner(6, **elsewhere)
        begin(store, "r1", far)
        world.gone.add(6)
        assert store.claim("r1", other) is None
        world.clock.pass_time(14.9)
        store.renew(other.id)
        assert store.claim("r1", other) is None
        world.clock.pass_time(0.2)
        assert store.claim("r1", other) is not None

    def test_a_lease_lapses_although_the_process_is_there(
        self, store: Store, world: World, me: Owner, other: Owner
    ) -> None:
        begin(store, "r1", me)
        world.clock.pass_time(14.0)
        store.renew(me.id)
        world.clock.pass_time(14.0)
        store.renew(other.id)
        assert store.claim("r1", other) is None
        world.clock.pass_time(1.5)
        assert store.owner_of("r1") == (me, False)
        assert store.claim("r1", other) is not None

    def test_suspend_does_not_end_a_lease(self, store: Store, world: World, me: Owner, other: Owner) -> None:
        begin(store, "r1", me)
        world.clock.suspend(8 * 3600.0)
        assert store.claim("r1", other) is None

    @pytest.mark.parametrize("jump", [16.0, -3600.0])
    def test_another_boot_is_judged_by_the_wall_clock(
        self, store: Store, world: World, other: Owner, jump: float
    ) -> None:
        before = world.owner(7, boot="boot-0")
        begin(store, "r1", before)
        world.clock.pass_time(1.0)
        assert store.claim("r1", other) is None
        world.clock.suspend(jump)
        assert store.claim("r1", other) is not None

    def test_a_lapsed_lease_can_be_renewed_until_it_is_taken(
        self, store: Store, world: World, me: Owner, other: Owner
    ) -> None:
        lease = begin(store, "r1", me)
        world.clock.pass_time(60.0)
        store.renew(me.id)
        store.renew(other.id)
        assert store.claim("r1", other) is None
        store.commit([write(lease, 2, started("a"))])
        world.clock.pass_time(60.0)
        assert store.claim("r1", other) is not None
        store.renew(me.id)
        with pytest.raises(Fenced):
            store.commit([write(lease, 3, completed("a"))])

    def test_who_starts_or_takes_a_run_lives(self, store: Store, world: World, me: Owner, other: Owner) -> None:
        world.clock.pass_time(60.0)
        lease = begin(store, "r1", me)
        assert store.claim("r1", other) is None
        store.release(lease)
        world.clock.pass_time(60.0)
        assert store.claim("r1", other) is not None
        assert store.owner_of("r1") == (other, True)

    def test_a_living_owner_can_hand_over(self, store: Store, me: Owner, other: Owner) -> None:
        lease = begin(store, "r1", me)
        stale = msgspec.structs.replace(lease, fence=lease.fence - 1)
        assert store.claim("r1", other, expect=stale) is None
        taken = store.claim("r1", other, expect=lease)
        assert taken is not None
        assert store.owner_of("r1") == (other, True)
        assert store.claim("r1", me, expect=lease) is None
        with pytest.raises(Fenced):
            store.commit([write(lease, 2, started("a"))])
        store.commit([write(taken, 2, started("a"))])

    def test_who_retires_frees_all_runs(self, store: Store, me: Owner, other: Owner) -> None:
        leases = [begin(store, f"r{number}", me) for number in range(3)]
        store.retire(me.id)
        assert all(store.claim(lease.run, other) is not None for lease in leases)
        with pytest.raises(Fenced):
            store.commit([write(leases[0], 2, started("a"))])
        with pytest.raises(NotFound, match=me.id):
            store.renew(me.id)

    def test_what_an_owner_has_is_told_with_its_fences(
        self, store: Store, world: World, me: Owner, other: Owner
    ) -> None:
        begin(store, "r1", me)
        lease = begin(store, "r2", me)
        world.clock.pass_time(15)
        store.claim("r1", other)
        assert store.held(me.id) == {"r2": lease.fence}
        assert store.held(other.id) == {"r1": 2}
        assert store.held("nobody") == {}

    def test_renewing_an_unknown_owner_is_refused(self, store: Store) -> None:
        with pytest.raises(NotFound, match="nobody"):
            store.renew("nobody")

    def test_orphans_are_what_nobody_carries_on(self, store: Store, world: World, me: Owner, other: Owner) -> None:
        begin(store, "alive", other)
        begin(store, "dead", me)
        begin(store, "let-go", other)
        paused, ended = begin(store, "paused", me), begin(store, "ended", me)
        store.commit([write(paused, 2, ev.RunPaused(at=9.0, reason="human"))])
        store.commit([write(ended, 2, ev.RunCompleted(at=9.0))])
        store.create_run(new("pending"), me)
        row = store.row("let-go")
        assert row is not None
        assert store.claim("let-go", other) is None
        store.commit([Write("let-go", row.fence, 2, (), release=True)])
        assert store.orphans() == ["let-go"]
        world.gone.add(me.pid)
        assert store.orphans() == ["dead", "let-go", "pending"]
        assert store.claim("dead", other) is not None
        assert store.orphans() == ["let-go", "pending"]

    def test_of_many_threads_one_gets_the_run(self, store: Store, world: World) -> None:
        runs = [f"r{number}" for number in range(20)]
        for run in runs:
            store.create_run(new(run), None)
        owners = [world.owner(100 + number) for number in range(6)]
        taken: list[str] = []

        def claim_all(owner: Owner) -> None:
            taken.extend(run for run in runs if store.claim(run, owner) is not None)

        threads = [threading.Thread(target=claim_all, args=(owner,)) for owner in owners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == sorted(runs)

    def test_threads_may_write_at_once(self, store: Store, me: Owner) -> None:
        leases = [begin(store, f"r{number}", me) for number in range(4)]
        failed: list[BaseException] = []

        def work(lease: Lease) -> None:
            try:
                for number in range(2, 52):
                    store.commit([write(lease, number, started(f"n{number}"))])
                    assert len(store.events(lease.run, after=number - 1)) == 1
                    store.version()
            except BaseException as error:  # noqa: BLE001  told below, by the test's own thread
                failed.append(error)

        threads = [threading.Thread(target=work, args=(lease,)) for lease in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert [len(store.events(lease.run)) for lease in leases] == [51] * 4

    # --- messages

    def test_a_command_is_handed_out_once_and_in_order(self, store: Store, kit: Kit, me: Owner) -> None:
        for run in ("r1", "r2", "r3"):
            begin(store, run, me)
        sender = kit.open()
        asked_for: list[tuple[str, cmd.Command]] = [
            ("r1", cmd.Pause(by="ada")),
            ("r3", cmd.Cancel()),
            ("r2", cmd.Decide(approval="a1", port="approved", data={"x": [1, None]}, by="bob")),
            ("r1", cmd.SetVariable(name="v", value=3)),
        ]
        for run, command in asked_for:
            sender.send(run, command)
        taken = store.receive(["r2", "r1"])
        assert [(each.run, each.command) for each in taken] == [asked_for[0], asked_for[2], asked_for[3]]
        assert len({each.id for each in taken}) == 3
        assert store.receive(["r1", "r2"]) == []
        assert [each.run for each in store.receive(["r1", "r3"])] == ["r3"]
        assert store.receive([]) == []

    def test_a_command_for_an_unknown_run_is_refused(self, store: Store) -> None:
        with pytest.raises(NotFound, match="r1"):
            store.send("r1", cmd.Pause())

    def test_the_version_tells_of_what_others_wrote(self, store: Store, kit: Kit, me: Owner) -> None:
        begin(store, "r1", me)
        other = kit.open()
        before = store.version()
        assert store.version() == before
        other.send("r1", cmd.Pause())
        after = store.version()
        assert after != before
        assert store.version() == after

    # --- pinned definitions and programs

    def test_definitions_and_programs_are_kept_by_digest(self, store: Store, kit: Kit) -> None:
        for _ in range(2):
            store.put_definition("d1", '{"name": "ä"}')
        program = Program(kind="module", target="jobs:flow", directory="/srv", details={"parameters": {"n": 1}})
        digest = store.put_program(program)
        assert store.put_program(program) == digest
        assert store.put_program(msgspec.structs.replace(program, target="jobs:other")) != digest
        again = kit.open()
        assert again.definition("d1") == '{"name": "ä"}'
        assert again.program(digest) == program

    # --- housekeeping

    def test_a_run_is_deleted_with_what_is_beneath_it(self, store: Store, me: Owner) -> None:
        begin(store, "nb", me, kind="notebook", key="k")
        begin(store, "nb.1", me, group="nb")
        begin(store, "nb.1.1", me, group="nb.1")
        lease = begin(store, "r2", me)
        store.commit([write(lease, 2, asked("a2", "ok"))])
        store.send("nb", cmd.Pause())
        with pytest.raises(Conflict, match="nb"):
            store.delete_run("nb")
        store.retire(me.id)
        store.delete_run("nb")
        assert [row.id for row in store.rows()] == ["r2"]
        assert [store.row(run) for run in ("nb", "nb.1", "nb.1.1")] == [None] * 3
        assert store.events("nb.1") == []
        assert store.find_key("k") is None
        assert len(store.approvals()) == 1
        store.delete_run("r2")
        assert store.approvals(pending=False) == []
        with pytest.raises(NotFound):
            store.delete_run("r2")

    def test_a_deleted_run_frees_its_key(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me, key="k")
        store.release(lease)
        store.delete_run("r1")
        row, again = store.create_run(new("r2", key="k"), me)
        assert again is not None
        assert row.id == "r2"

    def test_a_run_is_not_deleted_while_one_beneath_it_is_at_work(self, store: Store, me: Owner) -> None:
        store.create_run(new("nb", kind="notebook"), None)
        begin(store, "nb.1", me, group="nb")
        with pytest.raises(Conflict, match=r"nb\.1"):
            store.delete_run("nb")
        assert store.row("nb") is not None

    def test_gc_deletes_old_ended_runs(self, store: Store, world: World, me: Owner) -> None:
        now = world.clock.wall()
        for run, finished in (("old", now - 100), ("young", now - 10)):
            lease = begin(store, run, me)
            store.commit([write(lease, 2, ev.RunCompleted(at=finished), release=True)])
        held = begin(store, "held", me)
        store.commit([write(held, 2, ev.RunCompleted(at=now - 100))])
        paused = begin(store, "paused", me)
        store.commit([write(paused, 2, ev.RunPaused(at=now - 100, reason="human"), release=True)])
        assert store.collect()[0] == 0
        assert store.collect(older=50)[0] == 1
        assert [row.id for row in store.rows()] == ["young", "paused", "held"]

    def test_gc_takes_a_notebook_as_a_whole(self, store: Store, world: World, me: Owner) -> None:
        now = world.clock.wall()
        for name, state in (("done", ev.RunCompleted(at=now - 100)), ("open", ev.RunPaused(at=now, reason="human"))):
            for run, event in ((name, ev.RunCompleted(at=now - 100)), (f"{name}.1", state)):
                lease = begin(store, run, me, group=name if run != name else None)
                store.commit([write(lease, 2, event, release=True)])
        assert store.collect(older=50)[0] == 2
        assert [row.id for row in store.rows()] == ["open"]
        assert [row.id for row in store.rows(group="open")] == ["open.1"]
        assert list(store.rows(group="done")) == []

    def test_gc_deletes_artifacts_that_nothing_names(self, store: Store, world: World, me: Owner) -> None:
        keep = [world.artifacts.put(bytes([number]) * 10, ".png") for number in range(5)]
        drop, young = world.artifacts.put(b"x" * 100, ".bin"), world.artifacts.put(b"y", ".bin")
        lease = begin(store, "r1", me)
        store.commit(
            [
                write(
                    lease,
                    2,
                    completed("a", {"deep": [{"$artifact": {"digest": keep[0], "kind": "parquet"}}]}),
                    completed("b", {"$transient": {"type": "Model", "png": keep[1]}}),
                )
            ]
        )
        store.send("r1", cmd.SetVariable(name="v", value={"$artifact": {"digest": keep[2]}}))
        digest = store.put_program(Program(kind="cells", details={"inputs": {"$artifact": {"digest": keep[3]}}}))
        store.create_run(new("r2", program=digest), me)
        store.put_definition("d1", msgspec.json.encode({"pinned": {"$artifact": {"digest": keep[4]}}}).decode())
        store.create_run(new("r3", definition="d1"), me)
        world.clock.pass_time(7200)
        world.artifacts.put(b"y", ".bin")
        assert store.collect() == (0, 100)
        assert set(world.artifacts.digests()) == {*keep, young}
        assert drop not in set(world.artifacts.digests())

    def test_gc_deletes_definitions_and_programs_that_nothing_names(
        self, store: Store, world: World, me: Owner
    ) -> None:
        for name in ("named", "older", "stray", "young"):
            store.put_definition(name, f'"{name}"')
        used = store.put_program(Program(kind="json", source="1"))
        stray = store.put_program(Program(kind="json", source="2"))
        lease = begin(store, "r1", me, definition="named", program=used)
        store.commit([write(lease, 2, ev.RunResumed(at=5.0, definition="older"))])
        store.commit([write(lease, 3, ev.RunResumed(at=6.0, definition="named"))])
        world.clock.pass_time(7200)
        store.put_definition("young", '"young"')
        store.collect()
        kept = [name for name in ("named", "older", "stray", "young") if store.definition(name) is not None]
        assert kept == ["named", "older", "young"]
        assert store.program(used) is not None
        assert store.program(stray) is None
        store.put_definition("stray", '"stray"')
        assert store.definition("stray") == '"stray"'

    def test_a_store_that_is_used_is_healthy(self, store: Store, me: Owner) -> None:
        assert store.check() == []
        lease = begin(store, "r1", me)
        store.commit([write(lease, 2, *ALL_EVENTS[1:3], ev.RunPaused(at=9.0, reason="human"))])
        assert store.check() == []

    def test_a_closed_store_refuses(self, store: Store, me: Owner) -> None:
        lease = begin(store, "r1", me)
        store.close()
        store.close()
        for call in (
            lambda: store.commit([write(lease, 2, started("a"))]),
            lambda: store.events("r1"),
            lambda: store.row("r1"),
            lambda: list(store.rows()),
            lambda: store.renew(me.id),
            store.version,
            store.orphans,
            lambda: store.send("r1", cmd.Pause()),
            lambda: store.receive(["r1"]),
        ):
            with pytest.raises(StoreError, match="closed"):
                call()
