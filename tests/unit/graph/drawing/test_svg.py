from __future__ import annotations

from xml.etree import ElementTree as ET

from flownb.graph.drawing.shapes import Circle, Group, Path, Rect, Text
from flownb.graph.drawing.svg import escape, render


def parsed(*shapes: Rect | Circle | Path | Text | Group) -> ET.Element:
    return ET.fromstring(render(shapes, 10, 20, title="a <b>", description="c & d\x00"))


def test_title_and_description_are_read_out() -> None:
    root = parsed()
    assert root.get("role") == "img"
    assert [child.text for child in root] == ["a <b>", "c & d"]


def test_a_stroke_lies_inside_the_edge_of_a_rectangle() -> None:
    rect = parsed(Rect(0, 0, 10, 10, 4, stroke="#000000", stroke_width=2))[-1]
    assert (rect.get("x"), rect.get("width"), rect.get("rx")) == ("1", "8", "3")


def test_numbers_are_short() -> None:
    path = parsed(Path((("M", 1.0, 2.3456), ("L", -0.001, 0.1))))[-1]
    assert path.get("d") == "M1 2.35L0 0.1"


def test_what_xml_does_not_allow_is_removed() -> None:
    assert escape('\x00<a href="x">&\ud800\uffff') == "&lt;a href=&quot;x&quot;&gt;&amp;"


def test_a_group_carries_node_and_status() -> None:
    group = parsed(Group((), title="load, Pending", node='"><x', status="pending"))[-1]
    assert (group.get("data-flownb-node"), group.get("data-status")) == ('"><x', "pending")
