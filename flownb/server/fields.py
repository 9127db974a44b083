"""The form of a question as fields of a page, and what was filled in as the data that the form's schema checks.

Nothing is judged here: what can't be read as a number stays the text that it is, and the schema says what is wrong.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from flownb.server.markup import Html, el
from flownb.widgets.questions import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LONG: Final = 120
_INPUTS: Final = {"date": "date", "email": "email", "time": "time"}
_COMMA: Final = re.compile(r"[+-]?[0-9]{1,20},(?:[0-9]{1,2}|[0-9]{4,20})", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_MODES: Final = {"integer": "numeric", "number": "decimal"}


class Field:
    """One field of a form."""

    def __init__(self, number: int, given: Mapping[str, Any], schema: Any) -> None:
        """A field.

        Args:
            number: its place among the fields.
            given: as `fields_of` tells of it.
            schema: its JSON schema, as it stands in the form.
        """
        #: What it is called in the page, whatever its name is.
        self.key = f"f{number}"
        self.name: str = str(given["name"])
        self.kind: str = given["kind"]
        self.title: str = given["title"]
        self.hint: str = given["hint"]
        self.required: bool = given["required"]
        self.options: Sequence[Any] = given.get("options", ())
        self.default: Any = given.get("default")
        self._schema: Mapping[str, Any] = schema if isinstance(schema, dict) else {}

    def initial(self) -> str:
        """What it holds before anybody has filled it in."""
        if self.default is None:
            return ""
        if self.kind == "boolean":
            return "on" if self.default is True else ""
        if self.kind == "choice":
            return str(self.options.index(self.default)) if self.default in self.options else ""
        return json.dumps(self.default, ensure_ascii=False) if self.kind == "json" else str(self.default)

    def html(self, value: str, wrong: str = "", *, first: bool = False) -> Html:
        """The field with its name, what is said of it, and what is wrong with it; `first` gets the focus."""
        told = [f"{self.key}-hint"] if self.hint else []
        told += [f"{self.key}-wrong"] if wrong else []
        common: dict[str, Any] = {
            "id": self.key, "name": self.key, "aria_invalid": "true" if wrong else None,
            "aria_describedby": " ".join(told) or None, "autofocus": first and bool(wrong),
            "aria_required": "true" if self.required and self.kind != "boolean" else None,
        }  # fmt: skip
        optional = None if self.required or self.kind == "boolean" else el("span", "optional", class_="hint")
        label = el("label", self.title, " " if optional else None, optional, for_=self.key)
        below = [
            el("span", self.hint, class_="hint", id=f"{self.key}-hint") if self.hint else None,
            el("span", wrong, class_="wrong", id=f"{self.key}-wrong") if wrong else None,
        ]
        if self.kind == "boolean":
            box = el("input", type="checkbox", checked=value == "on", **common)
            return el("div", box, label, *below, class_="fnb-field check")
        wide = " wide" if self._is_long or self.kind == "json" else ""
        return el("div", label, self._control(value, common), *below, class_=f"fnb-field{wide}")

    @property
    def _format(self) -> str:
        return str(self._schema.get("format", ""))

    @property
    def _is_long(self) -> bool:
        most = self._schema.get("maxLength")
        return self.kind == "text" and (
            self._format in ("textarea", "multiline") or (isinstance(most, int) and most > _LONG)
        )

    def _control(self, value: str, common: dict[str, Any]) -> Html:
        if self.kind == "choice":
            empty = el("option", "" if not self.required else "Choose…", value="", selected=value == "")
            listed = [
                el("option", _word(each), value=str(number), selected=value == str(number))
                for number, each in enumerate(self.options)
            ]
            none_yet = empty if not self.required or value == "" else None
            return el("select", none_yet, *listed, class_="fnb-in", **common)
        if self.kind == "json" or self._is_long:
            code = " code" if self.kind == "json" else ""
            # A line break at the beginning of its content is not part of it.
            return el("textarea", f"\n{value}", class_=f"fnb-in{code}", rows=3, spellcheck="false", **common)
        kind = _INPUTS.get(self.kind) or _INPUTS.get(self._format) or "text"
        mode = _MODES.get(self.kind)
        return el(
            "input", type=kind, value=value, class_=f"fnb-in{' num' if mode else ''}", inputmode=mode,
            autocomplete="off", **common,
        )  # fmt: skip

    def read(self, posted: Mapping[str, str]) -> Any:
        """What was filled in, as data; `NOTHING` where that is nothing."""
        given = posted.get(self.key, "")
        if self.kind == "boolean":
            return given == "on"
        if not given.strip() and not (self.kind == "text" and given):
            return NOTHING
        return _value(self.kind, given, self.options)


class _Nothing:
    """Of a field that was left empty."""


NOTHING: Final = _Nothing()


def _value(kind: str, given: str, options: Sequence[Any]) -> Any:
    match kind:
        case "choice":
            there = given.isascii() and given.isdecimal() and len(given) < 4  # noqa: PLR2004  there are at most 200
            return options[int(given)] if there and int(given) < len(options) else given
        case "integer" | "number":
            return number(given)
        case "json":
            try:
                return json.loads(given, parse_constant=_no_constant)
            except (ValueError, RecursionError):
                return given
        case _:
            return given.replace("\r\n", "\n")


def number(given: str) -> Any:
    """A number as people write it, with a comma or a point, with blanks between thousands; else the text.

    A comma before three digits may mean thousands or a fraction: that is not guessed.
    """
    text = "".join(given.split())
    if _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return given
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def _word(option: Any) -> str:
    return {True: "yes", False: "no"}.get(option, str(option)) if isinstance(option, bool) else str(option)


class Form:
    """All fields of a question."""

    def __init__(self, form: Mapping[str, Any] | None) -> None:
        properties = form.get("properties") if form is not None else None
        schemas: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
        self.fields = [Field(number, given, schemas.get(given["name"])) for number, given in enumerate(fields_of(form))]

    def begin(self) -> dict[str, str]:
        """What its fields hold at first."""
        return {each.key: each.initial() for each in self.fields}

    def read(self, posted: Mapping[str, str]) -> dict[str, Any]:
        """What was filled in, as data; what was left empty is absent."""
        found = {each.name: each.read(posted) for each in self.fields}
        return {name: value for name, value in found.items() if value is not NOTHING}

    def sort(self, faults: Iterable[str]) -> tuple[dict[str, str], list[str]]:
        """What is wrong, by the key of the field that it is about; and what is about none."""
        by_key: dict[str, str] = {}
        rest: list[str] = []
        longest = sorted(self.fields, key=lambda each: -len(each.name))
        for fault in faults:
            about = next((each for each in longest if fault.startswith((f"{each.name} ", f"{each.name}."))), None)
            if about is None:
                rest.append(f"{fault[:1].upper()}{fault[1:]}.")
            else:
                by_key.setdefault(about.key, _sentence(fault, about.name))
        return by_key, rest


def _sentence(fault: str, name: str) -> str:
    """A fault without the name that stands above it."""
    said = fault.removeprefix(f"{name} ")
    if said == "is missing":
        return "This is needed."
    if said.startswith(("is ", "has ")):
        return f"This {said}."
    return f"{fault[:1].upper()}{fault[1:]}."
