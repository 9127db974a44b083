"""The rows as a table for people and as one JSON document."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import apsw

from flownb import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.measure import Row, Size

#: Of the JSON; another number means that fields have changed their meaning.
FORMAT = 1
_WIDTHS = "{:<62} {:<14} {:>12}  {:<22} {:>12} {:>8}  {}"


def head() -> str:
    """The line above the table."""
    return _WIDTHS.format("what", "who", "figure", "beside", "its figure", "ratio", "aim")


def line(row: Row) -> str:
    """One line of the table."""
    if row.value is None:
        return f"{row.what:<62} {row.who:<14} {row.note}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    aim = ""
    if row.aim is not None:
        wanted = f"{row.aim:g}" if row.aim_of == "ratio" else shown(row.aim, row.unit)
        aim = f"≤ {wanted} {'✔' if row.held else '✘'}"
    figure = (shown(row.value, row.unit), row.beside, shown(row.baseline, row.unit))
    return _WIDTHS.format(row.what, row.who, *figure, ratio, aim).rstrip() + (f"  {row.note}" if row.note else "")


def shown(value: float | None, unit: str) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    if unit == "B":
        return f"{value:,.0f} B"
    if unit == "":
        return f"{value:,.3f}"
    return f"{value * 1e6:,.1f} µs" if value < 0.001 else f"{value * 1e3:,.1f} ms" if value < 1 else f"{value:,.2f} s"


def document(rows: Iterable[Row], size: Size) -> dict[str, Any]:
    """Everything that was measured: `format`, `at`, `flownb`, `size`, `machine`, and `rows` as `measure.Row`."""
    return {
        "format": FORMAT,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "flownb": __version__,
        "size": size.name,
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cpus": os.cpu_count(),
            "sqlite": apsw.sqlite_lib_version(),
            "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
            "bytecode": not sys.dont_write_bytecode,
        },
        "rows": [row.plain() for row in rows],
    }


def written(rows: Iterable[Row], size: Size) -> str:
    """The document as text."""
    return json.dumps(document(rows, size), indent=2, ensure_ascii=False) + "\n"
