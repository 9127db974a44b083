import contextlib
import dataclasses
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from inspect import getsource
from pathlib import Path
from typing import Any

import pytest

from flownb.model import source
from flownb.model.source import source_of


def functions_of(module: str) -> Iterator[Callable[..., Any]]:
    for held in vars(importlib.import_module(module)).values():
        for each in vars(held).values() if inspect.isclass(held) else [held]:
            if inspect.isfunction(each):
                yield inspect.unwrap(each)


@pytest.mark.parametrize("module", ["asyncio.base_events", "click.core", "contextlib", "typing", "flownb.run.engine"])
def test_it_is_what_inspect_finds_and_hardly_ever_asks_it(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(functions_of(module))
    expected = [textwrap.dedent(getsource(each)) if each.__code__.co_filename[0] != "<" else "" for each in found]
    asked: list[object] = []

    def ask(function: Any) -> str:
        asked.append(function)
        return getsource(function)

    monkeypatch.setattr(inspect, "getsource", ask)
    assert [source_of(each) for each in found] == expected
    assert len(asked) <= len(found) / 10 + 2


def loaded(text: str, folder: Path) -> dict[str, Any]:
    path = folder / "nodes.py"
    path.write_text(text)
    names: dict[str, Any] = {"__name__": "nodes"}
    exec(compile(text, str(path), "exec"), names)
    return names


ODD = '''
import functools

def keep(*args, **kw):
    return lambda function: function

@keep(
    1,
)
@keep()

def decorated(
    a,
):
    # at its beginning
    text = """
out here
"""
# not indented
    return text

    # at its end

# of the next

async def waits(): return 1
def below(a,
b): return [
    a,
]
rows = [lambda a: a + 1, lambda b: (
    b)]
if True:
    def inner(): pass
    class Holder:
        @staticmethod
        def method(x): return x
'''


def test_odd_layouts_are_found_as_inspect_finds_them(tmp_path: Path) -> None:
    names = loaded(ODD, tmp_path)
    for each in (names["decorated"], names["waits"], names["below"], names["inner"], names["Holder"].method):
        assert source_of(each) == textwrap.dedent(getsource(each))
    assert "not indented" in source_of(names["decorated"])
    assert "at its end" in source_of(names["decorated"])
    assert "of the next" not in source_of(names["decorated"])


def test_what_has_no_text_gives_none() -> None:
    names: dict[str, Any] = {}
    exec("def made(): pass", names)
    assert source_of(names["made"]) == ""
    assert source_of(len) == ""
    assert source_of(vars(dataclasses.make_dataclass("Made", ["a"]))["__init__"]) == ""


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    text = "def first():\n    return 1\n"
    function = loaded(text, tmp_path)["first"]
    assert source_of(function) == text
    other = "def first():\n    return 1  # or two\n"
    loaded(other, tmp_path)
    assert source_of(function) == other


def test_text_that_is_another_functions_is_not_taken(tmp_path: Path) -> None:
    function = loaded("def first():\n    return 1\n", tmp_path)["first"]
    (tmp_path / "nodes.py").write_text("def other_one():\n    return 22\n")
    with contextlib.suppress(OSError):
        assert source._quickly(function.__code__, None) == ""
