from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from tests.unit.cli.conftest import Told

SOUND = """
flow = Flow("shop")

@flow.node
def load(amount: int = 3):
    return amount

@flow.node
def check(load):
    return load
"""


# --- validate ---------------------------------------------------------------------------------------------------------


def test_a_sound_flow_is_in_order(cli: Callable[..., Told], module: Callable[[str], str]) -> None:
    name = module(SOUND)
    told = cli("validate", f"{name}:flow")
    assert (told.status, told.out) == (0, f"{name}:flow is in order.\n")
    assert cli("validate", f"{name}:flow", "--json").json == []


def test_all_problems_of_a_document_are_told_at_once(cli: Callable[..., Told], folder: Path) -> None:
    nodes = [{"id": "a", "type": "pyton"}, {"id": "b", "type": "python", "config": {"function": "getcwd"}}]
    (folder / "wf.json").write_text(json.dumps({"format": 1, "name": "wf", "nodes": nodes}))
    told = cli("validate", "wf.json")
    assert told.status == 2
    lines = told.out.splitlines()
    assert any("pyton" in line and "python" in line for line in lines)
    assert any("module:name" in line for line in lines)
    assert lines[-1].startswith("wf.json has 2 errors")
    documents = cli("validate", "wf.json", "--json").json
    assert list(documents[0]) == ["severity", "code", "node", "port", "place", "message", "hint"]
    assert [each["node"] for each in documents if each["severity"] == "error"] == ["a", "b"]


def test_a_field_that_no_document_has_is_a_problem_with_its_place(cli: Callable[..., Told], folder: Path) -> None:
    (folder / "wf.json").write_text('{"format": 1, "name": "wf", "colour": "red", "nods": []}')
    told = cli("validate", "wf.json")
    assert told.status == 2
    assert "colour" in told.out
    assert "nodes" in told.out


def test_a_document_that_is_no_json_is_a_problem_with_its_place(cli: Callable[..., Told], folder: Path) -> None:
    (folder / "wf.json").write_text('{"format": 1,\n  "name": }')
    told = cli("validate", "wf.json")
    assert told.status == 2
    assert "2" in told.out


def test_what_a_module_prints_does_not_mix_with_the_json(
    cli: Callable[..., Told], module: Callable[[str], str]
) -> None:
    told = cli("validate", f"{module('print(1, 2)' + SOUND)}:flow", "--json")
    assert told.json == []
    assert told.err == "1 2\n"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("nothing", "'nothing' is no target: give notebook.ipynb, workflow.json or module:flow."),
        ("none.json", "There is no file none.json."),
        ("none.ipynb", "There is no file none.ipynb."),
        ("no_module_of_this_name:flow", "There is no module 'no_module_of_this_name'"),
        (":flow", "is no target"),
        ("os:", "is no target"),
        ("os:getcwd", "os has 'getcwd', but that is no Flow. It has no flow at all."),
        ("..:flow", "is no target"),
    ],
)
def test_what_is_no_target_is_one_sentence(cli: Callable[..., Told], folder: Path, target: str, expected: str) -> None:
    assert folder.is_dir()
    told = cli("validate", target)
    assert (told.status, told.out) == (2, "")
    assert expected in told.err


def test_near_files_are_named(cli: Callable[..., Told], folder: Path) -> None:
    (folder / "invoices.json").write_text("{}")
    assert "Did you mean 'invoices.json'?" in cli("validate", "invoice.json").err


# --- graph ------------------------------------------------------------------------------------------------------------


def test_a_flow_is_drawn_in_each_form(cli: Callable[..., Told], module: Callable[[str], str], folder: Path) -> None:
    name = module(SOUND)
    for suffix, start in ((".png", b"\x89PNG"), (".svg", b"<svg"), (".mmd", b"")):
        told = cli("graph", f"{name}:flow", "-o", f"out{suffix}")
        assert told.status == 0
        assert told.err == f"flownb: wrote out{suffix}\n"
        data = (folder / f"out{suffix}").read_bytes()
        assert data.lstrip().startswith(start)
        assert data


def test_a_run_is_drawn_with_its_statuses(cli: Callable[..., Told], shop: Callable[..., Run], folder: Path) -> None:
    run = shop(3)
    assert cli("graph", run.id, "-o", "run.svg").status == 0
    assert cli("graph", run.id, "-o", "dark.svg", "--dark").status == 0
    text = (folder / "run.svg").read_text()
    assert "Skipped" in text
    assert text != (folder / "dark.svg").read_text()


def test_an_executed_notebook_is_drawn_as_its_run(
    cli: Callable[..., Told], shop: Callable[..., Run], folder: Path
) -> None:
    run = shop(3)
    notebook = nbformat.v4.new_notebook(metadata={"flownb": {"run": run.id}})
    nbformat.write(notebook, folder / "out.ipynb")
    assert cli("graph", "out.ipynb", "-o", "run.svg").status == 0
    assert "Skipped" in (folder / "run.svg").read_text()


def test_a_notebook_that_was_never_run_is_not_run_to_draw_it(cli: Callable[..., Told], folder: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(), folder / "new.ipynb")
    told = cli("graph", "new.ipynb", "-o", "new.png")
    assert told.status == 2
    assert "`flownb run new.ipynb -o out.ipynb`, then `flownb graph out.ipynb -o new.png`" in told.err


def test_a_notebook_whose_run_is_elsewhere_says_so(
    cli: Callable[..., Told], shop: Callable[..., Run], folder: Path
) -> None:
    shop()
    nbformat.write(nbformat.v4.new_notebook(metadata={"flownb": {"run": "elsewhere"}}), folder / "out.ipynb")
    told = cli("graph", "out.ipynb", "-o", "out.png")
    assert told.status == 2
    assert "It is the run that out.ipynb is the report of; --store names where that is." in told.err


@pytest.mark.parametrize("output", ["out.pdf", "out", "nowhere/out.png"])
def test_a_picture_that_can_not_be_written_is_one_sentence(
    cli: Callable[..., Told], module: Callable[[str], str], output: str
) -> None:
    told = cli("graph", f"{module(SOUND)}:flow", "-o", output)
    assert told.status == 2
    assert output in told.err


# --- report -----------------------------------------------------------------------------------------------------------


def test_a_report_is_a_page_or_a_notebook(cli: Callable[..., Told], shop: Callable[..., Run], folder: Path) -> None:
    run = shop(-1)
    assert cli("report", run.id[:12], "-o", "r.html").status == 0
    page = (folder / "r.html").read_text()
    assert "nothing below zero" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert cli("report", run.id, "-o", "r.ipynb").status == 0
    notebook = nbformat.read(folder / "r.ipynb", 4)
    assert notebook.metadata.flownb.run == run.id
    assert notebook.metadata.flownb.status == "failed"


def test_another_form_of_report_is_refused(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    told = cli("report", shop().id, "-o", "r.pdf")
    assert told.status == 2
    assert "must end in .html or .ipynb" in told.err
