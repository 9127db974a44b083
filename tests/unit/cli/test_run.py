from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat
import pytest

from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from tests.unit.cli.conftest import Told

SHOP = """
from pathlib import Path
flow = Flow("shop")

@flow.node
def load(amount: int = 3, path: Path = Path("a.csv")):
    print("loading", path)
    return [amount] * 3

@flow.node
def check(load):
    if load[0] < 0:
        raise ValueError("nothing below zero")
    return sum(load)
"""
FUNCTIONS = """
def load(amount=3):
    return [amount] * 3

def check(load):
    return sum(load)
"""


@pytest.fixture
def target(module: Callable[[str], str]) -> str:
    return f"{module(SHOP)}:flow"


@pytest.fixture
def document(module: Callable[[str], str], folder: Path) -> str:
    """A workflow file whose nodes are functions of a module beside it."""
    name = module(FUNCTIONS)
    params = {"amount": {"type": "number", "optional": True}}
    nodes = [
        {"id": "load", "type": "python", "config": {"function": f"{name}:load", "params": params}},
        {"id": "check", "type": "python", "config": {"function": f"{name}:check", "params": {"load": {}}}},
    ]
    edges = [{"source": "load", "target": "check", "target_port": "load"}]
    variables = [{"name": "amount", "type": "number", "default": 3}]
    text = json.dumps({"format": 1, "name": "shop", "nodes": nodes, "edges": edges, "variables": variables})
    (folder / "wf.json").write_text(text)
    return "wf.json"


def test_a_flow_of_a_module_runs_and_its_result_is_printed(cli: Callable[..., Told], target: str) -> None:
    told = cli("run", target, "-p", "amount", "4")
    assert told.status == 0
    first, second = told.out.splitlines()
    assert first.startswith("✔ completed  shop  ")
    assert second == "check: 12"
    assert " load                 running" in told.err
    assert "| load: loading a.csv" in told.err


def test_a_workflow_file_runs(cli: Callable[..., Told], document: str) -> None:
    told = cli("run", document, "-p", "amount", "4", "--json")
    assert told.status == 0
    assert told.json["outputs"] == {"check": 12}
    assert told.err == ""


def test_the_document_is_that_of_show(cli: Callable[..., Told], target: str) -> None:
    told = cli("run", target, "--json", "--key", "k")
    document = told.json
    assert document == cli("show", document["id"], "--json").json
    assert (document["status"], document["key"], document["mode"]) == ("completed", "k", "production")


def test_paths_start_from_the_shell_s_working_directory(cli: Callable[..., Told], target: str, folder: Path) -> None:
    told = cli("run", target, "-p", "path", "data/b.csv", "--json")
    assert str(folder / "data" / "b.csv") in json.dumps(told.json["inputs"]["path"])


def test_a_failed_run_says_what_failed_and_how_it_goes_on(cli: Callable[..., Told], target: str) -> None:
    told = cli("run", target, "-p", "amount", "-1")
    assert told.status == 1
    assert told.out.startswith("✖ failed  shop  ")
    assert "flownb: shop failed at check: ValueError: nothing below zero" in told.err
    run_id = told.out.split()[3]
    assert f"`flownb resume {run_id}` starts again what failed" in told.err


def test_a_failed_run_as_json_has_its_sentence_on_stderr(cli: Callable[..., Told], target: str) -> None:
    told = cli("run", target, "-p", "amount", "-1", "--json")
    assert told.status == 1
    assert told.json["error"]["node"] == "check"
    assert "shop failed at check" in told.err


def test_wrong_inputs_start_nothing(cli: Callable[..., Told], target: str, own_store: str) -> None:
    told = cli("run", target, "-p", "amuont", "1", "-p", "amount", "many", "--json")
    assert (told.status, told.out) == (2, "")
    assert "There is no input 'amuont'. Did you mean 'amount'?" in told.err
    assert "amount is 'many'" in told.err
    assert list(open_store(own_store).rows()) == []


def test_until_runs_no_more_than_is_needed(cli: Callable[..., Told], target: str, own_store: str) -> None:
    told = cli("run", target, "--until", "load", "--json")
    assert told.json["nodes"]["check"]["status"] == "skipped"
    wrong = cli("run", target, "--until", "laod")
    assert wrong.status == 2
    assert "shop has no node 'laod' to run until. Did you mean 'load'?" in wrong.err
    assert len(list(open_store(own_store).rows())) == 1


def test_the_report_is_written_where_it_was_asked_for(cli: Callable[..., Told], target: str, folder: Path) -> None:
    told = cli("run", target, "-o", "deep/out.ipynb", "--json")
    assert told.status == 0
    notebook = nbformat.read(folder / "deep" / "out.ipynb", 4)
    assert notebook.metadata.flownb.run == told.json["id"]
    wrong = cli("run", target, "-o", "out.html")
    assert wrong.status == 2
    assert "must end in .ipynb" in wrong.err


