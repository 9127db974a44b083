from __future__ import annotations

import datetime as dt
import enum
import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.errors import UsageError
from flownb.graph.function import (
    Parameter,
    check_outputs,
    function_config,
    function_ports,
    plain_default,
    read_signature,
)
from flownb.model.ports import DataType, InputPort, OutputPort

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


def load(path: str, rows: int = 10, *, ctx: Any, strict=None) -> dict[str, int]:  # type: ignore[no-untyped-def]  # noqa: ANN001  a parameter without a hint
    """Read the file.

    All of it.
    """
    return {}


class Colour(enum.Enum):
    RED = "red"


def test_parameters_types_help_and_the_context_are_read() -> None:
    signature = read_signature(load)
    assert signature.parameters == (
        Parameter("path", DataType.STRING),
        Parameter("rows", DataType.NUMBER, 10),
        Parameter("strict", DataType.ANY, None),
    )
    assert (signature.returns, signature.help, signature.takes_context) == (DataType.OBJECT, "Read the file.", True)
    assert not signature.is_async
    assert not signature.open


def test_without_a_hint_a_default_says_the_type_of_the_input_but_not_of_the_port() -> None:
    parameter = read_signature(lambda limit=3: limit).parameters[0]
    assert parameter.type is DataType.ANY
    assert parameter.input_type is DataType.NUMBER


def test_async_functions_partials_and_callable_objects_are_nodes_too() -> None:
    async def fetch(url: str) -> bytes:
        return b""

    class Fetch:
        async def __call__(self, url: str) -> bytes:
            return b""

    assert read_signature(fetch).is_async
    assert read_signature(Fetch()).is_async
    partial = read_signature(functools.partial(load, "a.csv"), name="partial")
    assert [each.name for each in partial.parameters] == ["rows", "strict"]


def test_a_decorated_function_is_read_through_its_decorator() -> None:
    def twice(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    assert [each.name for each in read_signature(twice(load)).parameters] == ["path", "rows", "strict"]


def test_keywords_of_any_name_make_the_node_open() -> None:
    signature = read_signature(lambda **parts: parts)
    assert signature.open
    assert function_ports(function_config(lambda **parts: parts, signature)).open


def by_position(a: int, /, b: int) -> None: ...


def any_number(*parts: int) -> None: ...


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (by_position, "by_position takes 'a' by position only.*remove the `/`"),
        (any_number, r"any_number takes \*parts.*functools\.wraps"),
        (generator, "generator has a `yield`.*return a list"),
        (async_generator, "has a `yield`"),
        (3, "can't be called"),
        (type, "has no signature that Python can read"),
    ],
)
def test_what_can_t_be_called_by_name_is_refused_with_the_way_out(function: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read_signature(function)


def test_a_config_keeps_what_the_engine_and_the_canvas_need() -> None:
    config = function_config(load, read_signature(load), ("good", "bad"))
    assert config["function"].endswith(":load")
    assert config["source"].startswith("def load(path: str")
    assert len(config["code"]) == 32
    assert config["params"] == {
        "path": {"type": "string"},
        "rows": {"type": "number", "optional": True},
        "strict": {"type": "any", "optional": True},
    }
    assert (config["returns"], config["outputs"], config["context"]) == ("object", ["good", "bad"], True)
    assert "async" not in config
    assert "open" not in config
    msgspec.json.encode(config)


def test_ports_come_back_from_the_config() -> None:
    ports = function_ports(function_config(load, read_signature(load), ["good"]))
    assert ports.inputs == (
        InputPort("path", DataType.STRING),
        InputPort("rows", DataType.NUMBER, required=False),
        InputPort("strict", required=False),
    )
    assert ports.outputs == (OutputPort("main", DataType.OBJECT), OutputPort("good"))


@pytest.mark.parametrize("config", [{}, {"params": 3}, {"params": {"a": 3}, "outputs": 7, "returns": []}])
def test_a_malformed_config_has_the_ports_that_can_be_read(config: dict[str, Any]) -> None:
    assert function_ports(config).outputs[0] == OutputPort()


@pytest.mark.parametrize(
    ("ports", "sentence"),
    [
        (["a b"], "needs a name that is a Python identifier"),
        (["main"], "already"),
        (["x", "x"], "already"),
        (["error"], "already"),
    ],
)
def test_extra_ports_need_names_of_their_own(ports: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_outputs("sort", ports)


def test_one_extra_port_may_be_given_alone() -> None:
    assert check_outputs("sort", "even") == ("even",)


def test_functions_of_one_definition_share_their_source_and_differ_by_what_they_enclose() -> None:
    def make(number: int) -> Callable[[], int]:
        def inner() -> int:
            return number

        return inner

    first, same, second = (function_config(each, read_signature(each)) for each in (make(1), make(1), make(2)))
    other = function_config(load, read_signature(load))
    assert first["source"] == second["source"]
    assert first["code"] == same["code"]
    assert len({first["code"], second["code"], other["code"]}) == 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (3, 3),
        (1.5, 1.5),
        (math.inf, "inf"),
        (dt.date(2026, 5, 1), "2026-05-01"),
        (Path("a/b"), "a/b"),
        ((1, (2,)), [1, [2]]),
        ({1: Path("x")}, {"1": "x"}),
        (Colour.RED, "red"),
        (object(), None),
    ],
)
def test_a_definition_shows_a_default_in_plain_form(value: Any, plain: Any) -> None:
    assert plain_default(value) == plain
