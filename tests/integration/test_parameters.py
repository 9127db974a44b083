"""Parameters on their way into a real kernel."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from flownb.notebook.runner import execute

_PATH = Path(__file__).parents[1] / "unit" / "notebook" / "hostile.py"
_spec = importlib.util.spec_from_file_location("hostile", _PATH)
assert _spec is not None
assert _spec.loader is not None
hostile: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hostile)


DECLARATIONS = """
import pandas as pd
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Literal
class Colour(Enum):
    RED = 'red'
    BLUE = 'blue'
day = date(2026, 1, 1)
price = Decimal('1')
long = timedelta(hours=1)
file: Path = 'x'
frame: pd.DataFrame = None
colour = Colour.RED
kind: Literal['a', 'b'] = 'a'
token = ''
code = '0'
ratio = 1.0
missing: int | None = 3
pair = (1, 2)
"""


def json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_fifty_hostile_values_arrive_as_they_are_and_run_nothing(write_notebook: Any, tmp_path: Path) -> None:
    count = len(hostile.VALUES)
    assert count >= 50
    declared = [f"text_{n} = ''" for n in range(count)] + [f"free_{n} = None" for n in range(count)]
    path = write_notebook(
        ("\n".join(declared), "parameters"),
        f"import flownb\nflownb.result('texts', [globals()[f'text_{{n}}'] for n in range({count})])",
        f"flownb.result('free', [globals()[f'free_{{n}}'] for n in range({count})])",
    )
    given = {f"text_{n}": value for n, value in enumerate(hostile.VALUES)}
    given |= {f"free_{n}": value for n, value in enumerate(hostile.VALUES)}
    output = tmp_path / "out.ipynb"

    done = execute(path, given, output=output)

    assert (done.error, done.status) == (None, "completed")
    assert done.results["texts"] == list(hostile.VALUES)
    assert done.results["free"] == [json_or_text(each) for each in hostile.VALUES]
    assert not list(tmp_path.rglob(hostile.CANARY))
    assert not Path(hostile.CANARY).exists()
    sources = "".join("".join(cell["source"]) for cell in json.loads(output.read_text())["cells"])
    assert hostile.CANARY not in sources


def test_values_arrive_with_their_types(write_notebook: Any, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "july.csv").write_text("a,b\n1,x\n")
    path = write_notebook(
        (
            DECLARATIONS,
            "parameters",
        ),
        "import flownb\n"
        "named = dict(day=day, price=price, long=long, file=file, colour=colour, kind=kind, token=token, code=code,\n"
        "             ratio=ratio, missing=missing, pair=pair)\n"
        "flownb.result('types', {k: type(v).__name__ for k, v in named.items()})\n"
        "flownb.result('texts', {k: str(v) for k, v in named.items()})\n"
        "flownb.result('frame', frame.to_dict('list'))",
    )
    given = {
        "day": "2026-02-03", "price": "12.50", "long": "PT90M", "file": "july.csv", "frame": "july.csv",
        "colour": "blue", "kind": "b", "token": "secret://api", "code": "0123", "ratio": "nan", "missing": "null",
        "pair": "[3, 4]",
    }  # fmt: skip
    output = tmp_path / "out.ipynb"

    done = execute(path, given, output=output, directory=tmp_path / "sub")

    assert (done.error, done.status) == (None, "completed")
    assert done.results["types"] == {
        "day": "date", "price": "Decimal", "long": "timedelta", "file": "PosixPath", "colour": "Colour", "kind": "str",
        "token": "str", "code": "str", "ratio": "float", "missing": "NoneType", "pair": "tuple",
    }  # fmt: skip
    assert done.results["texts"] == {
        "day": "2026-02-03", "price": "12.50", "long": "1:30:00", "file": str(tmp_path / "sub" / "july.csv"),
        "colour": "Colour.BLUE", "kind": "b", "token": "secret://api", "code": "0123", "ratio": "nan",
        "missing": "None", "pair": "(3, 4)",
    }  # fmt: skip
    assert done.results["frame"] == {"a": [1], "b": ["x"]}
