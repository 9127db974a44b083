from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import os
import time
import tracemalloc
import warnings
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import ExpressionError
from flownb.expr import compile_condition, compile_expression, compile_template, limits
from flownb.expr.limits import new_work
from flownb.expr.refusal import Refusal
from tests.unit.expr.attacks import ATTACKS

if TYPE_CHECKING:
    from collections.abc import Callable

#: Even the processor's clock runs on while the other half of a core, or its memory, is busy with something else.
_SLOWER = 3
PLAIN = {str, int, float, bool, type(None)}
touched: list[str] = []


def recorder(name: str) -> Callable[..., Any]:
    def record(*_arguments: Any) -> Any:
        touched.append(name)
        raise RuntimeError(f"{name} was called")

    return record


_SPECIAL = (
    *("getattribute", "getattr", "setattr", "delattr", "call", "getitem", "setitem", "delitem", "len", "iter", "next"),
    *("contains", "bool", "eq", "ne", "lt", "le", "gt", "ge", "hash", "str", "repr", "format", "bytes", "add", "radd"),
    *("sub", "rsub", "mul", "rmul", "mod", "rmod", "truediv", "rtruediv", "neg", "pos", "abs", "round", "index"),
    *("int", "float", "complex", "reversed", "copy", "deepcopy", "reduce", "reduce_ex", "enter", "exit", "dir"),
    *("sizeof", "length_hint"),
)
_METHODS: dict[str, Any] = {f"__{name}__": recorder(name) for name in _SPECIAL}

#: A class of objects of which nothing can be asked without being recorded.
Tripwire = type("Tripwire", (), _METHODS)
EvilMeta = type("EvilMeta", (type,), {"__call__": recorder("meta call"), "__name__": property(recorder("meta name"))})


EVIL_CLASS = EvilMeta("Evil", (), {})


def overriding(base: type, *names: str) -> type:
    return type(f"Evil{base.__name__}", (base,), {name: _METHODS[name] for name in names})


class EvilKey:
    """Equal to every text that hashes alike, and says so."""

    def __hash__(self) -> int:
        return hash("a")

    __eq__ = _METHODS["__eq__"]


def doubled(times: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(times):
        value = [value, value]
    return value


def make_data() -> dict[str, Any]:
    """Data with everything in it that an attacker could hope for."""
    circle: list[Any] = []
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(3_000):
        deep = [deep]
    evil_dict = overriding(dict, "__getitem__", "__iter__", "__len__", "__contains__")
    evil_list = overriding(list, "__getitem__", "__iter__", "__len__", "__contains__")
    evil_text = overriding(str, "__str__", "__len__", "__eq__", "__hash__", "__contains__", "__iter__")
    model = Tripwire()
    return {
        "model": model,
        "box": {"model": model},
        "cls": EVIL_CLASS,
        "function": recorder("function"),
        "module": os,
        "generator": (recorder("generator")() for _ in [1]),
        "error": ValueError("x"),
        "bytes": b"abc",
        "evil_dict": evil_dict({"a": 1}),
        "evil_list": evil_list([1]),
        "evil_text": evil_text("a"),
        "evil_number": overriding(int, "__add__", "__radd__", "__index__", "__int__")(1),
        "order": {"total": 12.5, "_private": 1, "a": "b"},
        "lines": [3, 1, 2],
        "text": "a" * 90_000,
        "huge": 10**50_000,
        "nan": float("nan"),
        "inf": float("inf"),
        "doubled": doubled(60),
        "circle": circle,
        "deep": deep,
        "many": list(range(500_000)),
        "missing_factory": defaultdict(list, {"here": [1]}),
        "surrogate": "\ud800",
        "a": 1,
    }


DATA = make_data()
ALL = [(kind, text) for kind, texts in ATTACKS.items() for text in texts]


def is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is list:
        return all(map(is_plain, value))
    if kind is dict:
        return all(type(key) in PLAIN and is_plain(each) for key, each in value.items())
    return kind in PLAIN


def attempt(text: str, compile_it: Callable[[str], Any]) -> None:
    """Whatever comes of it must be plain data, the one error, or a whole root for a lone name."""
    started = time.perf_counter()
    failure = None
    try:
        compiled = compile_it(text)
        value = compiled.evaluate(DATA)
    except ExpressionError as error:
        failure = error
    # The limit is 50 ms; this only catches what hangs, on a busy machine too.
    assert time.perf_counter() - started < 1, text
    if failure is None:
        if compiled.lone is not None and type(value) is not bool:
            assert value is DATA[compiled.lone]
        else:
            assert is_plain(value)
        return
    assert type(failure) is ExpressionError
    assert type(failure.text) is str
    assert type(failure.position) is int
    assert 0 <= failure.position <= len(failure.text)
    assert len(failure.message) < 2_000
    assert "This can't be evaluated:" not in failure.message, text


def test_there_are_more_than_two_hundred() -> None:
    texts = {text for _, text in ALL}
    assert len(texts) >= 200
    assert len(texts) == len(ALL)


@pytest.mark.parametrize(("kind", "text"), ALL, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(ALL)])
def test_every_attack_is_refused_or_harmless(kind: str, text: str) -> None:  # it is in the id
    before = {name: copy.deepcopy(DATA[name]) for name in ("order", "lines", "missing_factory")}
    environment = dict(os.environ)
    touched.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attempt(text, compile_expression)
        attempt(text, compile_condition)
        attempt(text, compile_template)
        attempt(f"{{{{ {text} }}}}", compile_template)
        attempt(f"It is {{{{ {text} }}}}.", compile_template)
    assert touched == []
    assert {name: DATA[name] for name in before} == before
    assert dict(os.environ) == environment


@pytest.mark.parametrize("kind", ATTACKS)
def test_every_attack_is_over_within_fifty_milliseconds(kind: str) -> None:
    """Of the processor's time, which others on the machine take no part of; the best of three, because it is shared."""
    for text in ATTACKS[kind]:
        taken = []
        for _ in range(3):
            start = time.thread_time()
            with contextlib.suppress(ExpressionError):
                compile_expression(text).evaluate(DATA)
            taken.append(time.thread_time() - start)
            if taken[-1] < 0.05:
                break
        assert min(taken) < 0.05 * _SLOWER, text


@pytest.mark.parametrize("kind", ATTACKS)
def test_no_attack_takes_more_than_the_budget_or_twenty_megabytes(kind: str) -> None:
    for text in ATTACKS[kind]:
        work = new_work()
        why = ""
        tracemalloc.start()
        try:
            compile_expression(text).compiled.run(DATA, work)
        except ExpressionError:
            pass  # the text can't be read
        except Refusal as refusal:
            why = refusal.message
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert work[0] >= 0 or "too much work" in why, text
        assert peak < 20_000_000, text


def test_a_key_of_a_live_class_harms_nobody() -> None:
    touched.clear()
    data = {"d": {EvilKey(): 1}}
    with pytest.raises(ExpressionError):
        compile_expression("d.a").evaluate(data)
    with pytest.raises(ExpressionError):
        compile_expression("[d]").evaluate(data)


def test_no_file_of_the_package_could_run_code_or_follow_an_attribute_that_a_text_names() -> None:
    for path in Path(inspect.getfile(limits)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__", "setattr", "vars", "format"), path
                if node.func.id == "getattr":
                    # On modules that are loaded already, with a name that stands in the code.
                    assert ast.unparse(node.args[0]).startswith("sys.modules.get("), path
