"""Files written: what each format takes."""

from __future__ import annotations

import codecs
import csv
import json
import math
import sys
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from flownb.errors import InvalidInput
from flownb.expr.access import describe
from flownb.graph.schemas.kinds import is_missing, plain_cell
from flownb.nodes.formats import first_line, missing, pandas_for
from flownb.nodes.items import FrameItems, items_of

if TYPE_CHECKING:
    from flownb.nodes.items import Items

_MOST_LEVELS: Final = 100


def write_csv(file: BinaryIO, data: Any, separator: str, encoding: str, owner: str) -> None:
    """Write a frame (without its index) or a list of tables (dicts); empty cells for None and NaN.

    Raises:
        InvalidInput: it is something else.
    """
    items = items_of(data, owner)
    try:
        _write_csv(codecs.getwriter(encoding)(file), items, separator)
    except (ValueError, LookupError, csv.Error, _NoJson) as error:
        raise InvalidInput(f"{owner}: this can't be written as csv: {error}.", name="data") from error


def _write_csv(text: Any, items: Items, separator: str) -> None:
    if isinstance(items, FrameItems):
        items.value.to_csv(text, sep=separator, index=False, lineterminator="\n")
        return
    rows = list(items)
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise items.refuse(f"item {number} is {describe(row)}; a csv file has tables (dicts) as lines.")
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_csv_cell(row.get(name)) for name in names] for row in rows)


def _csv_cell(value: Any) -> Any:
    if is_missing(value):
        return ""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(_jsonable(value, "a cell", 0), ensure_ascii=False)
    return value.isoformat() if isinstance(value, date | time) else value


def write_parquet(file: BinaryIO, data: Any, owner: str) -> None:
    """Write a frame, or a list of tables (dicts) as one.

    Raises:
        InvalidInput: it is something else, or a column has values of several kinds.
        MissingExtra: pandas or pyarrow is not installed.
    """
    items = items_of(data, owner)
    try:
        from pyarrow import lib
    except ModuleNotFoundError as error:
        raise missing("parquet files", error, owner) from error
    try:
        frame = items.value if isinstance(items, FrameItems) else pandas_for(owner).DataFrame(list(items))
        frame.to_parquet(file, engine="pyarrow")
    except (lib.ArrowException, ValueError, TypeError) as error:
        raise InvalidInput(f"{owner}: this can't be written as parquet: {first_line(error)}.", name="data") from error


def write_json(file: BinaryIO, data: Any, owner: str) -> None:
    """Write plain data; a frame as the list of its rows, NaN as null, dates as ISO text.

    Raises:
        InvalidInput: something in it has no form in JSON; the message says where.
    """
    try:
        text = json.dumps(_jsonable(data, "data", 0), ensure_ascii=False, indent=2, allow_nan=False)
    except _NoJson as error:
        raise InvalidInput(f"{owner}: {error}.", name="data") from None
    file.write(text.encode("utf-8", "surrogatepass") + b"\n")


class _NoJson(Exception):
    """Something has no form in JSON; the text says what and where."""


def _jsonable(value: Any, place: str, level: int) -> Any:
    """The value in what JSON has."""
    value = plain_cell(value)
    if value is None or type(value) in (str, bool, int):
        return value
    if level >= _MOST_LEVELS:
        raise _NoJson(f"{place[:80]}… is nested deeper than {_MOST_LEVELS} levels")
    if is_missing(value):
        return None
    if isinstance(value, float):
        if math.isinf(value):
            raise _NoJson(f"{place} is {value}, which JSON has no form for")
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, place): _jsonable(each, f"{place}.{key}", level + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(each, f"{place}[{number}]", level + 1) for number, each in enumerate(value)]
    return _jsonable_object(value, place, level)


def _jsonable_object(value: Any, place: str, level: int) -> Any:
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        return _jsonable(list(items_of(value, place)), place, level)
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, str | int):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, PurePath):
        return str(value)
    raise _NoJson(f"{place} is {describe(value)}, which JSON has no form for")


def _key(key: Any, place: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int | float):
        return str(key)
    raise _NoJson(f"a key of {place} is {describe(key)}; JSON has text for keys")


def write_text(file: BinaryIO, data: Any, encoding: str, owner: str) -> None:
    """Write a text as it is.

    Raises:
        InvalidInput: it is no text, or has characters that the encoding lacks.
    """
    if not isinstance(data, str):
        raise InvalidInput(
            f"{owner}: a text file is written from text, and this is {describe(data)}; make text of it, as by "
            "`{{ … }}` inside other text, or write it as json.",
            name="data",
        )
    try:
        file.write(data.encode(encoding))
    except (UnicodeError, LookupError) as error:
        raise InvalidInput(f"{owner}: this can't be written as {encoding}: {error}.", name="encoding") from error


def write_bytes(file: BinaryIO, data: Any, owner: str) -> None:
    """Write bytes as they are.

    Raises:
        InvalidInput: they are none.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InvalidInput(f"{owner}: a bytes file is written from bytes, and this is {describe(data)}.", name="data")
    file.write(data)
