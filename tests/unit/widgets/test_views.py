"""`run.view(renderer=…)`: which canvas shows a run, and what is said where it can't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.errors import InvalidInput, MissingExtra
from flownb.widgets import display, views

if TYPE_CHECKING:
    from flownb import Run


def run_of(count: int) -> Run:
    flow = Flow("shop")
    for number in range(count):
        flow.node(id=f"n{number}")(one)
    return flow.run(store="memory:", display=False)


def one() -> int:
    return 1


def test_a_view_is_the_run_and_shows_itself_as_a_picture_where_nothing_is_live() -> None:
    run = run_of(1)
    run.result()
    view = run.view()
    data, _ = view._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"}
    assert repr(view) == repr(run)
    assert type(run.view(renderer="cytoscape")) is type(view)


def test_a_renderer_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match="no renderer 'cytoscap'.*'cytoscape'"):
        run_of(1).view(renderer="cytoscap")


def test_a_graph_too_large_for_cytoscape_is_told_which_one_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_NODES", 2)
    with pytest.raises(InvalidInput, match=r"up to 2 nodes, and shop has 3: `run\.view\(\)` draws them all"):
        run_of(3).view(renderer="cytoscape")


def test_without_ipycytoscape_the_command_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'flownb\[lab,cytoscape\]'"):
        run_of(1).view(renderer="cytoscape")


def test_what_cytoscape_shows_follows_the_run_and_a_click_selects(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ipycytoscape", "anywidget"):
        pytest.importorskip(name)
    monkeypatch.setattr(display, "live", lambda: True)
    run = run_of(2)
    run.result()
    view = run.view(renderer="cytoscape")
    view.beat()
    assert [node.data["label"] for node in view.children[0].graph.nodes] == ["n0\n✓ 1", "n1\n✓ 1"]
    view._clicked({"data": {"id": "n1"}})
    assert view.children[1].whole()["selected"] == "n1"
    for odd in (None, {}, {"data": {"id": ["n1"]}}, {"data": {"id": "nobody"}}):
        view._clicked(odd)
    assert view.children[1].whole()["selected"] == "n1"
