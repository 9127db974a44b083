from __future__ import annotations

import dataclasses
import decimal
import enum
import pathlib
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import BaseModel

from flownb.graph.hints import type_of, type_of_value
from flownb.model.ports import DataType


@dataclasses.dataclass
class Point:
    x: int


class Model(BaseModel):
    x: int


class Struct(msgspec.Struct):
    x: int


class Table(typing.TypedDict):
    x: int


class Colour(enum.StrEnum):
    RED = "red"


class Frame(pd.DataFrame):
    pass


Name = typing.NewType("Name", str)

CASES: list[tuple[Any, DataType]] = [
    (str, DataType.STRING),
    (Colour, DataType.STRING),
    (Name, DataType.STRING),
    (int, DataType.NUMBER),
    (float, DataType.NUMBER),
    (decimal.Decimal, DataType.NUMBER),
    (np.float64, DataType.NUMBER),
    (np.int64, DataType.NUMBER),
    (bool, DataType.BOOLEAN),
    (dict, DataType.OBJECT),
    (dict[str, int], DataType.OBJECT),
    (Mapping[str, Any], DataType.OBJECT),
    (Point, DataType.OBJECT),
    (Model, DataType.OBJECT),
    (Struct, DataType.OBJECT),
    (Table, DataType.OBJECT),
    (list, DataType.ARRAY),
    (tuple[int, ...], DataType.ARRAY),
    (Sequence[str], DataType.ARRAY),
    (np.ndarray, DataType.ARRAY),
    (pd.DataFrame, DataType.DATAFRAME),
    (pd.Series, DataType.DATAFRAME),
    (Frame, DataType.DATAFRAME),
    (pathlib.Path, DataType.FILE),
    (Image.Image, DataType.IMAGE),
    (str | None, DataType.STRING),
    (typing.Optional[int], DataType.NUMBER),  # noqa: UP045  people write it so
    (int | float, DataType.NUMBER),
    (int | str, DataType.ANY),
    (typing.Literal["a", "b"], DataType.STRING),
    (typing.Literal["a", 1], DataType.ANY),
    (typing.Annotated[int, "positive"], DataType.NUMBER),
    (Any, DataType.ANY),
    (None, DataType.ANY),
    (object, DataType.ANY),
    (typing.TypeVar("T"), DataType.ANY),
]


@pytest.mark.parametrize(("hint", "wanted"), CASES)
def test_a_hint_says_what_a_port_carries(hint: Any, wanted: DataType) -> None:
    assert type_of(hint) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("str", DataType.STRING),
        ("pd.DataFrame", DataType.DATAFRAME),
        ("pathlib.Path | None", DataType.FILE),
        ("None | int | float", DataType.NUMBER),
        ("Optional[dict[str, Any]]", DataType.OBJECT),
        ("typing.Union[int, str]", DataType.ANY),
        ("Annotated[list[int], 'sorted']", DataType.ARRAY),
        ("Literal['a', 'b']", DataType.STRING),
        ("'str'", DataType.STRING),
        ("Image.Image", DataType.IMAGE),
        ("NoSuchClass", DataType.ANY),
        ("this is no hint", DataType.ANY),
        ("", DataType.ANY),
    ],
)
def test_a_hint_may_be_text(text: str, wanted: DataType) -> None:
    assert type_of(text) is wanted


def test_text_is_never_evaluated(capfd: pytest.CaptureFixture[str]) -> None:
    assert type_of("print('boo') or str") is DataType.ANY
    assert type_of("__import__('os').system('echo boo')") is DataType.ANY
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(3, "number"), (True, "boolean"), ("a", "string"), ([], "array"), ({}, "object"), (None, "any")],
)
def test_a_default_shows_a_type(value: Any, wanted: str) -> None:
    assert type_of_value(value).value == wanted
