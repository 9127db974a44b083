"""The scene: the layout as data for a page, whatever the workflow is."""

from __future__ import annotations

import json

from flownb import Flow, Workflow
from flownb.widgets.scene import scene_of


def test_every_node_has_a_card_or_a_box_and_every_edge_a_way() -> None:
    flow = Flow("shop")

    @flow.node
    def load() -> list[int]:
        return [1, 2]

    with flow.loop("each", over="load"):

        @flow.node
        def clean(item: int) -> int:
            return item

    @flow.node
    def post(each: list[int]) -> int:
        return len(each)

    scene = scene_of(flow.definition().workflow)

    assert scene["name"] == "shop"
    assert {card["key"] for card in scene["cards"]} == {"load", "clean", "post"}
    assert [box["key"] for box in scene["boxes"]] == ["each"]
    assert {(route["source"], route["target"]) for route in scene["routes"]} >= {("load", "each"), ("each", "post")}
    assert next(card for card in scene["cards"] if card["key"] == "clean")["parent"] == "each"
    assert json.loads(json.dumps(scene)) == scene


def test_ports_are_told_from_the_corner_of_their_card() -> None:
    flow = Flow("shop")
    flow.node(_load)
    flow.node(_post)
    for card in scene_of(flow.definition().workflow)["cards"]:
        assert {port["x"] for port in card["ports"]} <= {0.0, card["width"]}
        assert all(0 < port["y"] < card["height"] for port in card["ports"])


def test_an_empty_and_an_invalid_workflow_have_a_scene() -> None:
    assert scene_of(Workflow(id="none"))["cards"] == []
    odd = Workflow.from_json(
        {
            "format": 1,
            "id": "odd",
            "nodes": [{"id": "a", "type": "no.such"}, {"id": "b", "type": "python"}],
            "edges": [],
        }
    )
    assert len(scene_of(odd)["cards"]) == 2


def test_names_are_plain_and_bounded() -> None:
    title = "<script>alert(1)</script>\u202e\n" + "x" * 900
    odd = Workflow.from_json({"format": 1, "id": "odd", "nodes": [{"id": "a", "type": "python", "name": title}]})
    (card,) = scene_of(odd)["cards"]
    assert len(card["title"]) <= 120
    assert "\u202e" not in card["title"]
    assert "\n" not in card["title"]


def _load() -> int:
    return 1


def _post(_load: int) -> int:
    return _load
