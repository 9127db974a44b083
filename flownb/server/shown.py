"""What is shown beside a question: tables, pictures, texts and differences, from what is stored of them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError
from flownb.notebook.preview import picture_of
from flownb.server.markup import Html, el, many
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.store.contract import Store

#: Rows of a table that are there at once; the rest of what is kept opens by a touch.
_FIRST: Final = 3
_MOST_ROWS: Final = 20
_MOST_COLUMNS: Final = 30
_MOST_CELL: Final = 200
#: From so many columns on, each value beneath says which it is.
_MANY_COLUMNS: Final = 5
_MOST_LINES: Final = 400
_MOST_TEXT: Final = 20_000
#: How a frame's preview says that there is no value.
_GAPS: Final = ("nan", "NaT", "<NA>")
_MIDNIGHT: Final = " 00:00:00"
_SIGNS: Final = {"+": "a", "-": "d", "@": "h"}


def shown(part: Any, store: Store) -> Html:
    """One thing that is shown; whatever it is, it is shown as well as can be, and never fails."""
    if not isinstance(part, dict):
        return el("div", _pre(str(part)), class_="shown")
    name, plain = str(part.get("name") or ""), part.get("value")
    if part.get("kind") == "diff":
        return _box(name, "what changes", _difference(str(plain)))
    picture = _picture(plain, store)
    seen = _records(plain) or values.preview_of(plain)
    if picture is not None:
        wide = seen.get("width")
        return _box(name, f"{wide} × {seen.get('height')}" if wide else "", picture)  # noqa: RUF001  the sign for "by"
    return _box(name, *_body(plain, seen))


def _body(plain: Any, seen: dict[str, Any]) -> list[Any]:
    """What stands at the right of its name, and what beneath."""
    match seen["kind"]:
        case "table":
            return [_extent(seen), _table(seen)]
        case "dict":
            pairs = seen["items"]
            return ["", el("dl", *(_pair(*each) for each in pairs)), _more(seen["length"] - len(pairs), "more")]
        case "list":
            items = seen["items"]
            extent = f"{len(items)} of {seen['length']:,}" if len(items) < seen["length"] else ""
            return [extent, el("dl", *(_pair(str(number), each) for number, each in enumerate(items)))]
        case "text":
            return ["", _pre(_whole_text(plain, seen))]
        case _:
            return [str(seen.get("type", "")), _pre(values.preview(plain, _MOST_TEXT))]


def _records(plain: Any) -> dict[str, Any] | None:
    """A list of rows as the table that it is; None for anything else."""
    if not isinstance(plain, list) or not plain or not all(isinstance(row, dict) for row in plain):
        return None
    names = list(plain[0])
    if not names or any(name.startswith("$") for name in names) or any(list(row) != names for row in plain):
        return None
    head = plain[:_MOST_ROWS]
    if any(isinstance(value, dict | list) for row in head for value in row.values()):
        return None
    rows = [[value[:_MOST_CELL] if isinstance(value, str) else value for value in row.values()] for row in head]
    schema = [(name, "") for name in names]
    return {"kind": "table", "schema": schema, "head": rows, "rows": len(plain), "columns": len(names), "index": ()}


def _box(name: str, right: str, *inside: Html | None) -> Html:
    head = el("div", el("b", name) if name else None, el("span", right) if right else None, class_="head")
    return el("section", head if name or right else None, *inside, class_="shown")


def _pair(name: str, value: str) -> Html:
    return many([el("dt", name), el("dd", value)])


def _more(count: int, what: str) -> Html | None:
    return el("div", f"and {count:,} {what}", class_="foot") if count > 0 else None


def _pre(text: str) -> Html:
    lines = text.splitlines()
    cut = "\n".join(lines[:_MOST_LINES])[:_MOST_TEXT]
    return el("pre", cut if len(cut) == len(text.rstrip("\n")) else f"{cut}\n…")


def _whole_text(plain: Any, seen: dict[str, Any]) -> str:
    text = plain if isinstance(plain, str) else str(seen["head"])
    return text if len(text) >= seen["length"] else f"{text}…"


def _difference(text: str) -> Html:
    lines = text.splitlines()
    marked = [
        el("span", f"{line}\n", class_=_SIGNS.get(line[:1] if not line.startswith(("---", "+++")) else "@"))
        for line in lines[:_MOST_LINES]
    ]
    return el("pre", *marked, "…" if len(lines) > _MOST_LINES else None)


def _picture(plain: Any, store: Store) -> Html | None:
    try:
        data = picture_of(plain, store)
    except (FlownbError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return None
    if data is None:
        return None
    return el("img", src=f"data:image/png;base64,{base64.b64encode(data).decode()}", alt="what the question is about")


def _extent(seen: dict[str, Any]) -> str:
    there, all_ = min(len(seen["head"]), _FIRST), seen["rows"]
    return f"{there} of {all_:,} rows" if there < all_ else f"{all_:,} row{'' if all_ == 1 else 's'}"


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(seen: dict[str, Any]) -> Html:
    """The first rows, and the others that are kept, closed; on a phone a row is a line with its second line."""
    names = [(str(name), str(dtype)) for name, dtype in seen["schema"][:_MOST_COLUMNS]]
    rows = _without_midnight([row[: len(names)] for row in seen["head"]])
    roles = _roles(rows, len(names))
    first, rest = rows[:_FIRST], rows[_FIRST:]
    labels = seen.get("index") or []
    shown_first = _rows(names, roles, first, labels, head=True)
    left_columns = seen["columns"] - len(names)
    foot = _more(left_columns, f"column{'' if left_columns == 1 else 's'} more")
    if not rest:
        return many([shown_first, foot])
    all_there = len(rows) >= seen["rows"]
    word = "Show all" if all_there else f"Show {len(rows)} of {seen['rows']:,}"
    more = _rows(names, roles, rest, labels[_FIRST:], head=False)
    return many([shown_first, el("details", el("summary", word), more), foot])


def _without_midnight(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows; where every moment of a column is a midnight, it is a date."""
    found = [list(row) for row in rows]
    for place in range(max(map(len, found), default=0)):
        cells = [row[place] for row in found if place < len(row) and row[place] is not None]
        if cells and all(isinstance(each, str) and each.endswith(_MIDNIGHT) for each in cells):
            for row in found:
                row[place] = row[place] and str(row[place]).removesuffix(_MIDNIGHT)
    return found


