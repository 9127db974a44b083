from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.model.times import iso
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from tests.unit.cli.conftest import Told

RUN_KEYS = [
    "id", "workflow", "version", "definition_hash", "status", "pause_reason", "mode", "trigger", "key", "created_at",
    "started_at", "finished_at", "duration_ms", "inputs", "outputs", "error", "nodes", "approvals",
]  # fmt: skip
NODE_KEYS = [
    "status", "type", "attempts", "ports", "started_at", "finished_at", "duration_ms", "reason", "error", "output",
    "artifact", "why", "input_digests", "output_digest", "memory_mb",
]  # fmt: skip


# --- runs -------------------------------------------------------------------------------------------------------------


def test_without_a_store_there_is_a_sentence_and_no_new_file(cli: Callable[..., Told], folder: Path) -> None:
    told = cli("runs")
    assert told.status == 2
    assert "Nothing has run here yet; `flownb run` makes one." in told.err
    assert list(folder.iterdir()) == []


def test_a_store_without_runs_says_so(cli: Callable[..., Told], own_store: str) -> None:
    open_store(own_store)
    assert cli("runs").out == f"There are no runs in {own_store}.\n"
    assert cli("runs", "--status", "error").out == f"There are no failed runs in {own_store}.\n"
    assert cli("runs", "--json").out == ""


