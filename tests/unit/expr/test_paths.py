from __future__ import annotations

from collections import UserDict
from typing import Any

import pytest

from flownb.errors import ExpressionError
from flownb.expr import evaluate

DATA: dict[str, Any] = {
    "order": {
        "total": 12.5,
        "x.y": [1, 2, 3],
        "lines": [{"p": 1.5, "q": {"r": "deep"}}],
        "": "empty",
        "__class__": "plain",
        "größe": 5,
        "none": None,
        "from": "me",
        "7": "seven",
    },
    "i": 0,
    "key": "total",
    "date": {"json": 1},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order.total", 12.5),
        ("order . total", 12.5),
        ("(order).total", 12.5),
        ("order['total']", 12.5),
        ("order[key]", 12.5),
        ("order['to' + 'tal']", 12.5),
        ("order.lines.0.p", 1.5),
        ("order.lines[0].p", 1.5),
        ("order.lines[i].p", 1.5),
        ("order.lines[-1]['q'].r", "deep"),
        ("order.lines[i]['q']['r'][0]", "d"),
        ('order["x.y"][-1]', 3),
        ('order["x.y"][1:]', [2, 3]),
        ('order["x.y"][::-1]', [3, 2, 1]),
        ('order["x.y"][-2:-1]', [2]),
        ('order["x.y"][i:i + 2]', [1, 2]),
        ("order['']", "empty"),
        ("order.__class__", "plain"),
        ("order.größe", 5),
        ("order.none", None),
        ("order.from", "me"),
        ("order.7", "seven"),
        ("order[7]", "seven"),
        ("date.json", 1),
        ("{'a': {'b': [1, 2]}}.a.b.1", 2),
        ("[[1], [2]][1][0]", 2),
        ("'text'.0", "t"),
        ("'a,b'|split(',').1", "b"),
        ("order.lines|first.p", 1.5),
    ],
)
def test_paths(text: str, expected: Any) -> None:
    assert evaluate(text, DATA) == expected


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("ordr.total", 0, "There is no 'ordr'. Did you mean 'order'?"),
        ("  nope", 2, "There is no 'nope'. There is: date, i, key, order."),
        ("order.totl", 6, "There is no 'totl' in order. Did you mean 'total'?"),
        ("order['totl']", 6, "There is no 'totl' in order."),
        ("order[i + 5]", 6, "There is no 5 in order."),
        ("order.lines.3", 12, "order.lines has 1 entries, none at 3"),
        ("order.lines.0.q.s", 16, "There is no 's' in order.lines.0.q"),
        ("order.lines.p", 12, "order.lines is a list; take one by its number, as in `order.lines.0`"),
        ("order.total.x", 12, "order.total is the number 12.5, it has no 'x'"),
        ("order.none.x", 11, "order.none is none, it has no 'x'"),
        ("order[none]", 6, "None can't be a key"),
        ("order[order]", 6, "An object with keys can't be a key"),
        ("order[1:2]", 6, "only lists and text have slices"),
        ("order['x.y']['a':]", 13, "can't be an end of a slice"),
        ("order['x.y'][::0]", 13, "The step of a slice can't be 0"),
        ("order['x.y'][1, 2]", 13, "A list can't be a key"),
        ("now", 0, "There is no 'now'. The function is called as now(…)."),
    ],
)
def test_what_is_missing_is_named_with_its_place(text: str, position: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, DATA)
    assert words in caught.value.message
    assert (caught.value.text, caught.value.position) == (text, position)


def test_a_path_of_any_length_is_followed() -> None:
    data: Any = "end"
    for _ in range(300):
        data = {"x": [data]}
    assert evaluate("r" + ".x.0" * 300, {"r": data}) == "end"


def test_messages_about_long_paths_stay_short() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("order." + "longname." * 100 + "x", {"order": {}})
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("data", [UserDict(DATA), DATA | {"other": 1}])
def test_the_data_may_be_any_mapping(data: Any) -> None:
    assert evaluate("order.total", data) == 12.5
    with pytest.raises(ExpressionError, match="There is no 'nope'"):
        evaluate("nope", data)


@pytest.mark.parametrize("data", [None, 5, "order", [("order", 1)], object()])
def test_the_data_must_be_a_mapping(data: Any) -> None:
    with pytest.raises(ExpressionError, match="mapping of names"):
        evaluate("order", data)


def test_a_mapping_that_fails_is_an_error_of_the_expression() -> None:
    class Broken(UserDict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise OSError("disk")

    with pytest.raises(ExpressionError, match="OSError"):
        evaluate("order.total", Broken(order=1))
