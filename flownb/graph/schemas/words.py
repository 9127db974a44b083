"""Reading JSON Schema: the words that we check, those that say nothing about values, and near names for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from flownb.errors import UsageError, near_names
from flownb.graph.schemas.kinds import WORDS
from flownb.graph.schemas.schema import DataSchema

#: Words of JSON Schema that we check, and beside them `nullable` and `columns`, which are ours.
CHECKED: Final = frozenset(
    {
        "type", "nullable", "properties", "required", "additionalProperties", "items", "columns", "enum", "const",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
        "pattern", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions",
    }
)  # fmt: skip
#: Words that are for people and tools, or that narrow a value further than we look.
PASSED_OVER: Final = frozenset(
    {
        "title", "description", "default", "examples", "example", "format", "deprecated", "readOnly", "writeOnly",
        "discriminator", "multipleOf", "uniqueItems", "prefixItems", "contentMediaType", "contentEncoding",
        "propertyNames", "minProperties", "maxProperties",
    }
)  # fmt: skip
_SCALARS: Final = ("type", "nullable", "required", "columns", "enum", "pattern")


class Wrong(NamedTuple):
    """A place in a schema that says nothing we could check, and why."""

    place: str
    why: str


def read_schema(schema: Mapping[str, Any]) -> DataSchema:
    """A form from JSON Schema.

    Raises:
        UsageError: it can't be read; the message lists all faults.
    """
    found, wrong = parse(schema)
    if wrong:
        raise UsageError("; ".join(f"{each.place or 'the schema'}: {each.why}" for each in wrong))
    return found


def parse(schema: object) -> tuple[DataSchema, list[Wrong]]:
    """A form from what should be JSON Schema, and what is wrong with that."""
    reader = _Reader(schema)
    form = reader.read(schema, "")
    named = {name: reader.read(each, f"$defs.{name}") for name, each in reader.named.items()}
    for place, name in reader.references:
        if name not in named:
            reader.wrong.append(Wrong(place, f"there is no {name!r} in $defs.{near_names(name, named)}"))
    return (_with(form, named=named) if named else form), reader.wrong


class _Reader:
    def __init__(self, schema: object) -> None:
        self.wrong: list[Wrong] = []
        self.references: list[tuple[str, str]] = []
        self.named: dict[str, Any] = {}
        if isinstance(schema, Mapping):
            for word in ("$defs", "definitions"):
                if isinstance(schema.get(word), Mapping):
                    self.named |= schema[word]

    def fault(self, place: str, why: str) -> None:
        self.wrong.append(Wrong(place, why))

    def read(self, schema: object, place: str) -> DataSchema:
        if schema is True or schema is False:  # anything, or nothing
            return DataSchema() if schema else DataSchema(values=())
        if not isinstance(schema, Mapping):
            self.fault(place, f"is {schema!r:.60}; it must be a table, as {{'type': 'string'}}.")
            return DataSchema()
        for word in schema:
            if word not in CHECKED and word not in PASSED_OVER and not str(word).startswith(("$", "x-")):
                self.fault(_in(place, word), f"a schema has no word {word!r}.{near_names(str(word), CHECKED)}")
        if "$ref" in schema:
            return self._reference(schema["$ref"], place)
        kind, nullable, several = self._type(schema.get("type", "any"), place)
        nullable = nullable or schema.get("nullable") is True
        ways = [*several, *self._list(schema, "anyOf", place), *self._list(schema, "oneOf", place)]
        empty = [each for each in ways if each.values == () and each.nullable]
        if empty:
            nullable, ways = True, [each for each in ways if each not in empty]
            if len(ways) == 1 and kind == "any":
                return _with(ways[0], nullable=True)
        least, beyond = _bound(schema, "minimum", "exclusiveMinimum")
        most, below = _bound(schema, "maximum", "exclusiveMaximum")
        others = schema.get("additionalProperties", True)
        return DataSchema(
            type=kind,
            nullable=nullable,
            properties={str(n): self.read(s, _in(place, "properties", n)) for n, s in _table(schema, "properties")},
            required=self._names(schema.get("required", ()), _in(place, "required")),
            others=self.read(others, _in(place, "additionalProperties")) if isinstance(others, Mapping) else None,
            closed=others is False,
            items=self.read(schema["items"], _in(place, "items")) if "items" in schema else None,
            columns=self._columns(schema.get("columns", {}), _in(place, "columns")),
            values=tuple(schema["enum"]) if "enum" in schema else (schema["const"],) if "const" in schema else None,
            least=least,
            most=most,
            beyond=beyond,
            below=below,
            shortest=schema.get("minLength", schema.get("minItems")),
            longest=schema.get("maxLength", schema.get("maxItems")),
            pattern=self._pattern(schema.get("pattern"), place),
            one_of=tuple(ways),
            all_of=tuple(self._list(schema, "allOf", place)),
        )

    def _reference(self, target: object, place: str) -> DataSchema:
        name = str(target).rpartition("/")[2]
        if not str(target).startswith(("#/$defs/", "#/definitions/")):
            self.fault(_in(place, "$ref"), f"is {target!r:.60}; it must lead into the schema, as '#/$defs/Line'.")
            return DataSchema()
        self.references.append((_in(place, "$ref"), name))
        return DataSchema(like=name)

    def _type(self, given: Any, place: str) -> tuple[str, bool, list[DataSchema]]:
        """The type, whether it may be empty, and where several are given a form for each."""
        kinds = list(given) if isinstance(given, list | tuple) else [given]
        for each in kinds:
            if each != "null" and (not isinstance(each, str) or each not in WORDS):
                self.fault(_in(place, "type"), f"there is no type {each!r}.{near_names(str(each), WORDS)}")
                return "any", True, []
        nullable = "null" in kinds
        kinds = [each for each in kinds if each != "null"]
        if not kinds:  # nothing but null
            return "any", True, [] if not nullable else [DataSchema(values=(), nullable=True)]
        if len(kinds) == 1:
            return kinds[0], nullable, []
        return "any", nullable, [DataSchema(type=each) for each in kinds]

    def _list(self, schema: Mapping[str, Any], word: str, place: str) -> list[DataSchema]:
        given = schema.get(word, ())
        if not isinstance(given, list | tuple):
            self.fault(_in(place, word), f"is {given!r:.60}; it must be a list of schemas.")
            return []
        found = []
        for number, each in enumerate(given):
            if isinstance(each, Mapping) and each.get("type") == "null":
                found.append(DataSchema(values=(), nullable=True))
            else:
                found.append(self.read(each, _in(place, word, number)))
        return found

    def _names(self, given: object, place: str) -> tuple[str, ...]:
        if isinstance(given, list | tuple) and all(isinstance(each, str) for each in given):
            return tuple(given)
        self.fault(place, f"is {given!r:.60}; it must be a list of names.")
        return ()

    def _columns(self, given: object, place: str) -> dict[str, str]:
        if isinstance(given, Mapping) and all(isinstance(each, str) for each in given.values()):
            return {str(name): str(each) for name, each in given.items()}
        self.fault(place, f"is {given!r:.60}; it must be a table of dtypes by the names of columns.")
        return {}

    def _pattern(self, given: object, place: str) -> str | None:
        if given is None:
            return None
        import re2

        try:
            re2.compile(str(given))
        except re2.error as error:
            self.fault(_in(place, "pattern"), f"{given!r:.60} is no regular expression that takes linear time: {error}")
            return None
        return str(given)


def _with(form: DataSchema, **changes: Any) -> DataSchema:
    return msgspec.structs.replace(form, **changes)


def _bound(schema: Mapping[str, Any], word: str, exclusive: str) -> tuple[float | None, bool]:
    if isinstance(each := schema.get(exclusive), int | float) and not isinstance(each, bool):
        return each, True
    return schema.get(word), False


def _table(schema: Mapping[str, Any], word: str) -> list[tuple[Any, Any]]:
    found = schema.get(word, {})
    return list(found.items()) if isinstance(found, Mapping) else []


def _in(place: str, *names: object) -> str:
    return ".".join(filter(None, (place, *map(str, names))))
