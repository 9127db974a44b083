"""Variables of a workflow: they outlive its runs, agree with the journals, and are held to their type."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, InvalidInput, InvalidWorkflow, RunFailed, RunPaused, UsageError
from flownb.model import events as ev
from flownb.model.status import RunStatus
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

SECONDS = 10.0


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def counter(name: str = "counter") -> Flow:
    """A flow that counts its runs."""
    flow = Flow(name)
    flow.variable("count", type="number", default=0)
    flow.set_variable("more", "count", "{{ variables.count + 1 }}", scope="workflow")
    return flow


def set_events(run: Run) -> list[tuple[Any, str, str]]:
    events = [record.event for record in run.events()]
    return [(each.value, str(each.scope), each.by) for each in events if isinstance(each, ev.VariableSet)]


def test_a_run_begins_with_what_the_last_one_set_and_the_first_with_the_default(store: Store) -> None:
    flow = counter()
    assert [flow.run(store=store, display=False).result(SECONDS)["more"] for _ in range(3)] == [1, 2, 3]
    (row,) = store.variables("counter")
    assert (row.event.value, row.event.node) == (3, "more")
    assert flow.variables(store=store) == {"count": 3}


def test_what_a_run_took_over_stands_in_its_own_journal(store: Store) -> None:
    flow = counter()
    flow.run(store=store, display=False).result(SECONDS)
    run = flow.run(store=store, display=False)
    run.result(SECONDS)
    assert set_events(run) == [(1, "run", "workflow"), (2, "workflow", "")]


def test_an_input_that_a_run_was_given_comes_before_what_the_workflow_remembers(store: Store) -> None:
    flow = counter()
    flow.variables(store=store)["count"] = 7
    assert flow.run(store=store, display=False, count=100).result(SECONDS) == {"more": 101}
    assert flow.run(store=store, display=False).result(SECONDS) == {"more": 102}


def test_a_run_that_rests_sees_when_it_goes_on_what_it_saw_and_not_what_others_set(store: Store) -> None:
    flow = Flow("patient")
    flow.variable("limit", type="number", default=10)
    flow.add("control.wait_for_event", "go", event="go")

    @flow.node(after="go")
    def read(ctx: Any) -> Any:
        return ctx.variables["limit"]

    flow.variables(store=store)["limit"] = 20
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.status is RunStatus.PAUSED)
    flow.variables(store=store)["limit"] = 30
    run.signal("go")
    assert run.result(SECONDS) == {"read": 20}
    assert flow.run(store=store, display=False).state.variables == {"limit": 30}


def test_of_two_runs_the_later_commit_counts_for_the_workflow(store: Store) -> None:
    flow = Flow("race")
    gates = {name: threading.Event() for name in ("early", "late")}

    @flow.node
    def hold(who: str) -> str:
        gates[who].wait(SECONDS)
        return who

    flow.set_variable("winner", "winner", "{{ hold }}", scope="workflow")
    late, early = (flow.run(store=store, display=False, who=each) for each in ("late", "early"))
    gates["early"].set()
    early.result(SECONDS)
    assert flow.variables(store=store)["winner"] == "early"
    gates["late"].set()
    late.result(SECONDS)
    assert flow.variables(store=store)["winner"] == "late"
    assert early.state.variables == {"winner": "early"}


def test_a_value_of_another_type_than_declared_is_refused_wherever_it_comes_from(store: Store) -> None:
    flow = Flow("typed")
    flow.variable("count", type="number", default=0)
    flow.set_variable("keep", "count", "{{ 'many' }}")
    with pytest.raises(RunFailed, match=r"keep: The variable 'count' is 'many'; it must be a number\."):
        flow.run(store=store, display=False).result(SECONDS)
    with pytest.raises(InvalidInput, match="must be a number"):
        flow.variables(store=store)["count"] = "many"
    flow = Flow("typed")
    flow.variable("count", type="number", default=0)
    flow.set_variable("keep", "count", "many")
    with pytest.raises(InvalidWorkflow, match="keep sets the variable 'count' to 'many'; it must be a number"):
        flow.run(store=store, display=False)


def test_a_secret_is_never_remembered_by_its_value(store: Store) -> None:
    flow = Flow("hidden")
    flow.variable("token", secret=True, default="secret://token")
    flow.set_variable("keep", "token", "hunter2", scope="workflow")
    with pytest.raises(InvalidWorkflow, match="a reference to a secret"):
        flow.run(store=store, display=False)
    with pytest.raises(InvalidInput, match="never its value"):
        flow.variables(store=store)["token"] = "hunter2"


def test_a_remembered_value_that_fits_no_more_is_left_out_with_a_warning(store: Store) -> None:
    store.set_variable("counter", ev.VariableSet(at=1.0, name="count", value="many", scope="workflow"))
    run = counter().run(store=store, display=False)
    assert run.result(SECONDS) == {"more": 1}
    told = [record.event.message for record in run.events() if isinstance(record.event, ev.SystemWarning)]
    (only,) = told
    assert only == (
        "The workflow's own value is left out: The variable 'count' is 'many'; it must be a number. "
        "`flownb variables` shows and sets it."
    )


def test_a_flow_whose_nodes_read_no_variables_asks_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr(MemoryStore, "variables", asked)
    flow = Flow("plain")
    flow.node(lambda: 1, id="one")
    flow.condition("big", "one > 0")
    assert flow.run(store=MemoryStore(), display=False).result(SECONDS) == {"big": 1}


def test_a_variable_set_while_a_run_rests_is_there_when_it_goes_on(store: Store) -> None:
    flow = Flow("resting")
    flow.add("control.wait_for_event", "go", event="go")
    flow.add("control.transform", "read", fields={"x": "variables.x", "y": "variables.y"}, after="go")
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.status is RunStatus.PAUSED)
    run.set("x", 1)
    run.set("y", 2, scope="workflow")
    assert run.status is RunStatus.PAUSED
    assert flow.variables(store=store) == {"y": 2}
    run.signal("go")
    assert run.result(SECONDS) == {"read": {"x": 1, "y": 2}}


def test_an_ended_run_sets_its_workflows_variables_and_no_more_its_own(store: Store) -> None:
    run = counter().run(store=store, display=False)
    run.result(SECONDS)
    run.set("count", 40, scope="workflow")
    assert counter().run(store=store, display=False).result(SECONDS) == {"more": 41}
    with pytest.raises(UsageError, match="completed"):
        run.set("count", 1)
    with pytest.raises(UsageError, match="scope of a variable is 'run' or 'workflow', not 'galaxy'"):
        run.set("count", 1, scope="galaxy")


def test_variables_outlive_the_run_that_set_them_with_their_artifacts(tmp_path: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    flow = Flow("keeper")

    @flow.node
    def make() -> bytes:
        return b"x" * 500_000

    flow.set_variable("keep", "blob", "{{ make }}", scope="workflow")
    run = flow.run(store=store, display=False)
    run.result(SECONDS)
    wait_for(lambda: store.owner_of(run.id) is None)
    store.delete_run(run.id)
    store.collect(older=0)
    assert flow.variables(store=store)["blob"] == b"x" * 500_000


def test_what_is_unset_is_gone_and_a_wrong_name_gets_the_near_one(store: Store) -> None:
    variables = counter().variables(store=store)
    variables["count"] = 3
    with pytest.raises(KeyError, match="Did you mean 'count'"):
        variables["counts"]
    del variables["count"]
    with pytest.raises(KeyError, match="no variable 'count'"):
        del variables["count"]
    assert counter().run(store=store, display=False).result(SECONDS) == {"more": 1}


def test_a_cached_result_depends_on_the_variables_that_the_node_may_read(store: Store) -> None:
    flow = Flow("cached")
    flow.variable("rate", type="number", default=2)
    flow.add("control.transform", "out", fields={"x": "variables.rate * 10"}, cache=True)
    assert flow.run(store=store, display=False).result(SECONDS) == {"out": {"x": 20}}
    assert flow.run(store=store, display=False, rate=3).result(SECONDS) == {"out": {"x": 30}}
    again = flow.run(store=store, display=False, rate=3)
    assert again.result(SECONDS) == {"out": {"x": 30}}
    assert again.state.sources == {0: "cache"}


def test_a_paused_run_is_not_woken_by_a_variable(store: Store) -> None:
    flow = Flow("asleep")
    flow.add("control.wait_for_event", "go", event="go")
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.status is RunStatus.PAUSED)
    run.set("x", 1)
    with pytest.raises((RunPaused, TimeoutError)):
        run.result(0.05)