def test_runs_are_listed_newest_first(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    first, second = shop(3, "nightly"), shop(-1)
    told = cli("runs")
    lines = told.out.splitlines()
    assert [line.split()[0] for line in lines] == [second.id, first.id]
    assert lines[0].endswith("✖ failed")
    assert lines[1].endswith("✔ completed  key nightly")


def test_runs_as_json_are_an_object_a_line(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(3, "nightly")
    (told,) = cli("runs", "--json").lines
    assert told == {
        "id": run.id,
        "workflow": "shop",
        "status": "completed",
        "pause_reason": None,
        "key": "nightly",
        "mode": "manual",
        "trigger": "manual",
        "created_at": told["created_at"],
        "finished_at": iso(run.state.finished_at or 0),
    }
    assert told["created_at"].endswith("Z")


def test_runs_of_one_status_are_listed_by_any_of_its_names(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    shop(3)
    failed = shop(-1)
    assert [each["id"] for each in cli("runs", "--status", "error", "--json").lines] == [failed.id]
    told = cli("runs", "--status", "faild")
    assert told.status == 2
    assert "A run has no status 'faild'. Did you mean 'failed'?" in told.err


def test_a_long_list_is_cut_and_says_so(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    ids = [shop().id for _ in range(3)]
    told = cli("runs", "--limit", "2")
    assert [line.split()[0] for line in told.out.splitlines()] == ids[:0:-1]
    assert "these are the newest 2; --limit 0 lists all" in told.err
    assert cli("runs", "--limit", "3").err == ""
    assert len(cli("runs", "--limit", "0").out.splitlines()) == 3


def test_another_store_is_named_by_its_url(cli: Callable[..., Told], shop: Callable[..., Run], tmp_path: Path) -> None:
    shop()
    told = cli("runs", "--store", f"sqlite:///{tmp_path}/other.db")
    assert told.status == 2
    assert "other.db" in told.err


# --- show -------------------------------------------------------------------------------------------------------------


def test_a_run_is_shown_node_by_node(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(3)
    told = cli("show", run.id)
    assert told.status == 0
    assert told.out.startswith(f"shop  {run.id}  ✔ completed\n")
    assert "  amount = 3\n" in told.out
    assert "  keep   » skipped" in told.out
    assert "big took true, not false" in told.out


def test_the_beginning_of_an_id_is_enough(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(3)
    assert cli("show", run.id[:-1]).out.startswith(f"shop  {run.id}")


def test_the_document_of_a_run_has_all_that_is_promised(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(3, "k")
    document = cli("show", run.id, "--json").json
    assert list(document) == RUN_KEYS
    assert list(document["nodes"]) == ["load", "check", "big", "keep"]
    assert all(list(node) == NODE_KEYS for node in document["nodes"].values())
    assert document["status"] == "completed"
    assert document["inputs"] == {"amount": 3}
    assert document["nodes"]["check"]["output"] == 9
    assert document["nodes"]["big"]["ports"] == ["true"]
    assert document["nodes"]["keep"]["status"] == "skipped"
    assert document["nodes"]["keep"]["started_at"] is None
    assert document["duration_ms"] >= document["nodes"]["load"]["duration_ms"] >= 0
    assert (document["key"], document["error"], document["approvals"]) == ("k", None, [])


def test_a_failed_run_shows_what_failed_and_how_it_goes_on(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(-1)
    told = cli("show", run.id)
    assert told.status == 0
    assert "ValueError: nothing below zero" in told.out
    assert "in check\n" in told.out
    assert f"`flownb resume {run.id}` starts again what failed" in told.err
    error = cli("show", run.id, "--json").json["error"]
    assert (error["type"], error["message"], error["node"]) == ("ValueError", "nothing below zero", "check")


def test_an_unknown_run_names_near_ones(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    wrong = ("a" if run.id[7] != "a" else "b").join([run.id[:7], run.id[8:]])
    for command in (["show"], ["events"], ["logs"], ["pause"], ["cancel"], ["rm"], ["resume"]):
        told = cli(*command, wrong)
        assert (told.status, told.out) == (2, "")
        assert f"Did you mean '{run.id}'?" in told.err


def test_hostile_names_and_values_do_nothing_to_the_terminal(cli: Callable[..., Told], own_store: str) -> None:
    flow = Flow("evil\x1b]0;owned\x07\n[bold]name")

    @flow.node
    def load(text: str) -> str:
        print("\x1b[2J\x1b[31mred\rover")
        return text + "\x9b2J\u202e"

    run = flow.run(text="\x1b[1A", store=own_store, display=False)
    run.result(10)
    for args in (["runs"], ["show", run.id], ["events", run.id], ["logs", run.id]):
        told = cli(*args)
        assert told.status == 0
        assert not set(told.out + told.err) & set("\x1b\x07\x9b\r\u202e")
    assert "[bold]name" in cli("runs").out
    assert json.loads(cli("show", run.id, "--json").out)["outputs"] == {"load": "\x1b[1A\x9b2J\u202e"}


# --- events -----------------------------------------------------------------------------------------------------------


def test_the_journal_is_an_event_a_line(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    documents = cli("events", run.id, "--json").lines
    assert [each["seq"] for each in documents] == list(range(1, len(documents) + 1))
    assert list(documents[0])[:3] == ["seq", "at", "type"]
    assert documents[0]["type"] == "run_started"
    assert documents[-1]["type"] == "run_completed"
    assert list(documents[1])[:4] == ["seq", "at", "type", "node"]
    told = cli("events", run.id)
    assert len(told.out.splitlines()) == len(documents)
    assert told.out.splitlines()[1].split()[2:] == ["node_started", "load"]


def test_only_what_came_after_a_number_is_printed(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    everything = cli("events", run.id, "--json").lines
    assert cli("events", run.id, "--after", "3", "--json").lines == everything[3:]
    assert cli("events", run.id, "--after", "1000").out == ""


def test_following_a_run_that_rests_ends_at_once(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    assert cli("events", run.id, "--follow", "--json").out == cli("events", run.id, "--json").out


# --- logs -------------------------------------------------------------------------------------------------------------


def test_logs_tell_which_node_printed(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    assert cli("logs", run.id).out == "load: loading 3\n"
    assert cli("logs", run.id, "load").out == "loading 3\n"
    (document,) = cli("logs", run.id, "--json").lines
    assert (document["node"], document["stream"], document["text"]) == ("load", "stdout", "loading 3\n")


def test_silence_is_told(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    told = cli("logs", run.id, "check")
    assert (told.status, told.out, told.err) == (0, "", "flownb: check printed nothing.\n")


def test_an_unknown_node_names_near_ones(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    told = cli("logs", run.id, "laod")
    assert told.status == 2
    assert "has no node 'laod'. Did you mean 'load'?" in told.err


@pytest.mark.parametrize("command", ["show", "events", "logs"])
def test_looking_changes_nothing(cli: Callable[..., Told], shop: Callable[..., Run], command: str) -> None:
    run = shop()
    before = cli("events", run.id, "--json").out
    cli(command, run.id)
    assert cli("events", run.id, "--json").out == before
