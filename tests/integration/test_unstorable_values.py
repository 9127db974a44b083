"""Thirty values that can't be stored: thirty badges with a sentence, and no pickle in any file of the store."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import pickletools
import queue
import re
import socket
import sqlite3
import threading
import types
import weakref
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

from flownb import Flow
from flownb.graph.nodetype import Output
from flownb.run.handles.describe import describe_state
from flownb.store import values
from flownb.store.sqlite import SqliteStore


class Model:
    """Like a fitted model: state, and code that nobody but its own class knows."""

    def __init__(self) -> None:
        self.weights = {"w": [0.1, 0.2]}

    def predict(self) -> float:
        return 0.5


class EvilReduce:
    def __reduce__(self) -> Any:
        return (print, ("pwned by a pickle",))


class EvilEq:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparing")

    __hash__ = object.__hash__


class EvilRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no showing")


class EvilGetattr:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no looking at {name}")


class EvilClass:
    @property
    def __class__(self) -> Any:
        return dict

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


class Text(str):  # noqa: SLOT000  as users write them
    """A kind of text with code of its own."""


def _recursive() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def _recursive_dict() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["me"] = {"again": loop}
    return loop


async def _coroutine() -> None: ...


async def _stream() -> Any:
    yield 1


_OPEN: Final[list[Any]] = []


def _closed_later(value: Any) -> Any:
    _OPEN.append(value)
    return value


#: What each node returns; made in the node, because some live on the thread that made them.
UNSTORABLE: Final[dict[str, Any]] = {
    "lambda_": lambda: lambda x: x,
    "builtin": lambda: print,
    "class_": lambda: Model,
    "method": lambda: Model().predict,
    "module": lambda: json,
    "socket_": lambda: _closed_later(socket.socket()),
    "lock": threading.Lock,
    "thread": lambda: threading.Thread(target=print),
    "event": threading.Event,
    "generator": lambda: (number for number in range(3)),
    "async_generator": _stream,
    "open_file": lambda: _closed_later(Path(__file__).open("rb")),  # noqa: SIM115  closed by the fixture
    "in_memory_file": lambda: io.BytesIO(b"abc"),
    "connection": lambda: _closed_later(sqlite3.connect(":memory:", check_same_thread=False)),
    "weak": lambda: weakref.ref(Model),
    "queue_": queue.Queue,
    "model": Model,
    "recursive": _recursive,
    "recursive_dict": _recursive_dict,
    "reduce_": EvilReduce,
    "eq_": EvilEq,
    "repr_": EvilRepr,
    "getattr_": EvilGetattr,
    "class_lies": EvilClass,
    "kind_of_text": lambda: Text("abc"),
    "frame_of_objects": lambda: pd.DataFrame({"m": [Model(), Model()]}),
    "deep": lambda: {"a": [1, {"b": (2, {"model": Model()})}]},
    "exception": lambda: ValueError("as a value"),
    "pattern": lambda: re.compile("a+"),
    "namespace": lambda: types.SimpleNamespace(a=1),
    "iterator": lambda: iter([1, 2]),
    "object_": object,
    "port": lambda: Output(Model()),
}

#: Values that look as if they couldn't be, and can.
STORABLE: Final[dict[str, Any]] = {
    "nan_key": {float("nan"): 1},
    "huge": 7**20_000,
    "surrogate": "\ud800",
    "tuple_keys": {(1, 2): {3}},
}


def _node(flow: Flow, name: str, make: Any) -> None:
    def body() -> Any:
        return make()

    body.__name__ = name
    flow.node(body)


def _pickles_in(data: bytes) -> list[bytes]:
    """The pickles that a file holds: each possible beginning is read as one."""
    found = []
    for match in re.finditer(rb"\x80[\x02-\x05]", data):
        part = data[match.start() : match.start() + 4096]
        with contextlib.suppress(Exception):
            opcodes = [opcode.name for opcode, _, _ in pickletools.genops(part)]
            if opcodes[-1] == "STOP" and len(opcodes) > 2:
                found.append(part[:40])
    return found


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = SqliteStore(tmp_path / "flownb.db")
    yield opened
    opened.close()
    while _OPEN:
        _OPEN.pop().close()


def test_thirty_values_that_cannot_be_stored_get_thirty_badges_and_no_pickle(store: SqliteStore) -> None:
    assert len(UNSTORABLE) >= 30
    flow = Flow("unstorable")
    for name, make in UNSTORABLE.items():
        _node(flow, name, make)
    for name, value in STORABLE.items():
        _node(flow, name, lambda value=value: value)
    run = flow.run(store=store, display=False)
    result = run.result(60)
    assert set(result) == set(UNSTORABLE) | set(STORABLE)
    row = store.row(run.id)
    assert row is not None
    document = describe_state(row, run.state, store)
    for name in UNSTORABLE:
        view = run[name]
        assert view.transient, f"{name} was stored as {values.preview(view.plain, 200)}"
        reason = view.plain["$transient"]["reason"]
        assert re.fullmatch(r"(The value|Its part .{1,100}) .{10,300}\.", reason, re.DOTALL), (name, reason)
        assert "Traceback" not in reason
        assert "transient" in view.why
        assert view.preview["kind"] == "object"
        assert "$transient" in json.dumps(document["nodes"][name]["output"])
    for name in STORABLE:
        assert not run[name].transient
    files = [path for path in Path(store.path.parent).rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"flownb.db", "flownb.db-wal"}
    for path in files:
        data = path.read_bytes()
        assert _pickles_in(data) == [], path
        assert b"pwned by a pickle" not in data
        assert b"cbuiltins\n" not in data
        assert b"copyreg" not in data


def test_the_search_for_pickles_finds_one() -> None:
    import pickle

    assert _pickles_in(b"before" + pickle.dumps({"a": [1, Text("b")]}) + b"after") != []


def test_a_coroutine_is_refused_by_a_plain_function_and_awaited_in_an_async_one(store: SqliteStore) -> None:
    flow = Flow("coroutine")

    @flow.node(on_error="continue")
    def plain() -> Any:
        return _coroutine()

    @flow.node
    async def task() -> Any:
        return asyncio.get_running_loop().create_future()

    run = flow.run(store=store, display=False)
    with pytest.raises(Exception, match="async def"):
        run.result(30)
    assert run["task"].transient
