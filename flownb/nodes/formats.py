"""The formats of files that nodes read and write, and the packages that some of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from flownb.errors import InvalidInput, MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

Format = Literal["csv", "parquet", "json", "text", "bytes"]
ColumnType = Literal["text", "integer", "number", "boolean", "datetime"]

_ENDINGS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".json": "json",
    ".txt": "text",
    ".md": "text",
    ".html": "text",
    ".log": "text",
    ".xml": "text",
    ".yaml": "text",
    ".yml": "text",
    ".bin": "bytes",
    ".pdf": "bytes",
    ".png": "bytes",
    ".jpg": "bytes",
    ".zip": "bytes",
    ".gz": "bytes",
}


def format_of(path: Path, given: Format | None, owner: str) -> Format:
    """The format of a file: what was said, else what its name ends in.

    Raises:
        InvalidInput: the ending says nothing.
    """
    if given is not None:
        return given
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        raise InvalidInput(
            f"{owner}: the name of {path.name!r} doesn't say its format; set `format` to csv, parquet, json, text or "
            "bytes.",
            name="format",
        )
    return found


def separator_of(path: Path, given: str | None) -> str:
    """What separates the cells of a csv file."""
    return given or ("\t" if path.suffix.lower() == ".tsv" else ",")


def pandas_for(owner: str) -> Any:
    """The module pandas, imported now.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise missing("a DataFrame", error, owner) from error
    return pd


def missing(what: str, error: ModuleNotFoundError, owner: str) -> MissingExtra:
    """The sentence about a package that isn't there."""
    return MissingExtra(f"{owner}: {what} needs the package {error.name!r}: pip install 'flownb[data]'.")


def first_line(error: Exception) -> str:
    """The first line of what an error says, without the dot."""
    text = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return text.rstrip(".")
