from __future__ import annotations

import dataclasses
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from pathlib import PurePosixPath
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from flownb.services.cleaning import clean
from flownb.services.masking import Masker

SECRET = "sk-live-4f9a8b7c6d5e"
MASKER = Masker()
MASKER.add("key", SECRET)
MASKER.add("number", "4111111111111111")
MASKER.add("id", "0d3f9a52-6c1e-4a5b-9b1e-2f1c4d5e6a7b")


@dataclasses.dataclass(frozen=True)
class Login:
    user: str
    token: Any


class Model(BaseModel):
    token: str
    parts: list[bytes] = []


class Record(msgspec.Struct):
    token: str


Pair = namedtuple("Pair", "name token")  # noqa: PYI024  as users write it


def cleaned(value: Any) -> Any:
    return clean(value, MASKER)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (f"x {SECRET}", "x ***"),
        (f"x {SECRET}".encode(), b"x ***"),
        (bytearray(SECRET.encode()), bytearray(b"***")),
        ({"a": [1, (SECRET,)]}, {"a": [1, ("***",)]}),
        ({SECRET: 1, f"{SECRET}x": 2}, {"***": 1, "***x": 2}),
        ({SECRET, "b"}, {"***", "b"}),
        (frozenset({SECRET}), frozenset({"***"})),
        (deque([SECRET, "b"], maxlen=2), deque(["***", "b"], maxlen=2)),
        (OrderedDict(a=SECRET), OrderedDict(a="***")),
        (defaultdict(list, a=[SECRET]), defaultdict(list, a=["***"])),
        (Counter({SECRET: 2}), Counter({"***": 2})),
        (4111111111111111, "***"),
        (uuid.UUID("0d3f9a52-6c1e-4a5b-9b1e-2f1c4d5e6a7b"), "***"),
        (PurePosixPath(f"/x/{SECRET}/y"), PurePosixPath("/x/***/y")),
        (Login("ann", [SECRET]), Login("ann", ["***"])),
        (Model(token=SECRET, parts=[SECRET.encode()]), Model(token="***", parts=[b"***"])),
        (Record(SECRET), Record("***")),
        (Pair("a", SECRET), Pair("a", "***")),
        ([f"{SECRET}{number}" for number in range(20)], [f"***{number}" for number in range(20)]),
    ],
)
def test_the_parts_with_a_secret_are_made_anew(value: Any, wanted: Any) -> None:
    before = repr(value)
    made = cleaned(value)
    assert made == wanted
    assert type(made) is type(wanted)
    assert repr(value) == before
    if isinstance(made, defaultdict):
        assert made.default_factory is list


def test_a_value_without_a_secret_is_the_very_same() -> None:
    table = pd.DataFrame({"a": ["x", None], "b": [1.5, 2]})
    for value in ({"a": [1, {"b": (2, "c")}]}, Login("a", 3), Model(token="x"), table, np.array(["a", "b"]), {1, 2}):
        assert cleaned(value) is value


def test_what_cant_be_looked_into_stays_as_it_is() -> None:
    class Client:
        def __init__(self) -> None:
            self.token = SECRET

    client = Client()
    assert cleaned(client) is client
    circle: list[Any] = [SECRET]
    circle.append(circle)
    assert cleaned(circle)[0] == "***"


def test_the_same_object_stays_the_same() -> None:
    part = [SECRET]
    made = cleaned([part, part])
    assert made[0] is made[1]


# --- tables and arrays ------------------------------------------------------------------------------------------------


def test_cells_labels_names_and_attributes_of_a_frame_are_masked() -> None:
    table = pd.DataFrame(
        {"text": [SECRET, "b"], "n": [1, 2], SECRET: [[SECRET], {"k": SECRET}], "kind": pd.Categorical([SECRET, "x"])},
        index=pd.Index([f"row {SECRET}", "other"], name=SECRET),
    )
    table.attrs["from"] = SECRET
    made = cleaned(table)
    assert SECRET in str(table.to_dict())
    assert SECRET not in f"{made.to_dict()} {made.attrs} {made.index.name} {list(made['kind'].cat.categories)}"
    assert list(made.columns) == ["text", "n", "***", "kind"]
    assert [str(each) for each in made.dtypes] == [str(each) for each in table.dtypes]
    assert list(made["n"]) == [1, 2]


@pytest.mark.parametrize(
    "value",
    [
        pd.Series([SECRET, "b"], name="s"),
        pd.Series([SECRET, None], dtype="string"),
        pd.Series([SECRET.encode(), 3], dtype=object),
        pd.Index([SECRET, "b"]),
        pd.MultiIndex.from_tuples([("a", SECRET), ("b", "c")]),
        pd.CategoricalIndex([SECRET, "b"]),
        pd.array([SECRET, "b"], dtype="string"),
        np.array([SECRET, "b"]),
        np.array([SECRET.encode(), b"b"]),
        np.array([[SECRET, 1], ["b", None]], dtype=object),
        np.array([(1, SECRET)], dtype=[("n", "i4"), ("t", "U40")]),
        np.str_(SECRET),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', '')}",
)
def test_every_kind_of_table_and_array_is_masked_and_keeps_its_type(value: Any) -> None:
    made = cleaned(value)
    assert type(made) is type(value)
    shown = str(made.tolist())
    assert SECRET not in shown
    assert "***" in shown
    assert SECRET in str(value.tolist())
    if not isinstance(value, np.generic):
        assert str(getattr(made, "dtype", None)) == str(getattr(value, "dtype", None))
    assert getattr(made, "shape", ()) == getattr(value, "shape", ())


def test_arrow_columns_are_masked() -> None:
    table = pd.DataFrame({"a": pd.Series([SECRET, "b"], dtype="string[pyarrow]")})
    assert SECRET not in str(cleaned(table).to_dict())


def test_labels_that_were_different_stay_so() -> None:
    masker = Masker()
    masker.add("one", "the-first-secret")
    masker.add("two", "the-second-secret")
    made = clean(pd.Series([1, 2], index=["the-first-secret", "the-second-secret"]), masker)
    assert list(made.index) == ["***", "***2"]
