"""Fifty kinds of edit between a failure and its resumption: a pinned run ends as it was, a migrated one may say no."""

from __future__ import annotations

import copy
import itertools
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import FlownbError
from flownb.model.events import NodeCompleted, NodeStarted, RunResumed, SystemInfo
from flownb.model.status import RunStatus
from flownb.notebook import programs
from flownb.run.recovery.recover import require_row
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

_numbers = itertools.count()
Document = dict[str, Any]
Edit = "Callable[[Document], None]"

FUNCTIONS = """
from pathlib import Path

ran = []

def one(n, m=100):
    ran.append("one")
    return n + m

def two(one):
    ran.append("two")
    return one * 2

def two_other(one):
    ran.append("two_other")
    return one * 3

def side(one):
    ran.append("side")
    return "side"

def needs(two):
    ran.append("needs")
    if not Path(__file__).with_name("mended").exists():
        raise ValueError("not mended")
    return two + 1

def always(two):
    ran.append("always")
    return two + 1000

def last(needs):
    ran.append("last")
    return needs * 10

def last_other(needs):
    ran.append("last_other")
    return needs * 100

def extra(one=0, two=0):
    ran.append("extra")
    return 7

def both(needs, extra):
    ran.append("both")
    return needs + extra
"""
#: What each of them is given; the flow has no edge for `m` at first.
TAKES = {
    "one": ("n",), "two": ("one",), "side": ("one",), "needs": ("two",), "last": ("needs",), "extra": ("one", "two"),
    "both": ("needs", "extra"),
}  # fmt: skip
#: one -> two -> needs (fails) -> last; one -> side; two is also looked at by a condition, of which `low` is dead.
PINNED = {"last": 2030, "side": "side"}


def node(id_: str, function: str, module: str, **more: Any) -> Document:
    params = {name: {"type": "any"} | ({"optional": True} if function == "extra" else {}) for name in TAKES[function]}
    return {"id": id_, "type": "python", "config": {"function": f"{module}:{function}", "params": params}, **more}


def base(module: str) -> Document:
    def edge(source: str, target: str, port: str = "", **more: Any) -> Document:
        return {"source": source, "target": target, "target_port": port or source, **more}

    return {
        "format": 1,
        "name": "edited",
        "variables": [{"name": "n", "type": "number", "default": 1}],
        "nodes": [
            node("one", "one", module),
            node("two", "two", module),
            node("side", "side", module),
            {"id": "big", "type": "control.condition", "config": {"test": "two > 1000"}},
            node("needs", "needs", module),
            node("last", "last", module),
            node("rare", "extra", module),
        ],
        "edges": [
            edge("one", "two"),
            edge("one", "side"),
            edge("two", "big"),
            edge("big", "needs", "after"),
            edge("two", "needs"),
            edge("needs", "last"),
            edge("big", "rare", "after", source_port="true"),
        ],
    }


def find(document: Document, id_: str) -> Document:
    return next(each for each in document["nodes"] if each["id"] == id_)


def config(id_: str, **changes: Any) -> Callable[[Document], None]:
    return lambda document: find(document, id_).setdefault("config", {}).update(changes)


def change(id_: str, **changes: Any) -> Callable[[Document], None]:
    return lambda document: find(document, id_).update(changes)