def _roles(rows: Sequence[Sequence[Any]], count: int) -> list[str]:
    """Which column is a line's name, and which its figure: the last one of numbers, if any."""
    numbers = [_is_numeric([row[place] for row in rows if place < len(row)]) for place in range(count)]
    one = next((place for place in range(count) if not numbers[place]), 0)
    two = next((place for place in reversed(range(count)) if numbers[place] and place != one), -1)
    roles = []
    others = [place for place in range(count) if place not in (one, two)]
    for place in range(count):
        role = "one" if place == one else "two" if place == two else "mid"
        roles.append(f"{role}{' last' if others and place == others[-1] else ''}{' r' if numbers[place] else ''}")
    return roles


def _is_numeric(cells: Sequence[Any]) -> bool:
    there = [each for each in cells if each is not None and each not in _GAPS]
    return bool(there) and all(isinstance(each, int | float) and not isinstance(each, bool) for each in there)


def _rows(
    names: Sequence[tuple[str, str]],
    roles: Sequence[str],
    rows: Sequence[Sequence[Any]],
    labels: Sequence[Any],
    *,
    head: bool,
) -> Html:
    top = None
    if head:
        heads = [
            el(
                "th",
                name,
                el("small", dtype) if dtype else None,
                class_="r" if role.endswith(" r") else None,
                scope="col",
            )
            for (name, dtype), role in zip(names, roles, strict=True)
        ]
        top = el("thead", el("tr", el("th", class_="idx"), *heads))
    body = [
        el(
            "tr",
            el("td", str(labels[number]) if number < len(labels) else "", class_="idx"),
            *(
                el("td", _cell(value), class_=role, data_name=name)
                for value, role, (name, _) in zip(row, roles, names, strict=False)
            ),
        )
        for number, row in enumerate(rows)
    ]
    many_columns = " many" if len(names) > _MANY_COLUMNS else ""
    return el("div", el("table", top, el("tbody", *body), class_=f"fnb-table lines{many_columns}"), class_="scroll")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}" if round(value, 2) == value else f"{value:,.12g}"
    return str(value)
