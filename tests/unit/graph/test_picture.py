from __future__ import annotations

import base64
import re
import subprocess
import sys
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from flownb.graph.picture import CardState, PictureState, draw
from flownb.model.status import Category, NodeStatus, RunStatus
from flownb.model.workflow import Edge, Node, Workflow
from tests.unit.graph.sketch import flow, invoices, invoices_state

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "a & b \"q\" 'x' ]]> <!-- -->",
    "שלום עולם",
    "مرحبا بالعالم",
    "🎉 party 👩‍👩‍👧",
    "line\nbreak\ttab\r\n",
    "x" * 10_240,
    "\x00\x01\x1b[31m\ud800\ufffe\u202eevil",
    "数据清理",
    "   ",
    "",
    "#{}%s{{ x }}|`$(rm)`",
]


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]


def hostile() -> tuple[Workflow, PictureState]:
    count = len(HOSTILE)
    nodes = tuple(Node(id=f"n{number}", type=name or "python", name=name) for number, name in enumerate(HOSTILE))
    edges = tuple(
        Edge(
            source=f"n{number}",
            target=f"n{number + 1}",
            source_port=HOSTILE[number] or None,
            target_port=HOSTILE[number + 1],
        )
        for number in range(count - 1)
    )
    cards = {
        f"n{number}": CardState(status=NodeStatus.FAILED, text=name, badges=(name, name), seconds=float("nan"))
        for number, name in enumerate(HOSTILE)
    }
    return Workflow(name=HOSTILE[0] * 50, nodes=nodes, edges=edges), PictureState(nodes=cards)


def test_an_empty_workflow_says_what_to_do() -> None:
    picture = draw(Workflow(name="fresh"))
    assert {"fresh", "No nodes yet"} <= set(texts(picture.svg()))
    assert "No nodes yet" in picture.text()
    assert Image.open(BytesIO(picture.png())).size == (int(picture.width) * 2, int(picture.height) * 2)


def test_the_head_says_name_status_progress_and_time() -> None:
    head = texts(draw(invoices(), invoices_state()).svg())[:6]
    assert head == ["invoices", "Running", "5/8", "nodes", "·", "18 s"]


def test_the_head_counts_what_needs_a_look() -> None:
    assert {"1 failed", "1 waiting"} <= set(texts(draw(invoices(), invoices_state()).svg()))


def test_the_title_may_be_another() -> None:
    assert texts(draw(invoices(), title="July").svg())[0] == "July"


def test_every_node_is_in_the_svg_with_its_status() -> None:
    root = ET.fromstring(draw(invoices(), invoices_state()).svg())
    found = {group.get("data-flownb-node"): group.get("data-status") for group in root.iter(f"{SVG}g")}
    found.pop(None)
    state = invoices_state()
    assert found == {node.id: state.nodes.get(node.id, CardState()).status.value for node in invoices().nodes}


def test_the_svg_refers_to_nothing_outside() -> None:
    svg = draw(invoices(), invoices_state()).svg()
    assert not re.findall(r"href|url\(|@import|<script|<style|<image", svg)
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]


def test_the_same_picture_has_the_same_bytes() -> None:
    one, other = (draw(invoices(), invoices_state()) for _ in range(2))
    assert one.svg() == other.svg()
    assert one.png() == other.png()


def test_light_and_dark_differ_in_colours_only() -> None:
    light, dark = (
        re.sub(r"#[0-9a-f]{6}", "", draw(invoices(), invoices_state(), dark=dark).svg()) for dark in (False, True)
    )
    assert light == dark


def test_hostile_names_harm_nothing() -> None:
    picture = draw(*hostile())
    root = ET.fromstring(picture.svg())
    assert {each.tag for each in root.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "desc", "g", "rect", "circle", "path", "text")
    }
    assert picture.png().startswith(b"\x89PNG")
    assert "\x1b" not in picture.text()
    assert len(picture.svg()) < 100_000