def function(id_: str, name: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        module = find(document, "one")["config"]["function"].partition(":")[0]
        find(document, id_)["config"]["function"] = f"{module}:{name}"

    return edit


def rename(old: str, new: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        find(document, old)["id"] = new
        for each in document["edges"]:
            for end in ("source", "target"):
                each[end] = new if each[end] == old else each[end]

    return edit


def delete(*ids: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        document["nodes"] = [each for each in document["nodes"] if each["id"] not in ids]
        document["edges"] = [each for each in document["edges"] if not {each["source"], each["target"]} & set(ids)]

    return edit


def cut(source: str, target: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        document["edges"] = [e for e in document["edges"] if (e["source"], e["target"]) != (source, target)]

    return edit


def wire(source: str, target: str, port: str = "", **more: Any) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        document["edges"].append({"source": source, "target": target, "target_port": port or source, **more})

    return edit


def condition(source: str, target: str, text: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        for each in document["edges"]:
            if (each["source"], each["target"]) == (source, target):
                each["condition"] = text

    return edit


def add(id_: str, name: str, **more: Any) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        module = find(document, "one")["config"]["function"].partition(":")[0]
        document["nodes"].append(node(id_, name, module, **more))

    return edit


def variable(name: str, **fields: Any) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        others = [each for each in document["variables"] if each["name"] != name]
        document["variables"] = [*others, {"name": name, "type": "number", **fields}]

    return edit


def no_variables(document: Document) -> None:
    document["variables"] = []


def settings(**fields: Any) -> Callable[[Document], None]:
    return lambda document: document.update(settings=fields)


def backwards(document: Document) -> None:
    document["nodes"].reverse()
    document["edges"].reverse()


def together(*edits: Callable[[Document], None]) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        for each in edits:
            each(document)

    return edit


def empty(document: Document) -> None:
    document["nodes"], document["edges"] = [], []


LATE = "was completed before it could be evaluated"
#: An edit, and what comes of it: the outputs after --migrate, or what is said by the refusal.
EDITS: dict[str, tuple[Callable[[Document], None], dict[str, Any] | str]] = {
    "nothing": (lambda _: None, PINNED),
    # names and looks
    "another name": (lambda document: document.update(name="other"), PINNED),
    "notes and a description": (together(change("two", notes="x"), lambda d: d.update(description="d")), PINNED),
    "a node's label": (change("two", name="Two"), PINNED),
    "positions": (lambda document: document.update(positions={"one": [1, 2]}), PINNED),
    "another order": (backwards, PINNED),
    # nodes that were completed
    "the first node renamed": (rename("one", "uno"), "one was completed, and is gone. If it is uno now, give"),
    "a done node renamed": (rename("side", "aside"), "side was completed, and is gone. If it is aside now, give"),
    "a done node deleted": (delete("side"), "side was completed, and is gone."),
    "a done condition deleted": (delete("big", "rare"), "big was completed, and is gone."),
    "a done node in the way deleted": (delete("two"), "two"),
    "everything deleted": (empty, "one was completed, and is gone."),
    "two done nodes deleted": (delete("side", "big", "rare"), "side was completed, and is gone.\n- big was completed"),
    "a done node of another type": (
        together(change("side", type="control.condition", config={"test": "1 > 0"}), cut("one", "side")),
        "side was completed as python, and is control.condition now.",
    ),
    "code of a done node": (function("two", "two_other"), PINNED),
    "retry of a done node": (change("two", retry={"attempts": 3}), PINNED),
    "a done node disabled": (change("side", disabled=True), PINNED),
    "timeout of a done node": (change("one", timeout=5), PINNED),
    "on_error of a done node": (change("two", on_error="skip"), PINNED),
    "on_crash of a done node": (change("two", on_crash="ask"), PINNED),
    "the test of a done condition": (config("big", test="two > 1"), PINNED),
    # nodes that failed
    "code of the failed node": (function("needs", "always"), {"last": 12020, "side": "side"}),
    "the failed node renamed": (
        together(rename("needs", "wants"), wire("wants", "last", "needs"), cut("wants", "last")),
        "last needs 'needs', and nothing feeds it",
    ),
    "the failed node and what needs it deleted": (delete("needs", "last"), {"side": "side"}),
    "the failed node disabled": (change("needs", disabled=True), {"last": 2020, "side": "side"}),
    "a fallback for the failed node": (change("needs", on_error="fallback", fallback=5), PINNED),
    "retry of the failed node": (change("needs", retry={"attempts": 2}), PINNED),
    "the failed node of another type": (
        together(cut("two", "needs"), change("needs", type="control.condition", config={"test": "1 > 0"})),
        {"last": 10, "side": "side"},
    ),
    # nodes that had not run
    "code of a pending node": (function("last", "last_other"), {"last": 20300, "side": "side"}),
    "a pending node deleted": (delete("last"), {"needs": 203, "side": "side"}),
    "a pending node renamed": (rename("last", "final"), {"final": 2030, "side": "side"}),
    "a skipped node deleted": (delete("rare"), PINNED),
    "a skipped node freed of its gate": (cut("big", "rare"), PINNED | {"rare": 7}),
    "a skipped node behind the other port": (
        together(cut("big", "rare"), wire("big", "rare", "after", source_port="false")),
        PINNED | {"rare": 7},
    ),
    "a node added at the start": (together(add("extra", "extra")), PINNED | {"extra": 7}),
    "a node added before a done one": (together(add("extra", "extra"), wire("extra", "two", "after")), PINNED),
    "a node added after a done one": (together(add("extra", "extra"), wire("two", "extra")), PINNED | {"extra": 7}),
    "a node added after the failed one": (
        together(add("extra", "extra"), wire("needs", "extra", "after")),
        PINNED | {"extra": 7},
    ),
    "a node added between": (
        together(
            cut("needs", "last"), add("between", "last"), wire("needs", "between"), wire("between", "last", "needs")
        ),
        {"last": 20300, "side": "side"},
    ),
    "a node added at the end": (
        together(add("more", "last"), wire("last", "more", "needs")),
        {"more": 20300, "side": "side"},
    ),
    "two nodes added that need one another": (
        together(add("extra", "extra"), add("both", "both"), wire("needs", "both"), wire("extra", "both")),
        PINNED | {"both": 210},
    ),
    # edges
    "an edge between done nodes cut": (cut("one", "side"), "side"),
    "an order between done nodes": (wire("side", "two", "after"), {"last": 2030}),
    "an order before a pending node": (wire("side", "last", "after"), {"last": 2030}),
    "a condition on a done node's edge": (condition("two", "needs", "two > 0"), LATE),
    "a condition on a pending node's edge": (condition("needs", "last", "needs > 10"), PINNED),
    "a condition that is false": (condition("needs", "last", "needs > 1000"), {"side": "side"}),
    "a cycle": (wire("last", "two", "after"), "wait for one another"),
    # inputs and settings
    "another default": (variable("n", default=50), PINNED),
    "a new input with a default": (variable("m", default=5), PINNED),
    "a new input without one": (variable("m"), "The input 'm' (number) is new and has no default"),
    "an input gone": (no_variables, "n"),
    "an input of another type": (
        variable("n", type="array", default=[]),
        "The input 'n' is 1 in this run, and must be a list",
    ),
    "concurrency": (settings(concurrency=1), PINNED),
    "a budget of time": (settings(time_zone="Europe/Berlin"), PINNED),
}


@pytest.fixture
def store(own_store: str) -> Store:
    return open_store(own_store)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def rested(run: Run) -> Run:
    while not run.resting:
        run._settled.wait(5)
    return run


def failed(folder: Path, store: Store) -> tuple[str, Document, Path]:
    """A run of a document that failed in its middle."""
    module = f"edited_{next(_numbers)}"
    (folder / f"{module}.py").write_text(FUNCTIONS)
    document = base(module)
    path = folder / "edited.json"
    path.write_text(json.dumps(document))
    target = programs.parse_target("edited.json", folder)
    run = rested(programs.start_target(target, programs.load(target), {}, store))
    assert run.status is RunStatus.FAILED, run.error
    return run.id, document, path


def resume(store: Store, run_id: str, *, migrate: bool) -> Run:
    row = require_row(store, run_id)
    program = store.program(row.program)
    assert program is not None
    return rested(programs.resume_target(store, row, program, migrate=migrate))


def migrated(store: Store, run_id: str) -> tuple[Run | None, str]:
    """The run as it went over, or why it did not; anything but a sentence is a fault."""
    try:
        return resume(store, run_id, migrate=True), ""
    except FlownbError as error:
        return None, str(error)


def nothing_ran_twice(store: Store, run_id: str) -> bool:
    done: set[str] = set()
    for record in store.events(run_id):
        if isinstance(record.event, NodeStarted) and record.event.node in done:
            return False
        if isinstance(record.event, NodeCompleted):
            done.add(record.event.node)
    return True


def test_there_are_fifty_of_them() -> None:
    assert len(EDITS) >= 50


@pytest.mark.parametrize("name", EDITS)
def test_a_pinned_run_ends_as_it_was_whatever_its_document_says_now(name: str, folder: Path, store: Store) -> None:
    run_id, document, path = failed(folder, store)
    edited = copy.deepcopy(document)
    EDITS[name][0](edited)
    path.write_text(json.dumps(edited))
    (folder / "mended").touch()
    run = resume(store, run_id, migrate=False)
    assert run.outputs == PINNED, run.error
    assert nothing_ran_twice(store, run_id)


@pytest.mark.parametrize("name", EDITS)
def test_a_run_goes_over_to_the_edited_document_or_says_why_not(name: str, folder: Path, store: Store) -> None:
    edit, expected = EDITS[name]
    run_id, document, path = failed(folder, store)
    edited = copy.deepcopy(document)
    edit(edited)
    path.write_text(json.dumps(edited))
    (folder / "mended").touch()
    before, events = require_row(store, run_id), store.events(run_id)
    run, refusal = migrated(store, run_id)
    if run is None:
        assert isinstance(expected, str), refusal
        assert expected in refusal
        assert (require_row(store, run_id), store.events(run_id)) == (before, events)  # nothing was changed
        assert resume(store, run_id, migrate=False).outputs == PINNED
        return
    assert nothing_ran_twice(store, run_id)
    assert run.outputs == expected, run.error
    row = require_row(store, run_id)
    (moved,) = [r.event for r in store.events(run_id) if isinstance(r.event, RunResumed)]
    assert moved.definition == ("" if row.definition == before.definition else row.definition)
    assert bool(moved.definition) == any(isinstance(r.event, SystemInfo) for r in store.events(run_id))
    program = store.program(row.program)
    assert program is not None
    assert json.loads(program.source) == edited
