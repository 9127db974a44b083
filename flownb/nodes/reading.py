"""Files read: what each format gives."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput, near_names
from flownb.nodes.formats import first_line, missing, pandas_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flownb.nodes.formats import ColumnType

#: The pandas dtype of each type of column but datetime. Integers and booleans are those that may be empty.
_DTYPES: Final[dict[str, str]] = {"text": "str", "integer": "Int64", "number": "float64", "boolean": "boolean"}


def read_frame_csv(path: Path, separator: str, encoding: str, types: Mapping[str, ColumnType], owner: str) -> Any:
    """A csv file as a DataFrame.

    Raises:
        InvalidInput: it is no csv file, or a column isn't there or isn't of its type.
        MissingExtra: pandas is not installed.
    """
    pd = pandas_for(owner)
    dtypes = {name: _DTYPES[kind] for name, kind in types.items() if kind != "datetime"}
    try:
        with path.open(encoding=encoding, newline="") as file:
            frame = pd.read_csv(file, sep=separator, dtype=dtypes, low_memory=False)
        for name, kind in types.items():
            if kind == "datetime" and name in frame.columns:
                frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    except (ValueError, LookupError, TypeError) as error:  # pandas' own errors are of these kinds
        raise _unreadable(path, "csv", error, owner) from error
    for name in types:
        if name not in frame.columns:
            near = near_names(name, map(str, frame.columns))
            raise InvalidInput(f"{owner}: {path.name} has no column {name!r}.{near}", name="types")
    return frame


def read_rows_csv(path: Path, separator: str, encoding: str, owner: str) -> list[dict[str, str]]:
    """A csv file as a list of dicts of text.

    Raises:
        InvalidInput: it is no csv file, or a line has more or fewer cells than the first.
    """
    try:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=separator, strict=True)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (csv.Error, ValueError, LookupError, TypeError) as error:
        raise _unreadable(path, "csv", error, owner) from error
    head = lines[0][1] if lines else []
    if twice := next((name for name in head if head.count(name) > 1), None):
        raise InvalidInput(f"{owner}: {path.name} has two columns {twice!r}.", name="path")
    for number, cells in lines:
        if len(cells) != len(head):
            message = f"line {number:,} of {path.name} has {len(cells)} cells, and the first line has {len(head)}"
            raise InvalidInput(f"{owner}: {message}.", name="path")
    return [dict(zip(head, cells, strict=True)) for _, cells in lines[1:]]


def read_parquet(path: Path, owner: str, *, rows: bool) -> Any:
    """A parquet file as a DataFrame, or as a list of dicts.

    Raises:
        InvalidInput: it is no parquet file.
        MissingExtra: pandas or pyarrow is not installed.
    """
    try:
        from pyarrow import lib, parquet
    except ModuleNotFoundError as error:
        raise missing("parquet files", error, owner) from error
    try:
        if rows:
            return parquet.read_table(path).to_pylist()
        return pandas_for(owner).read_parquet(path, engine="pyarrow")
    except (lib.ArrowException, ValueError) as error:
        raise _unreadable(path, "parquet", error, owner) from error


def read_json(path: Path, encoding: str, owner: str) -> Any:
    """What a JSON file has.

    Raises:
        InvalidInput: it is none, or it is nested too deeply.
    """
    text = read_text(path, encoding, owner)
    try:
        return json.loads(text)
    except RecursionError:
        raise InvalidInput(f"{owner}: {path.name} is nested too deeply to be read.", name="path") from None
    except ValueError as error:  # JSONDecodeError is one; a number of thousands of digits is another
        raise _unreadable(path, "json", error, owner) from error


def read_text(path: Path, encoding: str, owner: str) -> str:
    """A text file; every kind of line end becomes a newline.

    Raises:
        InvalidInput: it is not in that encoding.
    """
    try:
        return path.read_text(encoding=encoding)
    except (ValueError, LookupError) as error:
        raise _unreadable(path, "text", error, owner) from error


def _unreadable(path: Path, form: str, error: Exception, owner: str) -> InvalidInput:
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        reason = f"byte {error.start:,} is {byte:#04x}; set `encoding` to what it was written in, as cp1252"
        return InvalidInput(f"{owner}: {path.name} is not {error.encoding}: {reason}.", name="encoding")
    return InvalidInput(f"{owner}: {path.name} can't be read as {form}: {first_line(error)}.", name="path")
