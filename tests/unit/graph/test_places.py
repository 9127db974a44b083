"""Whether a node can run where it says, and be held to its limits there."""

from __future__ import annotations

import pytest

from flownb import Flow, Settings
from flownb.errors import InvalidWorkflow


def problems(flow: Flow) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.place).rpartition("].")[2]) for problem in flow.validate()]


def test_async_functions_and_node_types_have_no_process_and_no_main_thread() -> None:
    flow = Flow("places")

    @flow.node(where="process")
    async def waits() -> None: ...

    flow.condition("asks", "1 > 0", after=waits, where="main")
    assert problems(flow) == [("bad_place", "where"), ("bad_place", "where")]
    with pytest.raises(InvalidWorkflow, match=r"only a plain function can, and it is async.*Write it with `def`"):
        flow.run(store="memory:", display=False)


@pytest.mark.parametrize("where", [None, "thread", "main"])
def test_memory_and_cpu_are_limited_in_a_process_only(where: str | None) -> None:
    flow = Flow("limits")
    flow.node(lambda: 1, id="a", where=where, limits={"memory_mb": 100, "cpu_seconds": 3})
    found = flow.validate()
    assert [problem.place for problem in found] == ["nodes[0].limits.memory_mb", "nodes[0].limits.cpu_seconds"]
    assert {problem.hint for problem in found} == {"Add where='process'."}


def test_a_limit_that_leaves_no_room_for_python_is_a_problem() -> None:
    flow = Flow("small")
    flow.node(lambda: 1, id="a", where="process", limits={"memory_mb": 8})
    assert problems(flow) == [("bad_policy", "limits.memory_mb")]


def test_a_process_with_limits_and_a_thread_with_resources_are_fine() -> None:
    flow = Flow("fine", settings=Settings(resources={"gpu": 2}))
    flow.node(lambda: 1, id="a", where="process", limits={"memory_mb": 200, "cpu_seconds": 1.5})
    flow.node(lambda: 1, id="b", limits={"resources": {"gpu": 2, "desktop": 1}})
    assert flow.validate() == []


def test_a_node_that_takes_more_than_there_is_could_never_start() -> None:
    flow = Flow("much", settings=Settings(resources={"gpu": 2}))
    flow.node(lambda: 1, id="a", limits={"resources": {"gpu": 3, "desktop": 2}})
    found = flow.validate()
    assert [problem.message for problem in found] == [
        "a takes 3 of the resource 'gpu', and there is 2: it can never start.",
        "a takes 2 of the resource 'desktop', and there is 1: it can never start.",
    ]
    assert "Settings(resources={'gpu': 3})" in found[0].hint


@pytest.mark.parametrize("capacity", [0, -1, True, 1.5, "2"])
def test_a_capacity_is_a_whole_number(capacity: object) -> None:
    flow = Flow("capacity", settings=Settings(resources={"gpu": capacity}))  # type: ignore[dict-item]
    assert problems(flow) == [("bad_setting", "settings.resources.gpu")]


def test_a_word_for_failures_is_one_of_two() -> None:
    flow = Flow("words", settings=Settings(failures="collect_all"))  # type: ignore[arg-type]
    assert problems(flow) == [("bad_setting", "settings.failures")]