def test_a_cycle_is_drawn_and_named() -> None:
    assert "cycle" in texts(draw(flow("a -> b\nb -> c\nc -> a.again")).svg())


def test_choices_are_named_beside_their_ports() -> None:
    assert {"true", "false"} <= set(texts(draw(invoices()).svg()))


def test_a_definition_shows_types_and_no_statuses() -> None:
    found = texts(draw(flow("a -> b")).svg())
    assert found.count("python") == 2
    assert "Pending" not in found


def test_a_type_from_elsewhere_takes_the_icon_of_its_category() -> None:
    workflow = Workflow(nodes=(Node(id="a", type="acme.send"),))
    plain, known = draw(workflow).svg(), draw(workflow, categories={"a": Category.RESULT}).svg()
    assert plain != known


def test_edges_follow_from_the_statuses_where_nobody_says() -> None:
    done = PictureState(nodes={"a": CardState(status=NodeStatus.COMPLETED)})
    gone = PictureState(nodes={"a": CardState(status=NodeStatus.SKIPPED)})
    assert "a to b: live" in draw(flow("a -> b"), done).svg()
    assert "a to b: dead" in draw(flow("a -> b"), gone).svg()
    assert "a to b: open" in draw(flow("a -> b"), PictureState()).svg()


def test_an_error_port_is_live_when_its_node_failed() -> None:
    state = PictureState(nodes={"a": CardState(status=NodeStatus.FAILED)})
    assert "a to b: live" in draw(flow("a.error -> b"), state).svg()


def test_a_notebook_keeps_the_png_in_its_true_size_and_the_text() -> None:
    picture = draw(invoices(), invoices_state())
    data, metadata = picture._repr_mimebundle_()
    assert data["text/plain"].startswith("run running")
    assert base64.b64decode(data["image/png"]) == picture.png()
    assert metadata["image/png"] == {"width": int(picture.width), "height": int(picture.height)}


@pytest.mark.parametrize("scale", [0, -1, float("nan")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        draw(invoices()).png(scale)


@pytest.mark.parametrize("count", [3, 60, 200, 1000])
def test_many_nodes_are_drawn_in_every_form(count: int) -> None:
    edges = tuple(Edge(source=f"n{number // 3}", target=f"n{number}", target_port="x") for number in range(1, count))
    workflow = Workflow(nodes=tuple(Node(id=f"n{number}", type="python") for number in range(count)), edges=edges)
    state = PictureState(status=RunStatus.FAILED, nodes={"n1": CardState(status=NodeStatus.FAILED)}, total=count)
    picture = draw(workflow, state)
    ET.fromstring(picture.svg())
    size = Image.open(BytesIO(picture.png(1.0))).size
    assert size[0] * size[1] <= 16_000_000
    assert picture.text().count("\n") == count + 1


def test_five_thousand_nodes_are_drawn() -> None:
    edges = tuple(
        Edge(source=f"n{number * 9 // 10}", target=f"n{number}", target_port="x") for number in range(1, 5000)
    )
    picture = draw(Workflow(nodes=tuple(Node(id=f"n{number}", type="python") for number in range(5000)), edges=edges))
    assert Image.open(BytesIO(picture.png())).size[0] > 1000


def test_a_bar_names_only_what_failed_or_waits() -> None:
    nodes = tuple(Node(id=f"n{number}", type="python") for number in range(400))
    state = PictureState(nodes={"n7": CardState(status=NodeStatus.FAILED), "n9": CardState(status=NodeStatus.WAITING)})
    found = texts(draw(Workflow(name="many", nodes=nodes), state).svg())
    assert {each for each in found if each.startswith("n")} == {"nodes", "n7", "n9"}


def test_pillow_is_loaded_only_for_a_png() -> None:
    code = (
        "import sys; from flownb.graph.picture import draw; from flownb.model.workflow import Workflow;"
        "draw(Workflow()).svg(); print('PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
