"""Who gets the widget: front ends that can show it, and nobody else."""

from __future__ import annotations

import sys
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from flownb import Flow
from flownb.widgets import display
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run


def asked_by(monkeypatch: pytest.MonkeyPatch, parent: dict[str, Any], *, why: str = "") -> None:
    shell = SimpleNamespace(get_parent=lambda: parent)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(display, "missing", lambda: why)


FRONT = {"header": {"msg_id": "one"}, "content": {"allow_stdin": True}}


def test_a_front_end_gets_the_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_by(monkeypatch, FRONT)
    assert display.live()


@pytest.mark.parametrize("parent", [{}, {"content": {"allow_stdin": False}}], ids=["nobody", "nbclient and papermill"])
def test_programs_that_execute_notebooks_get_the_picture(
    monkeypatch: pytest.MonkeyPatch, parent: dict[str, Any]
) -> None:
    asked_by(monkeypatch, parent)
    assert not display.live()


def test_without_the_bundle_it_is_said_once_and_the_picture_is_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, run: Run
) -> None:
    asked_by(monkeypatch, FRONT, why="The browser files are missing.")
    monkeypatch.setattr(display, "_said", set())
    assert set(display.bundle(run)[0]) == {"text/plain", "image/png"}
    assert set(display.bundle(run)[0]) == {"text/plain", "image/png"}
    assert caplog.messages == ["The browser files are missing. Until then runs are shown as pictures."]


def test_the_picture_and_the_text_are_beside_the_widget(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    asked_by(monkeypatch, FRONT)
    monkeypatch.setattr(display, "widget_of", lambda _: SimpleNamespace(model_id="m1"))
    bundle, metadata = display.bundle(run)
    assert bundle[display.VIEW]["model_id"] == "m1"
    assert bundle["text/plain"].startswith("run completed")
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["width"] < Image.open(BytesIO(bundle["image/png"])).width  # two pixels a CSS pixel
    assert metadata["flownb"] == {"run": run.id}


def test_a_run_that_stands_above_already_is_one_line(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    asked_by(monkeypatch, FRONT)
    monkeypatch.setattr(display, "widget_of", lambda _: SimpleNamespace(model_id="m1"))
    monkeypatch.setitem(display._shown, run, "one")
    assert set(display.bundle(run)[0]) == {"text/plain"}
    monkeypatch.setitem(display._shown, run, "another execution")
    assert display.VIEW in display.bundle(run)[0]


def test_a_run_that_goes_on_is_displayed_so_that_its_end_will_be_saved(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    presented: list[Run] = []
    monkeypatch.setattr(display, "present", presented.append)
    waiting = waits()
    asked_by(monkeypatch, {})
    with pytest.raises(NotImplementedError):  # no kernel: the mimebundle does
        waiting._ipython_display_()
    asked_by(monkeypatch, FRONT)
    with pytest.raises(NotImplementedError):  # it has ended
        run._ipython_display_()
    with pytest.raises(NotImplementedError):  # a moment of it never goes on
        waiting.at(1)._ipython_display_()
    waiting._ipython_display_()
    assert presented == [waiting]


def waits() -> Run:
    flow = Flow("waits")
    flow.approval("ok", "Sure?")
    started = flow.run(store="memory:", display=False)
    wait_for(lambda: started.pause_reason == "human")
    return started


def test_a_cell_that_starts_hundreds_of_runs_shows_a_few_of_them_live(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    asked_by(monkeypatch, FRONT)
    pictures: list[Run] = []
    monkeypatch.setattr("flownb.notebook.display.show", pictures.append)
    monkeypatch.setattr(display, "_shown", dict.fromkeys(range(display.MOST_ALIVE), "one"))
    display.show(run)
    assert pictures == [run]


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")
    flow.node(one)
    started = flow.run(store="memory:", display=False)
    wait_for(lambda: started.status.ended)
    return started


def one() -> int:
    return 1
