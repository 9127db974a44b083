from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pandas as pd
import pytest

from flownb.errors import ExpressionError, InvalidInput
from flownb.graph.builder import Builder
from flownb.graph.nodetype import Output, Suspend
from flownb.graph.registry import registry
from flownb.model.workflow import Node
from flownb.nodes.prepare import prepare
from flownb.testing import FakeContext


def run(type_: str, config: dict[str, Any], ctx: FakeContext | None = None, /, **inputs: Any) -> Any:
    """Run a node as the engine would."""
    context = ctx or FakeContext()
    cls = registry.get(type_)
    node = Node(id="node", type=type_, config=config)
    return asyncio.run(prepare(cls, node, context, inputs).execute(context, inputs))


# --- start and output -------------------------------------------------------------------------------------------------


def test_a_start_gives_the_inputs_of_the_run() -> None:
    assert run("control.start", {}, FakeContext(inputs={"path": "a.csv"})) == {"path": "a.csv"}


def test_an_output_is_the_one_value_that_came() -> None:
    assert run("control.output", {}, FakeContext(sources={"main": ["a"]}), main=[3]) == 3


def test_an_output_of_several_values_is_a_table_by_source() -> None:
    context = FakeContext(sources={"main": ["a", "b"]})
    assert run("control.output", {}, context, main=[1, None]) == {"a": 1, "b": None}


def test_two_ports_of_one_node_are_two_entries_of_an_output() -> None:
    context = FakeContext(sources={"main": ["a", "b", "a", "a"]})
    assert run("control.output", {}, context, main=[1, 2, 3, 4]) == {"a": 1, "b": 2, "a_2": 3, "a_3": 4}


def test_named_inputs_of_an_output_are_a_table_even_when_there_is_one() -> None:
    assert run("control.output", {}, rows=3) == {"rows": 3}
    context = FakeContext(sources={"main": ["a"]})
    assert run("control.output", {}, context, main=[1], rows=3) == {"a": 1, "rows": 3}


# --- condition --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "port"), [(2000, "true"), (20, "false")])
def test_a_condition_fires_exactly_one_port(amount: int, port: str) -> None:
    answer = amount > 1000
    for test in (
        "total.amount > 1000",
        "{{ total.amount }} > 1000",
        {"type": "greater_than", "left": "{{ total.amount }}", "right": 1000},
    ):
        found = run("control.condition", {"test": test}, total={"amount": amount})
        assert found == Output(answer, ports=(port,), values={port: answer})


def test_what_comes_in_at_main_leaves_by_the_port_that_fires() -> None:
    frame = pd.DataFrame({"x": [1]})
    found = run("control.condition", {"test": "true"}, FakeContext(inputs={"true": 1}), main=[frame])
    assert found == Output(True, ports=("true",), values={"true": frame})
    both = run("control.condition", {"test": "1 > 2"}, main=[1, 2])
    assert both == Output(False, ports=("false",), values={"false": [1, 2]})


def test_a_condition_sees_inputs_variables_and_the_run_and_nearer_names_win() -> None:
    context = FakeContext(inputs={"limit": 3, "total": 1}, variables={"open": True})
    test = "total > limit and variables.open and run.id == 'testrun' and trigger.type == 'manual'"
    assert run("control.condition", {"test": test}, context, total=4).value is True


def test_a_missing_name_is_an_expression_error_and_default_is_not() -> None:
    with pytest.raises(ExpressionError):
        run("control.condition", {"test": "gone > 1"})
    assert run("control.condition", {"test": "default(gone, 2) > 1"}).value is True


def callable_condition(test: Any, **inputs: Any) -> Any:
    flow = Builder("callables")
    flow.condition("big", test)
    (node,) = flow.build().nodes
    context = FakeContext(path="big")
    cls = registry.get(node.type)
    assert flow.validate() == []
    return asyncio.run(prepare(cls, node, context, inputs, flow.functions["big"]).execute(context, inputs))


def test_a_function_can_be_the_test() -> None:
    found = callable_condition(lambda total, limit=3: total > limit, total=4, main=["passed on"])
    assert found == Output(True, ports=("true",), values={"true": "passed on"})


def test_an_async_function_can_be_the_test() -> None:
    async def test(total: int, ctx: Any) -> bool:
        return total > 3 and ctx.path == "big"

    assert callable_condition(test, total=3).ports == ("false",)


def test_an_answer_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(TypeError, match="A condition answers yes or no; its test gave a DataFrame"):
        callable_condition(lambda: pd.DataFrame({"x": [1]}))


def test_a_condition_without_a_test_is_a_problem() -> None:
    problems = registry.get("control.condition").check(Node(id="c", type="control.condition"))
    assert [problem.message for problem in problems] == ["c (control.condition) needs the field 'test'."]


# --- delay ------------------------------------------------------------------------------------------------------------


def test_a_delay_parks_until_its_time_and_then_passes_on_what_came() -> None:
    context = FakeContext(time=1000.0)
    assert run("control.delay", {"seconds": 90}, context, main=[7]) == Suspend(waits_for="timer", until=1090.0)
    context.resumed = 1090.0
    assert run("control.delay", {"seconds": 90}, context, main=[7]) == 7
    assert run("control.delay", {"seconds": 90}, context) is None


def test_a_moment_with_an_offset_is_that_moment_and_one_without_is_local() -> None:
    context = FakeContext(time=0.0)
    moment = run("control.delay", {"until": "2026-05-01T08:00:00+02:00"}, context)
    assert moment.until == dt.datetime(2026, 5, 1, 6, tzinfo=dt.UTC).timestamp()
    local = run("control.delay", {"until": "2026-05-01T08:00:00"}, context)
    assert local.until == dt.datetime(2026, 5, 1, 8).astimezone().timestamp()


@pytest.mark.parametrize("config", [{"seconds": 0}, {"until": "1999-01-01T00:00:00Z"}])
def test_a_time_that_has_come_is_not_waited_for(config: dict[str, Any]) -> None:
    assert run("control.delay", config, main=["x"]) == "x"


def test_an_input_overrides_the_seconds() -> None:
    found = run("control.delay", {"seconds": 1}, FakeContext(time=0.0), seconds=50)
    assert found.until == 50.0


@pytest.mark.parametrize(
    "config", [{}, {"seconds": 1, "until": "2026-01-01"}, {"seconds": float("nan")}, {"seconds": float("inf")}]
)
def test_a_delay_takes_one_time_that_is_one(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"The config of control\.delay can't be used"):
        run("control.delay", config)
