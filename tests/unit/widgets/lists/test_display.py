"""What a notebook keeps of a list: a picture and a text, and no HTML; and the widget where a front end can show it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

import flownb
from flownb import Flow
from flownb.widgets import display
from flownb.widgets.lists import display as lists
from tests.waiting import wait_for


@pytest.fixture(autouse=True)
def asking() -> None:
    """A run that has asked, in the store of this test."""
    flow = Flow("shop")
    flow.approval("ok", "Post <b>3</b> EUR?")
    run = flow.run(display=False)
    wait_for(lambda: run.status == "paused")


@pytest.mark.parametrize("name", ["inbox", "runs", "home"])
def test_a_list_is_a_picture_and_a_text(name: str) -> None:
    found = getattr(flownb, name)()
    bundle = found._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/png"}
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert "shop" in bundle["text/plain"]


@pytest.mark.parametrize("name", ["inbox", "runs", "home"])
def test_a_front_end_gets_one_widget_a_list(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(get_parent=lambda: {"content": {"allow_stdin": True}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(display, "missing", lambda: "")
    monkeypatch.setattr(lists, "_widgets", {})
    made: list[str] = []

    def widget(view: str, *_: object) -> SimpleNamespace:
        made.append(view)
        return SimpleNamespace(model_id="m1")

    monkeypatch.setitem(sys.modules, "flownb.widgets.lists.widget", SimpleNamespace(ListWidget=widget))
    for _ in range(10):
        assert getattr(flownb, name)()._repr_mimebundle_()[display.VIEW]["model_id"] == "m1"
    assert made == [name]


def test_the_inbox_stays_a_list_of_what_can_be_answered() -> None:
    found = flownb.inbox()
    assert len(found) == 1
    found[0].approve(comment="by code")
    assert len(flownb.inbox()) == 0
    assert flownb.inbox().text() == "Nobody is asked anything."
    assert [each.comment for each in flownb.inbox(everything=True)] == ["by code"]


def test_home_counts_and_says_what_to_do_first(tmp_path: object) -> None:
    assert flownb.home().counts == {"paused": 1}
    empty = flownb.home(f"sqlite:///{tmp_path}/other.db")
    assert "flow.run()" in repr(empty)
    assert empty._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")
