from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Told

MODULE = """
from flownb import Flow

flow = Flow("shop")

@flow.node
def load(n: int = 3):
    with open("loads", "a") as file:
        file.write("x")
    return n

flow.add("control.transform", "end", fields={"sum": "load * 10", "rate": "variables.n"})
"""


@pytest.fixture
def source(own_store: str, cli: Callable[..., Told], module: Callable[[str], str]) -> dict[str, Any]:
    document: dict[str, Any] = cli("run", f"{module(MODULE)}:flow", "--json").json
    return document


def test_a_run_is_forked_with_a_change_and_both_tell_of_it(
    source: dict[str, Any], folder: Path, cli: Callable[..., Told]
) -> None:
    told = cli("fork", source["id"], "--set", "n", "5", "--json")
    assert told.status == 0, told.err
    assert told.json["outputs"] == {"end": {"sum": 50, "rate": 5}}
    assert told.json["forked_from"]["run"] == source["id"]
    assert f"goes on from the last event of {source['id']}" in told.err
    assert cli("show", source["id"], "--json").json["forks"][0]["run"] == told.json["id"]
    assert (folder / "loads").read_text() == "xx"
    again = cli("fork", source["id"], "--set", "load", "7", "--json")
    assert again.json["outputs"] == {"end": {"sum": 70, "rate": 3}}
    assert (folder / "loads").read_text() == "xx"
    shown = cli("show", told.json["id"]).out
    assert f"forked from {source['id']}" in shown


def test_what_is_wrong_is_one_sentence_and_starts_nothing(source: dict[str, Any], cli: Callable[..., Told]) -> None:
    assert "Did you mean 'load'?" in cli("fork", source["id"], "--set", "lod", "7").err
    assert "must be a number" in cli("fork", source["id"], "--set", "n", "seven").err
    assert "to go back to, and not 99" in cli("fork", source["id"], "--at", "99").err
    assert len(cli("runs", "--json").lines) == 1


def test_a_script_forks_its_own_runs(own_store: str, cli: Callable[..., Told]) -> None:
    flow = Flow("script")
    flow.node(lambda: 1, id="one")
    run = flow.run(display=False)
    run.result(10)
    told = cli("fork", run.id)
    assert told.status != 0
    assert "a script that started it forks it, by run.fork()" in told.err
    assert len([json.loads(each) for each in cli("runs", "--json").out.splitlines()]) == 1
