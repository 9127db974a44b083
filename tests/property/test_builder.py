from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from flownb.graph.builder import Builder

if TYPE_CHECKING:
    from collections.abc import Callable

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def taking(names: list[str]) -> Callable[..., Any]:
    """A function with these parameters."""

    def function(**values: Any) -> Any:
        return values

    function.__signature__ = inspect.Signature([inspect.Parameter(name, _KEYWORD) for name in names])  # type: ignore[attr-defined]  # as inspect.signature reads it
    return function


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[str]]:
    """Nodes with what each takes (earlier nodes and inputs of the flow), and an order to define them in."""
    count = draw(st.integers(1, 8))
    inputs = ["path", "limit"]
    takes = {
        f"n{number}": draw(st.lists(st.sampled_from([*inputs, *(f"n{each}" for each in range(number))]), unique=True))
        for number in range(count)
    }
    return takes, draw(st.permutations(list(takes)))


def build(takes: dict[str, list[str]], order: list[str]) -> Builder:
    flow = Builder("any")
    for name in order:
        flow.node(taking(takes[name]), id=name)
    return flow


@given(graphs())
def test_a_flow_means_the_same_in_whatever_order_it_is_written(case: tuple[dict[str, list[str]], list[str]]) -> None:
    takes, order = case
    flow = build(takes, order)
    workflow = flow.build()
    assert {(edge.source, edge.target, edge.target_port) for edge in workflow.edges} == {
        (taken, name, taken) for name, names in takes.items() for taken in names if taken in takes
    }
    assert {each.name for each in workflow.variables} == {
        taken for names in takes.values() for taken in names if taken not in takes
    }
    assert flow.validate() == []


@given(graphs(), st.data())
def test_one_edge_back_is_a_cycle_and_nothing_else(
    case: tuple[dict[str, list[str]], list[str]], data: st.DataObject
) -> None:
    takes, order = case
    flow = build(takes, order)
    forward = [(edge.source, edge.target) for edge in flow.build().edges]
    if not forward:
        return
    source, target = data.draw(st.sampled_from(forward))
    flow.edge(target, source, target_port="after")
    (problem,) = flow.validate()
    assert problem.code == "cycle"
    assert source in problem.message
    assert target in problem.message
