from __future__ import annotations

from flownb.graph.mermaid import mermaid
from flownb.model.workflow import Edge, Node, Workflow
from tests.unit.graph.sketch import flow, invoices


def test_nodes_edges_choices_and_orders_are_written() -> None:
    workflow = flow("load -> total\ntotal -> notify.after\nbig.true -> ok.after")
    assert mermaid(workflow).splitlines() == [
        "flowchart LR",
        '    n0["load"]',
        '    n1["total"]',
        '    n2["notify"]',
        '    n3["big"]',
        '    n4["ok"]',
        "    n0 --> n1",
        "    n1 -.-> n2",
        '    n3 -->|"true"| n4',
    ]


def test_a_loop_is_a_subgraph_with_its_body() -> None:
    text = mermaid(invoices())
    start = text.index("subgraph")
    body = text[start : text.index("    end", start)]
    assert '"clean"' in body
    assert '"enrich"' in body
    assert '"load"' not in body


def test_types_give_shapes() -> None:
    nodes = tuple(Node(id=each, type=each) for each in ("control.condition", "human.approval", "sql.query"))
    lines = mermaid(Workflow(nodes=nodes)).splitlines()
    assert lines[1:] == ['    n0{"control.condition"}', '    n1[/"human.approval"/]', '    n2[("sql.query")]']


def test_no_name_can_mean_anything_to_mermaid_or_html() -> None:
    nodes = (
        Node(id="end", type="python", name='"] --> x; click n0 "javascript:1" <img onerror=1> #quot; %%{init}%%\nend'),
    )
    line = mermaid(Workflow(nodes=nodes)).splitlines()[1]
    inner = line.removeprefix('    n0["').removesuffix('"]')
    assert not set('"<>[]{}%\n') & set(inner)
    assert "#quot;" not in inner


def test_names_in_any_script_stay_readable() -> None:
    assert "Geräte 数据" in mermaid(Workflow(nodes=(Node(id="a", type="python", name="Geräte 数据"),)))


def test_a_condition_is_the_label_of_its_edge() -> None:
    nodes = (Node(id="a", type="python"), Node(id="b", type="python"))
    edges = (Edge(source="a", target="b", target_port="after", condition="a.x > 1"),)
    assert '-->|"a.x #62; 1"| n1' in mermaid(Workflow(nodes=nodes, edges=edges))


def test_a_workflow_without_nodes_is_still_a_chart() -> None:
    assert mermaid(Workflow()) == 'flowchart LR\n    empty["No nodes yet"]\n'
