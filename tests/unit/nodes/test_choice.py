from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from flownb.errors import ExpressionError, UsageError
from flownb.graph.builder import Builder
from flownb.graph.nodetype import Output
from flownb.graph.registry import registry
from flownb.model.workflow import Node
from flownb.testing import FakeContext, check_node
from tests.unit.nodes.running import leaving, run, run_with, said

BY_SIZE = [{"port": "huge", "when": "total > 1000"}, {"port": "big", "when": "total > 100"}]
BY_TIER = [{"port": "best", "equals": "gold"}, {"port": "good", "one_of": ["silver", "bronze"]}]


@pytest.mark.parametrize(("total", "port"), [(5000, "huge"), (500, "big"), (5, "default")])
def test_the_first_case_that_holds_fires_and_default_if_none(total: int, port: str) -> None:
    found = check_node(registry.get("control.switch"), config={"cases": BY_SIZE}, inputs={"total": total})
    assert found == Output(port, ports=(port,), values={port: port})


@pytest.mark.parametrize(("total", "ports"), [(5000, ("huge", "big")), (500, ("big",)), (5, ("default",))])
def test_all_cases_that_hold_fire_if_so_asked(total: int, ports: tuple[str, ...]) -> None:
    found = run_with("control.switch", {"cases": BY_SIZE, "mode": "all"}, total=total)
    assert (found.value, found.ports) == (list(ports), ports)


@pytest.mark.parametrize(
    ("tier", "port"), [("gold", "best"), ("silver", "good"), ("bronze", "good"), ("tin", "default"), (None, "default")]
)
def test_a_value_is_compared_with_the_cases(tier: str | None, port: str) -> None:
    by_template = run_with("control.switch", {"cases": BY_TIER, "value": "{{ order.tier }}"}, order={"tier": tier})
    assert by_template.ports == (port,)
    assert run("control.switch", {"cases": BY_TIER}, tier).ports == (port,)
    assert run_with("control.switch", {"cases": BY_TIER}, value=tier).ports == (port,)


@pytest.mark.parametrize(("value", "fires"), [(1, True), (1.0, True), ("1", False), (None, False), ([1], False)])
def test_values_are_equal_as_in_an_expression(value: Any, fires: bool) -> None:
    found = run("control.switch", {"cases": [{"port": "one", "equals": 1}]}, value)
    assert (found.ports == ("one",)) is fires


def test_null_is_a_value_that_a_case_can_ask_for() -> None:
    assert run("control.switch", {"cases": [{"port": "empty", "equals": None}]}, None).ports == ("empty",)


def test_what_came_in_leaves_by_the_ports_that_fire() -> None:
    frame = pd.DataFrame({"x": [1]})
    found = run("control.switch", {"cases": BY_SIZE, "mode": "all"}, frame, total=5000)
    assert leaving(found, "huge") is frame
    assert leaving(found, "big") is frame


def test_a_case_can_be_a_condition_as_an_object() -> None:
    case = {"port": "paid", "when": {"and": ["total > 1", {"type": "equals", "left": "{{ state }}", "right": "paid"}]}}
    assert run_with("control.switch", {"cases": [case]}, total=2, state="paid").ports == ("paid",)
    assert run_with("control.switch", {"cases": [case]}, total=2, state="open").ports == ("default",)


def test_a_template_in_a_case_is_evaluated_and_one_in_data_is_not() -> None:
    cases = [{"port": "same", "equals": "{{ wanted }}"}]
    assert run("control.switch", {"cases": cases}, "{{ secret }}", wanted="{{ secret }}").ports == ("same",)


def test_a_case_that_cannot_be_decided_is_named() -> None:
    with pytest.raises(ExpressionError, match="node, case 'huge': There is no 'total'"):
        run_with("control.switch", {"cases": BY_SIZE}, FakeContext(inputs={"totals": 5}))
    with pytest.raises(ExpressionError, match="node, case 'one': .*live object"):
        run("control.switch", {"cases": [{"port": "one", "equals": 1}]}, object())


def test_cases_after_the_one_that_holds_are_not_asked() -> None:
    cases = [{"port": "a", "when": "true"}, {"port": "b", "when": "gone > 1"}]
    assert run_with("control.switch", {"cases": cases}).ports == ("a",)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "needs the field 'cases'"),
        ({"cases": []}, "at least 1 item"),
        ({"cases": [{"port": "a"}]}, "the case 'a' takes one of when, equals and one_of"),
        ({"cases": [{"port": "a", "when": "x", "equals": 1}]}, "takes one of when, equals and one_of"),
        ({"cases": [{"port": "not one", "when": "x"}]}, "a port is called like a variable"),
        ({"cases": [{"port": "error", "when": "x"}]}, "no case can be called main, error, after, default"),
        ({"cases": [{"port": "a", "when": "x"}, {"port": "a", "when": "y"}]}, "there are two cases 'a'"),
        ({"cases": [{"port": "a", "when": "x"}], "mode": "any"}, "Input should be 'first' or 'all'"),
        ({"cases": {"a": "x"}}, "Input should be a valid list"),
        ({"cases": [7]}, "cases.0 of node"),
    ],
)
def test_a_config_that_cannot_work_is_a_problem(config: dict[str, Any], words: str) -> None:
    assert any(words in each for each in said("control.switch", config))
    registry.ports_of(Node(id="node", type="control.switch", config=config))


def test_the_builder_takes_cases_by_port_and_keeps_their_order() -> None:
    flow = Builder("switches")
    flow.switch("size", {"huge": "total > 1000", "big": {"type": "greater_than", "left": "{{ total }}", "right": 9}})
    flow.switch("tier", {"best": "gold", "good": ["silver", "bronze"]}, value="{{ size }}", mode="all")
    size, tier = flow.build().nodes
    assert [case["port"] for case in size.config["cases"]] == ["huge", "big"]
    assert tier.config == {"cases": BY_TIER, "value": "{{ size }}", "mode": "all"}
    assert flow["size"].huge.port == "huge"
    assert flow["tier"].default.port == "default"
    with pytest.raises(AttributeError, match=r"size has no port 'hug'. Did you mean 'huge'\?"):
        _ = flow["size"].hug


def test_a_value_as_a_case_needs_something_to_compare_it_with() -> None:
    flow = Builder("switches")
    with pytest.raises(UsageError, match="s: the case 'one' is 1; .* give `value=` as well"):
        flow.switch("s", {"one": 1})
    with pytest.raises(UsageError, match="the case 'many'"):
        flow.switch("s", {"many": ["a", "b"]})


def test_naming_a_node_in_a_case_waits_for_it_and_a_wrong_name_is_a_problem() -> None:
    flow = Builder("switches")
    flow.node(lambda: 5, id="total")
    flow.switch("size", {"big": "total > 1", "odd": "totl > 1"})
    assert ("total", "size", "total") in {(e.source, e.target, e.target_port) for e in flow.build().edges}
    (problem,) = flow.validate()
    assert problem.message == "An expression of size names 'totl', which is no node and no input."


def test_a_case_that_cannot_be_read_is_a_problem_with_its_place() -> None:
    flow = Builder("switches")
    flow.switch("size", {"ok": "true", "bad": "1 +"})
    (problem,) = flow.validate()
    assert problem.place == "nodes[0].config.cases[1].when"
