from __future__ import annotations

from typing import Any

import pytest

from flownb.graph.dialects import read
from flownb.model.ports import ConnectionType
from flownb.model.workflow import Edge, Workflow
from tests.unit.graph.dialects.samples import N8N, S0, S1, S2, S3, S4


def taken(document: Any, **options: Any) -> Workflow:
    workflow, problems = read(document, **options)
    assert workflow is not None, problems
    return workflow


def wired(edges: Any = None, *, names: str = "abc", **fields: Any) -> Any:
    document = {"nodes": [{"id": name, "type": "python"} for name in names], **fields}
    return document if edges is None else {**document, "edges": edges}


def told(document: Any, **options: Any) -> list[tuple[str | None, str]]:
    return [(each.place, each.code) for each in read(document, **options)[1]]


def test_inputs_that_name_their_source_are_edges() -> None:
    assert taken(S0).edges == (
        Edge(source="hook", target="check"),
        Edge(source="check", source_port="true", target="click", target_port="coordinates"),
        Edge(source="hook", target="wait", target_port="delay_seconds"),
    )


def test_edges_in_three_spellings() -> None:
    assert taken(S1).edges == (
        Edge(source="node_1", target="node_2"),
        Edge(source="node_2", target="node_3"),
        Edge(source="node_3", source_port="approved", target="node_4"),
    )
    assert taken(S2).edges[:2] == (
        Edge(source="start", target="ask", target_port="text", condition="start.ok"),
        Edge(source="ask", source_port="answer", target="check"),
    )
    assert taken(S3).edges == (Edge(source="a", target="b"),)


def test_paths_of_a_condition_mark_the_edge_that_is_there_and_add_the_gate_that_is_not() -> None:
    workflow = taken(S2)
    assert workflow.edges[2:] == (
        Edge(source="check", source_port="true", target="done"),
        Edge(source="check", source_port="false", target="other", target_port="after"),
    )
    assert workflow.nodes[2].config == {"condition": "answer == 'yes'"}


def test_what_inputs_and_edges_both_say_is_one_edge() -> None:
    document = wired([{"source": "a", "target": "b", "targetHandle": "x"}])
    document["nodes"][1]["inputs"] = [{"name": "x", "source_node_id": "a"}, {"name": "y", "type": "number"}, "z"]
    assert taken(document).edges == (Edge(source="a", target="b", target_port="x"),)


def test_a_map_of_what_comes_in_by_type() -> None:
    agent = "customer_analysis_agent"
    tool, memory = ConnectionType.AI_TOOL, ConnectionType.AI_MEMORY
    assert taken(S4).edges == (
        Edge(source="customer_database_tool", target=agent, target_port="ai_tool", type=tool),
        Edge(source="customer_interaction_history", target=agent, target_port="ai_memory", type=memory),
        Edge(source="ingest", target=agent),
        Edge(source=agent, target="hil"),
    )


def test_a_map_of_what_goes_out_by_output() -> None:
    rows, model = "n_3f1d", ConnectionType.AI_LANGUAGE_MODEL
    assert taken(N8N).edges == (
        Edge(source=rows, target="b1"),
        Edge(source=rows, source_port="error", target="d1"),
        Edge(source="b1", source_port="true", target="c1"),
        Edge(source="b1", source_port="false", target="d1"),
        Edge(source="e1", target="c1", target_port="ai_language_model", type=model),
    )
    assert ("connections['Gone']", "unknown_node") in told(N8N)


def test_an_output_without_a_name_is_guessed_and_told() -> None:
    document = wired(connections={"a": {"main": [[], [], [{"node": "b"}]]}})
    assert taken(document).edges == (Edge(source="a", source_port="output_2", target="b"),)
    assert told(document) == [("connections['a'].main[2][0]", "guessed")]


def test_the_caller_may_say_which_end_a_map_is_keyed_by() -> None:
    document = wired(connections={"a": {"main": {"connections": [{"node": "b"}]}}})
    assert taken(document).edges == (Edge(source="b", target="a"),)
    assert taken(document, keyed="target").edges == (Edge(source="b", target="a"),)
    assert taken(document, keyed="source").edges == (Edge(source="a", target="b"),)
    lists = wired(connections={"a": {"main": [[{"node": "b"}]]}})
    assert taken(lists).edges == (Edge(source="a", target="b"),)
    assert taken(lists, keyed="target").edges == (Edge(source="b", target="a"),)


@pytest.mark.parametrize("kind", ConnectionType)
def test_each_type_of_connection_in_each_of_its_spellings(kind: ConnectionType) -> None:
    first, *rest = kind.value.removeprefix("ai_").split("_")
    camel = ("ai_" if kind.value.startswith("ai_") else "") + first + "".join(map(str.title, rest))
    port = "main" if kind is ConnectionType.MAIN else kind.value
    for word in (kind.value, kind.name, camel):
        edge = Edge(source="a", target="b", target_port=port, type=kind)
        assert taken(wired([{"source": "a", "target": "b", "type": word}])).edges == (edge,)
        assert taken(wired(connections={"b": {word: [{"node": "a"}]}})).edges == (edge,)


def test_an_unknown_type_of_connection_is_told_and_a_way_of_drawing_is_not() -> None:
    drawn = [{"source": "a", "target": "b", "type": "smoothstep"}]
    assert told(wired(drawn)) == []
    assert told(wired([{**drawn[0], "type": "ai_crystal_ball"}])) == [("edges[0].type", "unknown_value")]
    assert told(wired(connections={"a": {"ai_crystal_ball": []}})) == [
        ("connections['a'].ai_crystal_ball", "unknown_value")
    ]


@pytest.mark.parametrize(
    ("connections", "place", "code"),
    [
        (3, "connections", "wrong_type"),
        ({"nobody": {}}, "connections['nobody']", "unknown_node"),
        ({"a": 3}, "connections['a']", "wrong_type"),
        ({"a": {"main": 3}}, "connections['a'].main", "wrong_type"),
        ({"a": {"main": {"connections": 3}}}, "connections['a'].main.connections", "wrong_type"),
        ({"a": {"main": [{"node": "nobody"}]}}, "connections['a'].main[0]", "unknown_node"),
        ({"a": {"main": [None]}}, "connections['a'].main[0]", "unknown_node"),
        ({"connections": {"a": {"main": [{"node": []}]}}}, "connections.connections['a'].main[0]", "unknown_node"),
    ],
)
def test_a_part_of_a_map_that_makes_no_sense_is_left_out_and_told(connections: Any, place: str, code: str) -> None:
    document = wired(connections=connections)
    assert told(document) == [(place, code)]
    assert taken(document).edges == ()


def test_an_edge_to_a_node_that_is_not_there_stays_for_validation() -> None:
    assert taken(wired([{"source": "a", "target": "nobody"}])).edges == (Edge(source="a", target="nobody"),)


def test_a_condition_in_the_data_of_an_edge_counts() -> None:
    document = wired([{"source": "a-1", "target": "b", "data": {"condition": "a-1.ok"}}], names="b")
    document["nodes"].append({"id": "a-1", "type": "python"})
    assert taken(document).edges == (Edge(source="a_1", target="b", condition="a_1.ok"),)
    assert told(wired([{"source": "a", "target": "b", "data": {"weight": 3}}])) == [("edges[0].data", "unknown_field")]
