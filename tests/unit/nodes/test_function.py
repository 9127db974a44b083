from __future__ import annotations

import asyncio
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import FlownbError, NotFound, UsageError
from flownb.graph.builder import Builder
from flownb.graph.function import function_config, read_signature
from flownb.model.status import Where
from flownb.model.workflow import Node
from flownb.nodes.function import load_function
from flownb.nodes.prepare import prepare
from flownb.nodes.python import PythonNode
from flownb.testing import FakeContext

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module as an author writes it: a flow, a node, a function, something else."""
    made = types.ModuleType("authors_module")
    flow = Builder("authors")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    code = """
@flow.node
def load(path, rows=3):
    return path * rows

class Tools:
    def clean(rows):
        return sorted(rows)

answer = 42
"""
    made.__dict__["flow"] = flow
    exec(code, made.__dict__)
    return made


@pytest.fixture
def broken_modules(module: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules that fail when they are imported."""
    (tmp_path / "authors_broken.py").write_text("raise ValueError('no luck')")
    (tmp_path / "authors_needy.py").write_text("import no_such_module")
    monkeypatch.syspath_prepend(tmp_path)


def node_for(function: Any, **config: Any) -> Node:
    return Node(id="n", type="python", config={**function_config(function, read_signature(function)), **config})


def run(node: Node, function: Any = None, /, **inputs: Any) -> Any:
    context = FakeContext(path=node.id)
    return asyncio.run(prepare(PythonNode, node, context, inputs, function).execute(context, inputs))


def test_a_sync_function_runs_on_a_thread_and_an_async_one_on_the_loop() -> None:
    def sync(x: int) -> tuple[int, bool]:
        return x, threading.current_thread() is threading.main_thread()

    async def loop(x: int) -> tuple[int, bool]:
        return x, threading.current_thread() is threading.main_thread()

    assert PythonNode.where_of(node_for(sync)) is Where.THREAD
    assert PythonNode.where_of(node_for(loop)) is Where.LOOP
    assert run(node_for(sync), sync, x=3) == (3, False)
    assert run(node_for(loop), loop, x=3) == (3, True)


def test_what_a_sync_function_gives_to_await_is_awaited() -> None:
    async def inner() -> int:
        return 7

    def outer() -> Any:
        return inner()

    assert run(node_for(outer), outer) == 7


def test_an_absent_input_is_left_to_the_function_s_default_and_a_stray_one_is_not_passed() -> None:
    def load(path: str, rows: int = 3) -> str:
        return path * rows

    assert run(node_for(load), load, path="ab") == "ababab"
    assert run(node_for(load), load, path="ab", rows=1, other=5) == "ab"


def test_a_function_with_keywords_of_any_name_gets_all() -> None:
    def collect(**parts: int) -> dict[str, int]:
        return parts

    assert run(node_for(collect), collect, a=1, b=2) == {"a": 1, "b": 2}


def test_the_context_comes_as_ctx() -> None:
    def where(ctx: Any) -> str:
        return str(ctx.path)

    assert run(node_for(where), where) == "n"


def test_a_function_is_imported_by_its_address_and_a_node_stands_for_its_function(module: types.ModuleType) -> None:
    assert load_function("authors_module:load", "n") is module.load.function
    assert load_function("authors_module:Tools.clean", "n")([2, 1]) == [1, 2]
    node = Node(id="n", type="python", config={"function": "authors_module:load", "params": {"path": {}, "rows": {}}})
    assert PythonNode.function_of(node)("x") == "xxx"
    assert run(node, path="x", rows=2) == "xx"


@pytest.mark.parametrize(
    ("address", "error", "sentence"),
    [
        ("", UsageError, "the function's address is ''; it must be `module:function`"),
        ("json", UsageError, "it must be `module:function`"),
        ("no_such_module:f", NotFound, "there is no module 'no_such_module' for its function"),
        ("json.no_such_part:f", NotFound, "there is no module 'json.no_such_part'"),
        ("json:laods", NotFound, "json has no function 'laods'. Did you mean 'loads'"),
        ("authors_module:answer", UsageError, "authors_module:answer is int, and a node needs a function"),
        ("__main__:load", NotFound, "was defined in a notebook or script"),
        ("json:make.<locals>.inner", NotFound, "was defined inside another function"),
        ("authors_broken:f", UsageError, "'authors_broken' can't be imported: ValueError: no luck"),
        ("authors_needy:f", UsageError, "'authors_needy' needs 'no_such_module'"),
    ],
)
def test_what_can_t_be_imported_says_why_and_what_to_do(
    broken_modules: None, address: str, error: type[FlownbError], sentence: str
) -> None:
    with pytest.raises(error, match=f"n: .*{sentence}"):
        load_function(address, "n")


@pytest.mark.parametrize(
    ("config", "place", "sentence"),
    [
        ({}, "config.function", "it needs the field 'function'"),
        ({"function": "f"}, "config.function", "it must be `module:name`"),
        ({"function": 3}, "config.function", "it must be `module:name`"),
        ({"function": "m:f", "code": "x", "parms": {}}, "config.parms", "no field 'parms'. Did you mean 'params'"),
        ({"function": "m:f", "params": []}, "config.params", "must be a table"),
        ({"function": "m:f", "params": {"a": 3}}, "config.params.a", "takes type and optional"),
        ({"function": "m:f", "params": {"a": {"type": "text"}}}, "config.params.a.type", "which no port has"),
        ({"function": "m:f", "returns": "text"}, "config.returns", "must be one of"),
        ({"function": "m:f", "outputs": "even"}, "config.outputs", "must be a list of port names"),
        ({"function": "m:f", "outputs": ["a b"]}, "config.outputs", "must be a list of port names"),
    ],
)
def test_a_config_of_a_document_is_checked_field_by_field(config: dict[str, Any], place: str, sentence: str) -> None:
    (problem,) = PythonNode.check(Node(id="n", type="python", config=config))
    assert (problem.place, problem.code) == (place, "bad_config")
    assert sentence in problem.message


def test_unhashable_values_in_a_config_are_problems_and_no_crash() -> None:
    config = {"function": "m:f", "returns": [], "params": {"a": {"type": {}}}}
    places = [problem.place for problem in PythonNode.check(Node(id="n", type="python", config=config))]
    assert places == ["config.params.a.type", "config.returns"]
