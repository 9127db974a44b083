from __future__ import annotations

import copy
import pickle
import re
from typing import TYPE_CHECKING

import pytest

from flownb import errors

if TYPE_CHECKING:
    from collections.abc import Iterator


def the_tree(root: type[Exception]) -> Iterator[type[Exception]]:
    """The class and all that are below it, as they are written: from top to bottom."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from the_tree(child)


def drawn_tree() -> list[tuple[str, str | None]]:
    """(name, parent) of every line of the drawing in the docstring."""
    drawing = (errors.__doc__ or "").split("```")[1]
    above: list[tuple[int, str]] = []
    pairs = []
    for line in drawing.strip().splitlines():
        found = re.search(r"\w+", line)
        assert found is not None
        while above and above[-1][0] >= found.start():
            above.pop()
        pairs.append((found[0], above[-1][1] if above else None))
        above.append((found.start(), found[0]))
    return pairs


EVERY = list(the_tree(errors.FlownbError))


def test_the_drawing_is_the_tree() -> None:
    classes = [(cls.__name__, None if cls is errors.FlownbError else cls.__bases__[0].__name__) for cls in EVERY]
    assert drawn_tree() == classes


@pytest.mark.parametrize("cls", EVERY)
def test_pickling_keeps_class_message_and_fields(cls: type[errors.FlownbError]) -> None:
    error = cls("Node 'load' failed.", node="load", attempt=2, problems=[{"place": "nodes[0]"}])
    for again in (pickle.loads(pickle.dumps(error)), pickle.loads(pickle.dumps(copy.copy(error)))):
        assert type(again) is cls
        assert str(again) == again.message == "Node 'load' failed."
        assert again.fields == {"node": "load", "attempt": 2, "problems": [{"place": "nodes[0]"}]}
        assert again.fields.items() <= vars(again).items()


@pytest.mark.parametrize("cls", EVERY)
def test_every_error_says_in_its_docstring_what_it_means(cls: type[errors.FlownbError]) -> None:
    assert cls.__doc__
    assert cls.__doc__ != cls.__bases__[0].__doc__


def test_fields_that_nobody_gave_are_absent() -> None:
    assert not hasattr(errors.NodeFailed("It failed."), "node")


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("laod", ["load", "total"], " Did you mean 'load'?"),
        ("tota", ["total", "totals", "load"], " Did you mean 'total' or 'totals'?"),
        ("xyz", ["load", "total"], " There is: load, total."),
        ("xyz", [], ""),
        ("n", ["load", "load"], " There is: load."),
        ("xyz", [f"b{i:02}" for i in range(15)], f" There is: {', '.join(f'b{i:02}' for i in range(12))} and 3 more."),
    ],
)
def test_near_names_end_the_sentence(name: str, known: list[str], expected: str) -> None:
    assert errors.near_names(name, known) == expected
