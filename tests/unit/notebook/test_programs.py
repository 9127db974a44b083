from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import DefinitionDrift, InvalidInput, InvalidWorkflow, NotFound, UsageError
from flownb.notebook import programs
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

_numbers = itertools.count()

SHOP = """
from flownb import Flow
class Client: pass
flow = Flow("shop", services={"client": Client()})

@flow.node
def load(amount: int = 3):
    return amount

@flow.node
def check(load):
    return load * 2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


@pytest.fixture
def store(own_store: str) -> Store:
    return open_store(own_store)


@pytest.fixture
def module(folder: Path) -> Callable[..., str]:
    """Write a module, a new one or under a name that was used before, which is then imported anew."""

    def write(source: str, name: str = "") -> str:
        name = name or f"programs_module_{next(_numbers)}"
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        sys.modules.pop(name, None)
        return name

    return write


def started(name: str, folder: Path, store: Store, **options: Any) -> Run:
    target = programs.parse_target(f"{name}:flow", folder)
    run = programs.start_target(target, programs.load(target), options.pop("inputs", {}), store, **options)
    while not run.resting:
        run._settled.wait(5)
    return run


# --- targets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"), [("a.ipynb", "notebook"), ("wf.json", "json"), ("pkg.mod:flow", "module"), ("mod:flow", "module")]
)
def test_a_target_is_known_by_its_form(folder: Path, text: str, kind: str) -> None:
    (folder / "a.ipynb").touch()
    (folder / "wf.json").touch()
    target = programs.parse_target(text, folder)
    assert (target.kind, target.text, target.directory) == (kind, text, str(folder))


@pytest.mark.parametrize("text", ["", "x", "x:", ":x", "a b:c", "a.b", "mod:flow:more", "mod:flow()", "a..b:c"])
def test_other_texts_are_no_target(folder: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"give notebook\.ipynb, workflow\.json or module:flow"):
        programs.parse_target(text, folder)


def test_a_python_file_is_named_by_its_module(folder: Path) -> None:
    (folder / "shop.py").touch()
    with pytest.raises(UsageError, match="named by its module, as shop:flow"):
        programs.parse_target("shop.py:flow", folder)
    with pytest.raises(UsageError, match=r"as pkg\.shop:flow"):
        programs.parse_target("./pkg/shop.py", folder)


# --- loading ----------------------------------------------------------------------------------------------------------


def test_a_module_is_found_in_its_directory_before_any_other_place(folder: Path, module: Callable[..., str]) -> None:
    sys.path.append(str(folder))
    name = module(SHOP)
    loaded = programs.load(programs.parse_target(f"{name}:flow", folder))
    assert sys.path[0] == str(folder)
    assert sys.path.count(str(folder)) == 1
    assert loaded.definition.workflow.name == "shop"
    assert list(loaded.services) == ["client"]


def test_a_flow_with_problems_is_refused_with_all_of_them(folder: Path, module: Callable[..., str]) -> None:
    name = module("from flownb import Flow\nflow = Flow('x')\nflow.add('contrl.output', 'a')\nflow.add('nope', 'b')\n")
    with pytest.raises(InvalidWorkflow) as caught:
        programs.load(programs.parse_target(f"{name}:flow", folder))
    assert len(caught.value.problems) >= 2


def test_the_functions_of_a_document_are_imported_before_anything_starts(
    folder: Path, module: Callable[..., str]
) -> None:
    name = module("def load(): return 1\n")
    nodes = [{"id": "load", "type": "python", "config": {"function": f"{name}:laod"}}]
    (folder / "wf.json").write_text(json.dumps({"format": 1, "name": "wf", "nodes": nodes}))
    with pytest.raises(NotFound, match="Did you mean 'load'"):
        programs.load(programs.parse_target("wf.json", folder))


def test_the_code_of_a_document_s_functions_is_part_of_its_hash(folder: Path, module: Callable[..., str]) -> None:
    name = module("def load(): return 1\n")
    nodes = [{"id": "load", "type": "python", "config": {"function": f"{name}:load"}}]
    (folder / "wf.json").write_text(json.dumps({"format": 1, "name": "wf", "nodes": nodes}))
    target = programs.parse_target("wf.json", folder)
    before = programs.load(target).definition.hash
    module("def load(): return 2\n", name)
    changed = programs.load(target).definition.hash
    module("def load(): return 1  # one\n", name)
    assert programs.load(target).definition.hash == before != changed


# --- starting and going on --------------------------------------------------------------------------------------------


def test_live_defaults_of_a_module_are_used(folder: Path, module: Callable[..., str], store: Store) -> None:
    source = "from pathlib import Path\nfrom flownb import Flow\nflow = Flow('x')\n"
    source += "@flow.node\ndef kind(path=Path('a')): return type(path).__name__\n"
    run = started(module(source), folder, store)
    assert run.outputs["kind"].endswith("Path")


def test_a_wrong_end_leaves_no_run(folder: Path, module: Callable[..., str], store: Store) -> None:
    name = module(SHOP)
    with pytest.raises(InvalidInput, match="shop has no node 'chekc' to run until. Did you mean 'check'"):
        started(name, folder, store, until="chekc")
    assert list(store.rows()) == []


def test_the_program_is_pinned_with_what_it_was_given(folder: Path, module: Callable[..., str], store: Store) -> None:
    name = module(SHOP)
    run = started(name, folder, store, inputs={"amount": 4}, until="load")
    row = store.row(run.id)
    assert row is not None
    program = store.program(row.program)
    assert program is not None
    assert (program.kind, program.target, program.directory) == ("module", f"{name}:flow", str(folder))
    assert program.details == {"inputs": {"amount": 4}, "until": "load"}
    assert (row.mode, row.trigger) == ("production", "manual")


def test_a_key_that_ended_tells_its_result_although_the_program_changed(
    folder: Path, module: Callable[..., str], store: Store
) -> None:
    name = module(SHOP)
    first = started(name, folder, store, key="k")
    module(SHOP.replace("load * 2", "load * 5"), name)
    again = started(name, folder, store, key="k")
    assert (again.id, again.outputs) == (first.id, {"check": 6})


def test_going_on_refuses_a_changed_program(folder: Path, module: Callable[..., str], store: Store) -> None:
    failing = SHOP.replace("return load * 2", "raise ValueError(load)")
    name = module(failing)
    run = started(name, folder, store)
    row = store.row(run.id)
    assert row is not None
    program = store.program(row.program)
    assert program is not None
    module(SHOP, name)
    with pytest.raises(DefinitionDrift, match="node check: its code changed") as caught:
        programs.resume_target(store, row, program)
    assert "+    return load * 2" in caught.value.difference
    done = programs.resume_target(store, row, program, migrate=True)
    assert done.result(10) == {"check": 6}


# --- looking ----------------------------------------------------------------------------------------------------------


def test_a_workflow_with_problems_can_be_looked_at(folder: Path, module: Callable[..., str]) -> None:
    name = module("from flownb import Flow\nflow = Flow('x')\nflow.add('nope', 'b')\n")
    assert [node.id for node in programs.workflow_of(f"{name}:flow", folder).nodes] == ["b"]
    assert programs.problems_of(f"{name}:flow", folder)


def test_the_run_of_a_notebook_stands_in_its_metadata(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"metadata": {"flownb": {"run": "abc"}}}))
    assert programs.run_of_notebook(path) == "abc"
    path.write_text("{}")
    assert programs.run_of_notebook(path) is None
    for text in ("", "[]", '{"metadata": 3}'):
        path.write_text(text)
        with pytest.raises(UsageError, match="is no notebook"):
            programs.run_of_notebook(path)
