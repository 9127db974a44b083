from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.graph.drawing.state import CardState, PictureState
from flownb.graph.outline import outline
from flownb.model.status import NodeStatus
from tests.unit.graph.sketch import flow, invoices, invoices_state

if TYPE_CHECKING:
    from flownb.model.workflow import Workflow


def lines(workflow: Workflow, state: PictureState | None = None) -> list[str]:
    return outline(workflow, state).splitlines()


def test_the_first_line_begins_with_the_runs_status() -> None:
    assert lines(invoices(), invoices_state())[0] == "run running  invoices  5/8 nodes  18 s"


def test_every_node_stands_after_what_it_reads() -> None:
    names = [line.split()[1] for line in lines(invoices(), invoices_state())[1:]]
    assert sorted(names) == sorted(node.id for node in invoices().nodes)
    for edge in invoices().edges:
        assert names.index(edge.source) < names.index(edge.target)


def test_a_line_tells_status_reason_duration_and_sources() -> None:
    found = {line.split()[1]: line for line in lines(invoices(), invoices_state())[1:]}
    assert found["notify"].split("  ", 2)[2].strip().startswith("failed: SMTP 421, 3 attempts, 9.1 s")
    assert "skipped: big is true" in found["archive"]
    assert "waiting for you" in found["ok"]
    assert "completed, cached, 0.02 s" in found["load"]
    assert found["post"].endswith("← big.false, ok.approved, total, each")


def test_a_text_that_names_another_status_does_not_hide_the_nodes_own() -> None:
    state = PictureState(nodes={"a": CardState(status=NodeStatus.COMPLETED, text="Failed rows: 0")})
    assert "completed: Failed rows: 0" in outline(flow("a -> b"), state)


def test_the_body_of_a_loop_is_indented_below_it() -> None:
    found = lines(invoices())
    place = next(number for number, line in enumerate(found) if line.startswith("  · each"))
    assert [line[4:].split("  python")[0] for line in found[place : place + 3]] == [
        "each    ",
        "  clean ",
        "  enrich",
    ]


def test_a_definition_shows_types() -> None:
    assert lines(flow("a -> b")) == ["workflow sketch  2 nodes", "  · a  python", "  · b  python  ← a"]


def test_names_in_wide_scripts_keep_the_columns() -> None:
    found = lines(flow("数据 -> b"))
    assert found[1] == "  · 数据  python"
    assert found[2] == "  · b     python  ← 数据"


def test_many_sources_are_counted() -> None:
    text = outline(flow("\n".join(f"s{number} -> join" for number in range(9))), None)
    assert text.rstrip().endswith("← s0, s1, s2, s3 and 5 more")


def test_a_cycle_is_listed_all_the_same() -> None:
    assert len(lines(flow("a -> b\nb -> a.again"))) == 3


def test_an_unfinished_line_break_in_a_name_makes_no_line() -> None:
    state = PictureState(nodes={"a": CardState(status=NodeStatus.FAILED, text="one\ntwo\r\nthree")})
    assert len(lines(flow("a -> b"), state)) == 3
