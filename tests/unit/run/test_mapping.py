"""Input and output mappings, and fields of a config that an input overrides: the same for every type."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from flownb import Flow, InvalidWorkflow, RunFailed, UsageError, Workflow
from flownb.model import events as ev
from flownb.store.memory import MemoryStore

SECONDS = 20.0


def go(flow: Flow, **inputs: Any) -> Any:
    run = flow.run(store=MemoryStore(), display=False, **inputs)
    run.result(SECONDS)
    return run


def loading(**options: Any) -> Flow:
    flow = Flow("mapped")
    flow.variable("rate", type="number", default=2)

    @flow.node(**options)
    def load() -> dict[str, Any]:
        return {"rows": [1, 2, 3], "frame": pd.DataFrame({"a": [1, 2]})}

    return flow


@pytest.mark.parametrize("where", ["thread", "process"])
def test_the_parameters_of_a_function_are_made_by_expressions(where: str) -> None:
    flow = loading()

    @flow.node(
        input_mapping={"rows": "load.rows", "factor": "rate * 10", "word": "{{ rate }} times", "n": 7}, where=where
    )
    def work(rows: list[int], factor: int, word: str, n: int) -> list[Any]:
        return [sum(rows) * factor, word, n]

    assert go(flow).outputs == {"work": [120, "2 times", 7]}
    assert [each.name for each in flow.build().variables] == ["rate"]
    assert [edge.id for edge in flow.definition().workflow.edges] == ["load.main->work.load"]


def test_an_async_function_is_mapped_as_well_and_sees_no_other_names() -> None:
    flow = loading()

    @flow.node(input_mapping={"load": "load.rows"})
    async def work(load: list[int], **others: Any) -> Any:
        return load, sorted(others)

    assert go(flow).outputs["work"] == ([1, 2, 3], [])


def test_ports_and_fields_of_any_type_are_mapped() -> None:
    flow = loading()
    flow.add("control.limit", "first", input_mapping={"main": "load.rows", "count": "rate"})
    assert go(flow).outputs == {"first": [1, 2]}
    assert go(flow, rate=1).outputs == {"first": [1]}


def test_inside_a_loop_the_item_is_at_hand() -> None:
    flow = loading()
    with flow.loop("each", over="load.rows"):

        @flow.node(input_mapping={"x": "item * 10 + index"})
        def work(x: int) -> int:
            return x

    assert go(flow).outputs == {"each": [10, 21, 32]}


def test_the_output_becomes_variables_with_its_commit() -> None:
    flow = loading(output_mapping={"count": "len(output.rows)", "first": "{{ load.rows.0 }}", "kind": "'a'"})
    flow.add("control.transform", "read", fields={"x": "variables.count + variables.first"}, after="load")
    run = go(flow)
    assert run.outputs == {"read": {"x": 4}}
    assert run.state.variables == {"count": 3, "first": 1, "kind": "a"}
    kinds = [type(record.event) for record in run.events()]
    assert kinds.index(ev.VariableSet) < kinds.index(ev.NodeCompleted)


def test_an_output_that_can_not_be_mapped_fails_its_node() -> None:
    flow = loading(output_mapping={"count": "output.rowz"})
    with pytest.raises(RunFailed, match=r"load: output_mapping.count: .*rowz.*rows"):
        go(flow)
    flow = Flow("typed")
    flow.variable("count", type="number", default=0)
    flow.node(lambda: "many", id="load", output_mapping={"count": "output"})
    with pytest.raises(RunFailed, match="'count' is 'many'; it must be a number"):
        go(flow)


def test_an_input_that_can_not_be_made_fails_its_node_and_names_the_place() -> None:
    flow = loading()

    @flow.node(input_mapping={"x": "load.nothing"}, on_error="continue")
    def work(x: Any) -> Any:
        return x

    with pytest.raises(RunFailed, match=r"work: input_mapping.x: .*nothing"):
        go(flow)


def test_what_is_wrong_with_a_mapping_is_found_before_the_run() -> None:
    flow = loading(output_mapping={"a": "lod.rows", "b b": "1", "c": "1 +"})
    flow.node(lambda x: x, id="work", input_mapping={"x": "laod.rows", "y": "1"})
    flow.add("control.limit", "first", count=1, input_mapping={"main": "load.rows", "cuont": 3})
    with pytest.raises(InvalidWorkflow) as caught:
        go(flow)
    text = str(caught.value)
    for part in (
        "names 'laod', which is no node and no input",
        "work has no input 'y' to map to",
        "first has no input 'cuont' to map to. Did you mean 'count'?",
        "The output mapping of load names 'lod'",
        "can't set the variable 'b b'",
    ):
        assert part in text
    with pytest.raises(UsageError, match="input_mapping takes a dict of expressions by name"):
        flow.node(lambda: 1, id="bad", input_mapping=["x"])  # type: ignore[call-overload]


def test_mappings_are_part_of_the_document_and_of_what_a_node_does() -> None:
    flow = loading()
    flow.node(lambda x: x, id="work", input_mapping={"x": "load.rows"}, output_mapping={"n": "output"})
    workflow = flow.build()
    again = Workflow.from_json(workflow.to_json())
    assert again == workflow
    from flownb.model.fingerprint import node_key

    other = Flow("mapped")
    other.node(lambda x: x, id="work", input_mapping={"x": "load.rows.0"})
    one, two = workflow.node("work"), other.build().node("work")
    assert one is not None
    assert two is not None
    assert node_key(one) != node_key(two)


@pytest.mark.parametrize(
    ("type_", "config", "field", "value", "expected"),
    [
        ("control.limit", {"count": 1}, "count", 2, [3, 1]),
        ("control.sort", {"by": [{"field": "", "descending": False}]}, "items", [2, 1], None),
        ("control.merge", {"mode": "append"}, "mode", "first", None),
        ("control.delay", {"seconds": 3600}, "seconds", 0, None),
        ("control.set_variable", {"name": "x", "value": 1}, "value", 5, None),
        ("control.limit", {}, "count", 2, [3, 1]),
    ],
)
def test_an_input_of_its_name_takes_a_field_s_place(
    type_: str, config: dict[str, Any], field: str, value: Any, expected: Any
) -> None:
    flow = Flow("fields")
    flow.node(lambda: [3, 1, 2], id="load")
    flow.node(lambda: value, id="given")
    flow.add(type_, "work", **config)
    flow.edge("load", "work", target_port="main")
    flow.edge("given", "work", target_port=field)
    problems = [each for each in flow.validate() if each.node == "work" and each.code == "wrong_port"]
    assert problems == []
    if expected is not None:
        assert go(flow).outputs == {"work": expected}
