from __future__ import annotations

import pytest

from flownb.model.ports import AFTER, ERROR, ConnectionType, DataType, InputPort, NodePorts, OutputPort
from flownb.model.workflow import Edge, Node, Variable, Workflow


def test_there_are_thirteen_types_of_connection() -> None:
    assert [each.value for each in ConnectionType] == [
        *("main", "ai_agent", "ai_chain", "ai_document", "ai_embedding", "ai_language_model", "ai_memory"),
        *("ai_output_parser", "ai_retriever", "ai_reranker", "ai_text_splitter", "ai_tool", "ai_vector_store"),
    ]


def test_the_seeds_types_of_data_are_there() -> None:
    seeds = "string number boolean object array file image coordinates screenshot ocr_result"
    assert {each.value for each in DataType} == {*seeds.split(), "any", "dataframe"}


@pytest.mark.parametrize("kind", DataType)
def test_a_port_takes_its_own_type_and_anything_goes_with_any(kind: DataType) -> None:
    assert kind.accepts(kind)
    assert kind.accepts(DataType.ANY)
    assert DataType.ANY.accepts(kind)


def test_a_wider_port_takes_a_narrower_value_and_not_the_other_way_round() -> None:
    assert DataType.IMAGE.accepts(DataType.SCREENSHOT)
    assert not DataType.SCREENSHOT.accepts(DataType.IMAGE)
    assert not DataType.NUMBER.accepts(DataType.STRING)
    assert not DataType.DATAFRAME.accepts(DataType.ARRAY)


def test_ports_are_found_by_name_and_error_is_on_every_node() -> None:
    ports = NodePorts(inputs=(InputPort("x"),), outputs=(OutputPort("true"), OutputPort("false")))
    assert ports.input("x") == InputPort("x")
    assert ports.input("y") is None
    assert ports.output("true") == OutputPort("true")
    assert ports.output("main") is None
    error = ports.output(ERROR)
    assert error is not None
    assert error.name == ERROR


@pytest.mark.parametrize(
    ("edge", "data", "gate", "name"),
    [
        (Edge(source="a", target="b"), True, False, "a.main->b.main"),
        (Edge(source="a", target="b", source_port="yes", target_port="x"), True, False, "a.yes->b.x"),
        (Edge(source="a", target="b", target_port=AFTER), False, False, "a.main->b.after"),
        (Edge(source="a", target="b", target_port=AFTER, source_port="yes"), False, True, "a.yes->b.after"),
        (Edge(source="a", target="b", target_port=AFTER, condition="a > 3"), False, True, "a.main->b.after"),
    ],
)
def test_an_edge_is_data_a_gate_or_an_order(edge: Edge, data: bool, gate: bool, name: str) -> None:
    assert (edge.is_data, edge.is_gate, edge.id) == (data, gate, name)


def test_a_node_is_found_by_its_id_and_read_by_its_name() -> None:
    workflow = Workflow(nodes=(Node(id="a", type="x"), Node(id="b", type="x", name="Bee")))
    found = workflow.node("b")
    assert found is not None
    assert found.title == "Bee"
    assert workflow.nodes[0].title == "a"
    assert workflow.node("c") is None


def test_a_variable_without_a_default_is_required_and_null_is_a_default() -> None:
    assert Variable(name="a").required
    assert not Variable(name="a", default=None).required
