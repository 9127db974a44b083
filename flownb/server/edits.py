"""Data that may be changed with an answer, as fields of a page, and back: a table by its rows, else as JSON.

They are the first thing that is shown. What nobody touched is no change, and what was changed is judged by the schema
that came with the request.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError
from flownb.graph.form import faults_in
from flownb.graph.form_source import as_data
from flownb.run.waiting.judging import EDITED
from flownb.server.fields import NOTHING, number
from flownb.server.markup import Html, el
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

#: Cells that are fields of their own, columns of such a table, and characters of JSON that can be typed over.
_MOST_CELLS: Final = 400
_MOST_COLUMNS: Final = 20
_MOST_JSON: Final = 100_000
_MOST_BYTES: Final = 2_000_000
_JSON_KEY: Final = "edit"

Row = dict[str, Any]


class Edits:
    """What may be changed of what a request is about; nothing, as a rule."""

    def __init__(self, schema: Mapping[str, Any] | None = None, data: Any = None, *, alone: bool = True) -> None:
        """What may be changed.

        Args:
            schema: what the data may be changed to; None where they may not be changed.
            data: as they are, plain.
            alone: whether there is no form beside them, so that faults are about them.
        """
        self._schema = schema
        self._data = data
        self._alone = alone
        self._rows = _rows_of(data) if schema is not None else None

    @classmethod
    def of(cls, row: ApprovalRow, store: Store) -> Edits:
        """What may be changed of what a request is about."""
        request = row.request
        shown = request.preview or ()
        if request.edits is None or not shown:
            return cls(request.edits and {}, NOTHING, alone=request.form is None)
        try:
            data = _plain_data(shown[0].get("value"), store)
        except (FlownbError, OSError, ValueError, TypeError, AttributeError):
            data = NOTHING
        if data is not NOTHING and faults_in(request.edits, data)[1]:
            data = NOTHING  # it is not what the schema was made from
        return cls(request.edits, data, alone=request.form is None)

    def begin(self) -> dict[str, str]:
        """What its fields hold at first."""
        if self._schema is None or self._data is NOTHING:
            return {}
        if self._rows is None:
            return {_JSON_KEY: self._json}
        return {
            _key(place, column): _text(value)
            for place, row in enumerate(self._rows)
            for column, value in enumerate(row.values())
        }

    @property
    def _json(self) -> str:
        return json.dumps(self._data, indent=1, ensure_ascii=False)

    # --- as fields

    def html(self, filled: Mapping[str, str], faults: Sequence[str]) -> Html | None:
        """The fields, closed unless something is wrong with them."""
        if self._schema is None:
            return None
        if self._data is NOTHING or (self._rows is None and len(self._json) > _MOST_JSON):
            where = "The data may be changed with the answer, but not here: they are too large, or no text can be. "
            return el("p", f"{where}Answer in a notebook or a terminal to do so.", class_="sec small")
        mine = self._mine(faults)
        if self._rows is None:
            wrong = "; ".join(mine)
            inside = [_area(filled.get(_JSON_KEY, ""), f"{wrong}." if wrong else "")]
        else:
            by_key = self._by_key(mine)
            inside = [self._row(place, row, filled, by_key) for place, row in enumerate(self._rows)]
        body = el("div", *inside, class_="edit")
        return el("details", el("summary", "Edit the data"), body, class_="shown", open=bool(mine))

    def _row(self, place: int, row: Row, filled: Mapping[str, str], wrong: Mapping[str, str]) -> Html:
        fields = []
        for column, (name, value) in enumerate(row.items()):
            key = _key(place, column)
            fault = wrong.get(key)
            label = el("label", name, for_=key)
            mode = "decimal" if isinstance(value, int | float) and not isinstance(value, bool) else None
            box = el(
                "input", type="text", id=key, name=key, value=filled.get(key, ""), class_="fnb-in", autocomplete="off",
                inputmode=mode, aria_invalid="true" if fault else None, autofocus=bool(fault),
            )  # fmt: skip
            fields.append(
                el("div", label, box, el("span", fault, class_="wrong") if fault else None, class_="fnb-field")
            )
        if self._is_table:
            key = f"gone{place}"
            box = el("input", type="checkbox", id=key, name=key, checked=filled.get(key) == "on")
            fields.append(el("div", box, el("label", "Leave this row out", for_=key), class_="fnb-field check"))
        legend = el("legend", f"Row {place}") if self._is_table else None
        return el("fieldset", legend, *fields)

    @property
    def _is_table(self) -> bool:
        return isinstance(self._data, list)

    # --- what is wrong

    def own(self, faults: Iterable[str]) -> list[str]:
        """The faults that are not about these data."""
        listed = list(faults)
        mine = set(self._mine(listed, bare=False))
        return [each for each in listed if each not in mine]

    def _mine(self, faults: Iterable[str], *, bare: bool = True) -> list[str]:
        if self._schema is None:
            return []
        if self._alone:
            return list(faults)
        found = [each for each in faults if each.startswith((f"{EDITED} ", f"{EDITED}."))]
        return [each.removeprefix(EDITED).lstrip(". ") if bare else each for each in found]

    def _by_key(self, mine: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for fault in mine:
            for place, row in enumerate(self._rows or ()):
                for column, name in enumerate(row):
                    start = f"{place}.{name} " if self._is_table else f"{name} "
                    if fault.startswith(start):
                        found.setdefault(_key(place, column), f"This {fault.removeprefix(start)}.")
        return found

    # --- and back

    def read(self, posted: Mapping[str, str]) -> Any:
        """The data as they were changed; `NOTHING` where they were not."""
        if self._schema is None or self._data is NOTHING:
            return NOTHING
        if self._rows is None:
            given = posted.get(_JSON_KEY)
            if given is None or given.replace("\r\n", "\n") == self._json:
                return NOTHING
            try:
                changed: Any = json.loads(given)
            except (ValueError, RecursionError):
                changed = given
        else:
            rows = [
                {
                    name: _read(posted.get(_key(place, column)), value, self._kinds(name))
                    for column, (name, value) in enumerate(row.items())
                }
                for place, row in enumerate(self._rows)
                if posted.get(f"gone{place}") != "on" or not self._is_table
            ]
            changed = rows if self._is_table else rows[0]
        return NOTHING if changed == self._data else changed

    def _kinds(self, name: str) -> tuple[str, ...]:
        """The types that a column may have."""
        schema: Any = self._schema or {}
        row = schema.get("items", {}) if self._is_table else schema
        kinds = row.get("properties", {}).get(name, {}).get("type", ()) if isinstance(row, dict) else ()
        return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _plain_data(plain: Any, store: Store) -> Any:
    """A stored value as the plain data that people may change; `NOTHING` for what is too large to be typed over."""
    artifact = plain.get("$artifact") if isinstance(plain, dict) else None
    if isinstance(artifact, dict) and artifact.get("size", 0) > _MOST_BYTES:
        return NOTHING
    return _without_gaps(as_data(values.load(plain, store.artifacts)))


def _without_gaps(data: Any) -> Any:
    """The data with None where there is no number, as in a frame."""
    if isinstance(data, dict):
        return {name: _without_gaps(each) for name, each in data.items()}
    if isinstance(data, list):
        return [_without_gaps(each) for each in data]
    return None if data != data or data == "NaT" else data  # noqa: PLR0124  what is not itself is no number


def _rows_of(data: Any) -> list[Row] | None:
    """The data as rows of fields, where they are a table or one row, and not too large; None else."""
    rows = data if isinstance(data, list) else [data]
    if not rows or not all(isinstance(row, dict) and row and row.keys() == rows[0].keys() for row in rows):
        return None
    small = len(rows[0]) <= _MOST_COLUMNS and len(rows) * len(rows[0]) <= _MOST_CELLS
    plain = all(value is None or isinstance(value, str | int | float) for row in rows for value in row.values())
    one_line = plain and all("\n" not in value for row in rows for value in row.values() if isinstance(value, str))
    return rows if small and one_line else None


def _key(place: int, column: int) -> str:
    return f"e{place}-{column}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _read(given: str | None, value: Any, kinds: Sequence[str]) -> Any:
    """A cell again; what nobody touched is what it was."""
    if given is None or given == _text(value):
        return value
    if not given.strip() and "null" in kinds:
        return None
    if isinstance(value, bool) or kinds == ("boolean",):
        return {"yes": True, "no": False, "true": True, "false": False}.get(given.strip().lower(), given)
    if isinstance(value, int | float) or (not isinstance(value, str) and {"integer", "number"} & {*kinds}):
        return number(given)
    return given


def _area(value: str, wrong: str) -> Html:
    fault = el("span", wrong, class_="wrong") if wrong else None
    label = el("label", "As JSON", for_=_JSON_KEY)
    box = el(
        "textarea", f"\n{value}", class_="fnb-in code", id=_JSON_KEY, name=_JSON_KEY, rows=8, spellcheck="false",
        aria_invalid="true" if wrong else None,
    )  # fmt: skip
    return el("div", label, box, fault, class_="fnb-field wide")