def test_a_file_of_inputs_is_read(cli: Callable[..., Told], target: str, folder: Path) -> None:
    (folder / "given.yaml").write_text("amount: 5\npath: x.csv\n")
    assert cli("run", target, "-y", "given.yaml", "--json").json["outputs"] == {"check": 15}
    assert cli("run", target, "-y", "given.yaml", "-p", "amount", "6", "--json").json["outputs"] == {"check": 18}


def test_a_memory_store_is_enough_for_a_flow(cli: Callable[..., Told], target: str) -> None:
    assert cli("run", target, "--store", "memory:").out.splitlines()[1] == "check: 9"


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_that_completed_tells_its_result_and_starts_nothing(
    cli: Callable[..., Told], target: str, own_store: str
) -> None:
    first = cli("run", target, "--key", "k", "--json").json
    told = cli("run", target, "--key", "k", "--json")
    assert (told.status, told.json) == (0, first)
    assert len(list(open_store(own_store).rows())) == 1


def test_a_key_that_failed_tells_its_error(cli: Callable[..., Told], target: str) -> None:
    args = ["run", target, "--key", "k", "-p", "amount", "-1"]
    assert cli(*args).status == 1
    events = len(cli("events", cli("runs", "--json").lines[0]["id"]).out.splitlines())
    told = cli(*args)
    assert told.status == 1
    assert "nothing below zero" in told.err
    assert len(cli("events", cli("runs", "--json").lines[0]["id"]).out.splitlines()) == events


def test_a_key_belongs_to_one_target_and_its_inputs(cli: Callable[..., Told], target: str, document: str) -> None:
    assert cli("run", target, "--key", "k").status == 0
    for args in ([target, "-p", "amount", "4"], [document]):
        told = cli("run", *args, "--key", "k")
        assert told.status == 2
        assert "The key 'k' belongs to run" in told.err


def test_a_key_must_be_a_text(cli: Callable[..., Told], target: str) -> None:
    assert cli("run", target, "--key", "").status == 2


# --- resume -----------------------------------------------------------------------------------------------------------


def test_resume_of_a_completed_run_prints_its_result(cli: Callable[..., Told], target: str, folder: Path) -> None:
    run_id = cli("run", target, "--json").json["id"]
    told = cli("resume", run_id, "-o", "again.ipynb")
    assert told.status == 0
    assert told.out.splitlines()[1] == "check: 9"
    assert (folder / "again.ipynb").is_file()
    assert cli("resume", run_id, "--json").json == cli("show", run_id, "--json").json


def test_resume_of_a_cancelled_run_leaves_with_1(cli: Callable[..., Told], target: str) -> None:
    assert cli("run", target, "-p", "amount", "-1").status == 1
    run_id = cli("runs", "--json").lines[0]["id"]
    assert cli("cancel", run_id).status == 0
    told = cli("resume", run_id)
    assert told.status == 1
    assert "was cancelled" in told.err


def test_resume_starts_again_what_failed(cli: Callable[..., Told], target: str) -> None:
    assert cli("run", target, "-p", "amount", "-1").status == 1
    run_id = cli("runs", "--json").lines[0]["id"]
    told = cli("resume", run_id, "--json")
    assert told.status == 1
    kinds = [each["type"] for each in cli("events", run_id, "--json").lines]
    assert kinds.count("run_failed") == 2
    assert [each for each in kinds if each == "node_started"] == ["node_started"] * 3


def test_a_skipped_node_lets_a_failed_run_complete(cli: Callable[..., Told], target: str) -> None:
    assert cli("run", target, "-p", "amount", "-1").status == 1
    run_id = cli("runs", "--json").lines[0]["id"]
    cli("skip", run_id, "check")
    told = cli("resume", run_id, "--json")
    assert told.status == 0
    assert told.json["nodes"]["check"]["status"] == "skipped"


def test_a_run_of_a_script_says_who_can_go_on_with_it(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(-1)
    told = cli("resume", run.id)
    assert told.status == 2
    assert f"How run {run.id} was started is not recorded" in told.err


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_a_module_that_fails_is_one_sentence(
    cli: Callable[..., Told], module: Callable[[str], str], flag: list[str]
) -> None:
    for source, expected in (
        ("1/0\n", "can't be imported: ZeroDivisionError: division by zero ("),
        ("import no_such_package\n", "it needs 'no_such_package', which is missing"),
        ("raise SystemExit(0)\n", "can't be imported: SystemExit: 0"),
        ("def broken(:\n", "invalid syntax"),
    ):
        told = cli("run", f"{module(source)}:flow", *flag)
        assert (told.status, told.out) == (2, "")
        assert expected in told.err
        assert "Traceback" not in told.err
