from __future__ import annotations

from flownb.model.ports import InputPort, NodePorts
from flownb.model.topology import DATA, GATE, ORDER, Topology
from flownb.model.workflow import Edge, JoinCount, Node, Workflow


def compiled(
    edges: list[Edge], ports: dict[str, NodePorts] | None = None, nodes: str = "abcd", **of_d: object
) -> Topology:
    made = [Node(id=name, type="python", **(of_d if name == "d" else {})) for name in nodes]  # type: ignore[arg-type]
    return Topology(Workflow(nodes=tuple(made), edges=tuple(edges)), ports or {})


def test_nodes_are_numbered_in_the_order_of_the_definition() -> None:
    topology = compiled([], nodes="dba")
    assert topology.paths == ["d", "b", "a"]
    assert topology.index == {"d": 0, "b": 1, "a": 2}
    assert len(topology) == 3


def test_an_edge_is_data_a_gate_or_an_order() -> None:
    topology = compiled(
        [
            Edge(source="a", target="b", target_port="x"),
            Edge(source="a", target="b", target_port="after"),
            Edge(source="a", source_port="true", target="b", target_port="after"),
            Edge(source="a", source_port="true", target="b", target_port="y"),
            Edge(source="a", target="c", target_port="after", condition="a > 3"),
            Edge(source="a", source_port="main", target="d", target_port="after"),
        ]
    )
    found = [(wire.group, wire.port, wire.parameter) for wire in topology.leaving[0]]
    assert found == [
        (DATA, None, "x"),
        (ORDER, None, ""),
        (GATE, "true", ""),
        (DATA, "true", "y"),
        (GATE, None, ""),
        (GATE, None, ""),
    ]
    assert topology.need == [0, 4, 1, 1]
    assert topology.succ[0] == [1, 1, 1, 1, 2, 3]
    assert topology.edge_count == 6


def test_equal_edges_are_one_and_edges_to_nowhere_are_none() -> None:
    edge = Edge(source="a", target="b", target_port="x")
    topology = compiled([edge, edge, Edge(source="a", target="nobody"), Edge(source="nobody", target="b")])
    assert topology.need == [0, 1, 0, 0]
    assert topology.edge_count == 1


def test_edges_that_may_die_or_lead_to_an_early_join_are_settled_one_by_one() -> None:
    topology = compiled(
        [
            Edge(source="a", target="b", target_port="x"),
            Edge(source="b", source_port="true", target="c", target_port="x"),
            Edge(source="a", target="d", target_port="after"),
            Edge(source="c", target="d", target_port="after"),
        ],
        join="any",
    )
    assert set(topology.wires) == {0, 1, 2}
    plain = compiled([Edge(source="a", target="b", target_port="x"), Edge(source="b", target="d", target_port="after")])
    assert plain.wires == {}


def test_a_parameter_is_many_and_required_as_its_port_says() -> None:
    ports = {"d": NodePorts(inputs=(InputPort("x", required=False), InputPort("all", many=True)))}
    topology = compiled(
        [
            Edge(source="a", target="d", target_port="x"),
            Edge(source="a", target="d", target_port="all"),
            Edge(source="b", target="d", target_port="all"),
            Edge(source="b", target="d", target_port="unheard"),
            Edge(source="c", target="d", target_port="after"),
        ],
        ports,
    )
    found = [(each.name, each.many, each.required, len(each.wires)) for each in topology.arguments[3]]
    assert found == [("x", False, False, 1), ("all", True, True, 2), ("unheard", False, True, 1)]


def test_a_join_counts_gates_and_orders_and_not_data() -> None:
    edges = [
        Edge(source="a", target="d", target_port="x"),
        Edge(source="b", target="d", target_port="after"),
        Edge(source="c", source_port="true", target="d", target_port="after"),
    ]
    rule = compiled(edges, join=JoinCount(2)).joins[3]
    assert (rule.count, rule.data_edges, rule.control_edges) == (2, 1, 2)
    assert compiled(edges, join="any").joins[3].count == 1
    assert compiled(edges).joins == {}
    assert compiled(edges[:1], join="any").joins == {}


def test_wiring_the_error_port_is_noted() -> None:
    assert compiled([Edge(source="a", source_port="error", target="b", target_port="x")]).has_error_port == {0}


def test_the_outputs_are_the_output_nodes_or_else_the_sinks() -> None:
    edges = [
        Edge(source="a", target="b", target_port="x"),
        Edge(source="b", source_port="error", target="c", target_port="x"),
    ]
    topology = compiled(edges)
    assert [topology.paths[number] for number in topology.sinks()] == ["b", "c", "d"]
    workflow = Workflow(
        nodes=(Node(id="a", type="control.output"), Node(id="b", type="python")),
        edges=(Edge(source="a", target="b", target_port="x"),),
    )
    assert Topology(workflow, {}).sinks() == [0]
