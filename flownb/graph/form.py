"""Forms: what comes with an answer, as JSON schema; read by whoever has to check an answer, and by nobody's code."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MOST_DEPTH: Final = 32
_MOST_FAULTS: Final = 50
_WORDS: Final[dict[str, str]] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a table",
    "array": "a list",
    "null": "empty",
}


def faults_in(schema: Mapping[str, Any], data: Any, place: str = "") -> tuple[Any, list[str]]:
    """Check data, and put in the defaults that the form gives.

    Args:
        schema: a JSON schema; words that it has beyond the usual ones are passed over.
        data: plain data.
        place: what the whole is called in messages.

    Returns the data with defaults, and what is wrong, each fault with its field.
    """
    check = _Check(schema)
    value = check.value(schema, data, place, 0)
    return value, check.faults


class _Check:
    """One pass over one answer."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self.faults: list[str] = []

    def say(self, place: str, what: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(f"{place or 'the answer'} {what}")

    def value(self, schema: Any, data: Any, place: str, depth: int) -> Any:
        schema = self._resolved(schema)
        if schema is False or depth > _MOST_DEPTH:
            self.say(place, "is not asked for" if schema is False else "is nested too deep")
            return data
        if not isinstance(schema, dict):
            return data
        for each in schema.get("allOf", ()):
            data = self.value(each, data, place, depth + 1)
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices:
            data = self._one_of(choices, data, place, depth)
        wanted = schema.get("type")
        kinds = [wanted] if isinstance(wanted, str) else list(wanted or ())
        if kinds and not any(_is(kind, data) for kind in kinds):
            self.say(place, f"is {_told(data)}, and should be {' or '.join(_WORDS.get(each, each) for each in kinds)}")
            return data
        for fault in _limits(schema, data):
            self.say(place, fault)
        if isinstance(data, dict):
            return self._table(schema, data, place, depth)
        if isinstance(data, list):
            return self._list(schema, data, place, depth)
        return data

    def _resolved(self, schema: Any) -> Any:
        for _ in range(_MOST_DEPTH):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
                return schema
            found: Any = self._root
            for part in filter(None, reference[1:].split("/")):
                found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**found, **rest} if isinstance(found, dict) else found
        return schema

    def _one_of(self, choices: list[Any], data: Any, place: str, depth: int) -> Any:
        tried: list[list[str]] = []
        for each in choices:
            trial = _Check(self._root)
            value = trial.value(each, data, place, depth + 1)
            if not trial.faults:
                return value
            tried.append(trial.faults)
        for fault in min(tried, key=len):
            if len(self.faults) < _MOST_FAULTS:
                self.faults.append(fault)
        return data

    def _table(self, schema: Mapping[str, Any], data: dict[Any, Any], place: str, depth: int) -> dict[str, Any]:
        from flownb.errors import near_names

        properties: dict[str, Any] = schema.get("properties", {})
        found: dict[str, Any] = {}
        for name, value in data.items():
            inside = f"{place}.{name}" if place else str(name)
            if name in properties:
                found[name] = self.value(properties[name], value, inside, depth + 1)
            elif schema.get("additionalProperties") is False:
                self.say(inside, f"is no field of the form.{near_names(str(name), properties)}".rstrip("."))
            else:
                found[name] = self.value(schema.get("additionalProperties", True), value, inside, depth + 1)
        for name, each in properties.items():
            resolved = self._resolved(each)
            if name not in found and isinstance(resolved, dict) and "default" in resolved:
                found[name] = resolved["default"]
        for name in schema.get("required", ()):
            if name not in found:
                self.say(f"{place}.{name}" if place else name, "is missing")
        return found

    def _list(self, schema: Mapping[str, Any], data: list[Any], place: str, depth: int) -> list[Any]:
        first = schema.get("prefixItems", ())
        items = schema.get("items", True)
        return [
            self.value(
                first[number] if number < len(first) else items,
                each,
                f"{place}.{number}" if place else str(number),
                depth + 1,
            )
            for number, each in enumerate(data)
        ]


def _is(kind: str, data: Any) -> bool:
    known = _KINDS.get(kind)
    return known is None or known(data)


def _is_whole(data: Any) -> bool:
    whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
    return whole and not isinstance(data, bool)


_KINDS: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda data: isinstance(data, str),
    "boolean": lambda data: isinstance(data, bool),
    "null": lambda data: data is None,
    "object": lambda data: isinstance(data, dict),
    "array": lambda data: isinstance(data, list),
    "integer": _is_whole,
    "number": lambda data: isinstance(data, int | float) and not isinstance(data, bool) and math.isfinite(data),
}


def _told(data: Any) -> str:
    if data is None:
        return "empty"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, dict | list):
        return "a table" if isinstance(data, dict) else "a list"
    return f"{data!r:.60}"


def _limits(schema: Mapping[str, Any], data: Any) -> Iterator[str]:
    if "enum" in schema and data not in schema["enum"]:
        yield f"is {_told(data)}, and should be one of {', '.join(repr(each) for each in schema['enum'][:20])}"
    if "const" in schema and data != schema["const"]:
        yield f"is {_told(data)}, and should be {schema['const']!r}"
    if isinstance(data, int | float) and not isinstance(data, bool):
        for word, fits, text in _NUMBERS:
            if word in schema and not fits(data, schema[word]):
                yield f"is {data!r}, and should be {text} {schema[word]}"
    if isinstance(data, str):
        yield from _text_limits(schema, data)
    if isinstance(data, str | list):
        words = ("minLength", "maxLength") if isinstance(data, str) else ("minItems", "maxItems")
        what = "characters" if isinstance(data, str) else "entries"
        if len(data) < schema.get(words[0], 0):
            yield f"has {len(data)} {what}, and should have at least {schema[words[0]]}"
        if len(data) > schema.get(words[1], math.inf):
            yield f"has {len(data)} {what}, and should have at most {schema[words[1]]}"


_NUMBERS: Final[tuple[tuple[str, Callable[[Any, Any], bool], str], ...]] = (
    ("minimum", lambda value, limit: value >= limit, "at least"),
    ("maximum", lambda value, limit: value <= limit, "at most"),
    ("exclusiveMinimum", lambda value, limit: value > limit, "above"),
    ("exclusiveMaximum", lambda value, limit: value < limit, "below"),
    ("multipleOf", lambda value, limit: not math.fmod(value, limit), "a multiple of"),
)


def _text_limits(schema: Mapping[str, Any], text: str) -> Iterator[str]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        import re2  # linear in the text, whatever the pattern

        try:
            fits = re2.search(pattern, text) is not None
        except re2.error:
            fits = True  # `validate` says that of the form
        if not fits:
            yield f"is {text!r:.60}, which does not match {pattern!r}"
    form = _FORMATS.get(str(schema.get("format")))
    if form is not None:
        try:
            form[0](text)
        except ValueError:
            yield f"is {text!r:.60}, and should be {form[1]}"


def _mail(text: str) -> None:
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,255}", text):
        raise ValueError


def _uuid(text: str) -> None:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise ValueError


_FORMATS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "date": (date.fromisoformat, "a date as 2026-07-31"),
    "date-time": (datetime.fromisoformat, "a moment as 2026-07-31T14:02:00Z"),
    "time": (time.fromisoformat, "a time as 14:02"),
    "email": (_mail, "a mail address"),
    "uuid": (_uuid, "a UUID"),
}
