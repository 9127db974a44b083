"""`run["clean"].take()`: into the notebook's namespace, and a sentence where that can't be."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.errors import InvalidInput, NotFound
from flownb.widgets.taking import taken
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    with flow.loop("each", over="load"):

        @flow.node
        def clean(item: int) -> int:
            return item * 2

    @flow.node(on_error="continue")
    def bad() -> None:
        raise ValueError("no")

    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status.ended)
    return run


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    names: dict[str, Any] = {}
    shell = SimpleNamespace(user_ns=names)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return names


def test_the_output_becomes_a_variable_of_the_notebook(run: Run, namespace: dict[str, Any]) -> None:
    assert run["load"].take() == [1, 2, 3]
    assert namespace == {"load": [1, 2, 3]}
    assert run["each[1].clean"].take() == 4
    assert run["each[1].clean"].take("second") == 4
    assert namespace == {"load": [1, 2, 3], "clean": 4, "second": 4}


def test_outside_of_a_notebook_the_value_comes_back(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert run["load"].take() == [1, 2, 3]


@pytest.mark.parametrize("name", ["two words", "class", "", "1st", 7])
def test_what_is_no_name_is_refused(run: Run, namespace: dict[str, Any], name: Any) -> None:
    with pytest.raises(InvalidInput, match=r"no name for a variable; give one, as run\['load'\]\.take\('value'\)"):
        run["load"].take(name)
    assert namespace == {}


def test_where_there_is_nothing_to_take_it_says_why(run: Run, namespace: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="bad has no output: it is failed"):
        run["bad"].take()
    assert namespace == {}


def test_the_button_says_what_it_did(run: Run, namespace: dict[str, Any]) -> None:
    assert taken(run["load"]) == "load = list"
    assert taken(run["each[0].clean"]) == "clean = int"
    assert namespace["clean"] == 2
