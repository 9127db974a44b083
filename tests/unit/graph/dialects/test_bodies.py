"""Loops and parallels as the seeds draw them: behind their ports, with ways back and joins."""

from __future__ import annotations

from typing import Any

import pytest

from flownb import Flow
from flownb.graph.dialects import read
from flownb.graph.validate import validate
from flownb.model.problem import Severity
from flownb.model.workflow import Edge, Workflow
from flownb.run.definition import Definition
from flownb.run.request import Request
from flownb.run.start import start
from flownb.store.place import open_store


def taken(types: dict[str, Any], edges: list[tuple[str, str]]) -> tuple[Workflow, list[str]]:
    """A document with these nodes (a type, or a whole node) and edges, `a.port` to `b` or `b.port`."""
    nodes = [{"id": name, **(each if isinstance(each, dict) else {"type": each})} for name, each in types.items()]
    made = []
    for source, target in edges:
        (one, _, handle), (other, _, port) = source.partition("."), target.partition(".")
        made.append({"source": one, "target": other, "sourceHandle": handle or None, "targetHandle": port or None})
    workflow, problems = read({"nodes": nodes, "edges": made})
    assert workflow is not None, problems
    errors = [str(each) for each in validate(workflow) if each.severity is Severity.ERROR]
    assert errors == []
    return workflow, [each.message for each in problems if each.code != "renamed"]


def parents(workflow: Workflow) -> dict[str, str | None]:
    return {node.id: node.parent for node in workflow.nodes}


def outputs(workflow: Workflow) -> dict[str, Any]:
    run = start(Request(definition=Definition(workflow), store=open_store("memory:")))
    return run.result(5)


def fields(**values: str) -> dict[str, Any]:
    return {"type": "transform", "config": {"fields": values}}


LOOP = {"type": "loop", "config": {"loop_type": "for_each", "array_source": "[1, 2, 3]"}}


def test_what_lies_behind_body_is_inside_and_what_lies_behind_done_is_not() -> None:
    workflow, told = taken(
        {"each": LOOP, "twice": fields(n="{{ main * 2 }}"), "more": fields(n="{{ main.n + 1 }}"), "end": "end"},
        [("each.body", "twice"), ("twice", "more"), ("more", "each"), ("each.done", "end")],
    )
    assert parents(workflow) == {"each": None, "twice": "each", "more": "each", "end": None}
    assert workflow.edges == (
        Edge(source="each", source_port="item", target="twice"),
        Edge(source="twice", target="more"),
        Edge(source="each", target="end"),
    )
    assert told == []
    assert outputs(workflow) == {"end": [{"n": 3}, {"n": 5}, {"n": 7}]}


def test_an_edge_that_leaves_a_body_leaves_the_loop() -> None:
    workflow, told = taken(
        {"each": LOOP, "twice": fields(n="{{ main * 2 }}"), "end": "end"}, [("each.body", "twice"), ("twice", "end")]
    )
    assert Edge(source="each", target="end") in workflow.edges
    assert told == ["twice is inside each here, so the edge to end leaves from each."]
    assert outputs(workflow) == {"end": [{"n": 2}, {"n": 4}, {"n": 6}]}


def test_loops_lie_in_loops() -> None:
    inner = {"type": "loop", "config": {"loop_type": "count", "count": 2}}
    workflow, _ = taken(
        {"outer": LOOP, "inner": inner, "low": fields(n="{{ item }}"), "end": "end"},
        [
            ("outer.body", "inner.main"),
            ("inner.body", "low"),
            ("low", "inner"),
            ("inner.done", "outer"),
            ("outer.done", "end"),
        ],
    )
    assert parents(workflow) == {"outer": None, "inner": "outer", "low": "inner", "end": None}
    assert outputs(workflow) == {"end": [[{"n": 0}, {"n": 1}]] * 3}


BRANCHES = {
    "branches": [
        {"name": "north", "target_node_id": "a", "input_data": {"price": 4}},
        {"name": "south", "target_node_id": "b", "input_data": {"price": 3}},
    ],
    "wait_for": "count",
    "required_count": 2,
}


def test_branches_that_name_their_first_nodes_are_branches_here() -> None:
    workflow, told = taken(
        {
            "split": {"type": "PARALLEL", "config": BRANCHES},
            "a": fields(n="{{ item.price }}"),
            "b": fields(n="{{ item.price }}"),
            "after_b": fields(n="{{ main.n * 10 }}"),
            "join": "MERGE",
            "end": "END",
        },
        [("split", "a"), ("b", "after_b"), ("a", "join"), ("after_b", "join"), ("join", "end")],
    )
    assert parents(workflow) == {
        "split": None, "a": "split", "b": "split", "after_b": "split", "join": None, "end": None
    }  # fmt: skip
    assert {edge.id for edge in workflow.edges} == {
        "split.north->a.main", "split.south->b.after", "b.main->after_b.main",
        "split.north->join.main", "split.south->join.main", "join.main->end.main",
    }  # fmt: skip
    assert len(told) == 2
    assert outputs(workflow) == {"end": [{"n": 4}, {"n": 30}]}


def test_a_split_without_branches_has_one_for_each_edge() -> None:
    workflow, _ = taken(
        {"split": "Split", "one": fields(n="1"), "two": fields(n="2"), "join": "Join", "end": "End"},
        [("split", "one"), ("split", "two"), ("one", "join"), ("two", "join"), ("join", "end")],
    )
    assert [node.config for node in workflow.nodes if node.id == "split"] == [
        {"branches": [{"name": "one"}, {"name": "two"}]}
    ]
    assert parents(workflow) == {"split": None, "one": "split", "two": "split", "join": None, "end": None}


def test_a_branch_whose_target_is_missing_is_told_with_its_place() -> None:
    config = {"branches": [{"name": "north", "target_node_id": "nobody"}, {"name": "south", "target_node_id": "b"}]}
    document = {"nodes": [{"id": "p", "type": "parallel", "config": config}, {"id": "b", "type": "start"}], "edges": []}
    workflow, problems = read(document)
    assert workflow is not None
    assert [(each.place, each.code) for each in problems] == [("nodes[0].config.branches[0]", "unknown_node")]
    assert problems[0].message == "The branch 'north' of p leads to 'nobody', and there is no such node."
    assert [each.code for each in validate(workflow)][:1] == ["empty_branch"]


@pytest.mark.parametrize(
    "config",
    [{"branches": 3}, {"branches": [None, 3, {"name": 3}, {"target_node_id": []}]}, {"branches": {"a": "b"}}, {}],
)
def test_whatever_branches_are_there_is_no_crash(config: Any) -> None:
    document = {
        "nodes": [
            {"id": "p", "type": "parallel", "config": config},
            {"id": "l", "type": "loop"},
            {"id": "b", "type": "x"},
        ],
        "edges": [
            {"source": "p", "target": "b"},
            {"source": "l", "target": "l", "source_port": "body"},
            3,
            {"source": []},
        ],
    }
    read(document)


def test_our_own_form_is_left_as_it_is() -> None:
    flow = Flow("own")
    ways = flow.parallel("ways", ["a"])
    with ways.a:
        flow.delay("one", 1, inputs={"main": ways.a})
    workflow = flow.build()
    again, problems = read({**_plain(workflow)})
    assert problems == []
    assert again is not None
    assert (parents(again), again.edges) == (parents(workflow), workflow.edges)


def _plain(workflow: Workflow) -> dict[str, Any]:
    import json

    from flownb.model.document import to_json

    document = json.loads(to_json(workflow))
    del document["format"]  # so that it is read as the form of somebody else
    return {key: document[key] for key in ("name", "nodes", "edges")}
