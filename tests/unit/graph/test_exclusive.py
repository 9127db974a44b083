from __future__ import annotations

from typing import Any

import pytest

from flownb import Flow


def warnings(flow: Flow) -> list[str]:
    return [each.message for each in flow.validate() if each.code == "unreachable"]


def two_ways(**options: Any) -> Flow:
    flow = Flow("ways")
    flow.variable("n")
    big = flow.condition("big", "n > 3")
    flow.node(lambda: 1, id="a", after=big.true)
    flow.node(lambda: 2, id="b", after=big.false)
    return flow


def test_a_node_that_needs_both_answers_can_never_run() -> None:
    flow = two_ways()
    flow.node(lambda a, b: a, id="both")
    (told,) = warnings(flow)
    assert told.startswith(
        "both can never run: it needs what comes by big.true and what comes by big.false, and only one"
    )


def test_what_lies_between_makes_no_difference_and_it_is_told_once() -> None:
    flow = two_ways()
    flow.node(lambda a: a, id="more")
    flow.node(lambda more, b: b, id="both")
    flow.node(lambda both: both, id="behind")
    assert len(warnings(flow)) == 1


def test_a_gate_beside_data_counts_and_so_do_the_cases_of_a_switch() -> None:
    flow = Flow("switch")
    flow.variable("n")
    size = flow.switch("size", {"small": "n < 3", "large": "n > 9"})
    flow.node(lambda: 1, id="a", after=[size.small, size.default])
    flow.node(lambda a: a, id="never", after=size.large)
    flow.node(lambda a: a, id="sometimes", after=[size.large, size.small])
    (told,) = warnings(flow)
    assert told.startswith("never can never run: it needs what comes by size.default or size.small and what comes by")


def test_a_switch_that_fires_all_cases_contradicts_nothing() -> None:
    flow = Flow("switch")
    flow.variable("n")
    size = flow.switch("size", {"small": "n < 3", "large": "n > 1"}, mode="all")
    flow.node(lambda: 1, id="a", after=size.small)
    flow.node(lambda a: a, id="both", after=size.large)
    assert warnings(flow) == []


@pytest.mark.parametrize("kind", ["merge", "default", "gates", "any", "count"])
def test_what_can_be_satisfied_is_not_told(kind: str) -> None:
    flow = two_ways()
    if kind == "merge":
        flow.merge("both", "a", "b")
    elif kind == "default":
        flow.node(lambda a=0, b=0: a, id="both")
    elif kind == "gates":
        flow.node(lambda: 1, id="both", after=["a", "b"])
    else:
        flow.node(lambda: 1, id="both", after=["a", "b"], join="any" if kind == "any" else 2)
    assert warnings(flow) == []
