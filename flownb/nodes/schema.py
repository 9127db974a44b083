"""What data must look like: a type, and for tables and lists what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from flownb.expr.access import describe
from flownb.nodes.cell import is_missing, plain_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DataKind = Literal[
    "any",
    "string",
    "number",
    "integer",
    "boolean",
    "object",
    "array",
    "file",
    "image",
    "coordinates",
    "screenshot",
    "ocr_result",
    "dataframe",
]

_CLASSES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float, Decimal),
    "integer": (int,),
    "boolean": (bool,),
    "object": (Mapping,),
    "array": (list, tuple),
}
_WORDS: Final[dict[str, str]] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a table",
    "array": "a list",
    "file": "the path of a file",
    "image": "a picture",
    "coordinates": "a place on the screen, with x and y",
    "screenshot": "a picture",
    "ocr_result": "text that was read from a picture",
    "dataframe": "a DataFrame",
}


class DataSchema(BaseModel):
    """The form of a value, in the words of JSON Schema."""

    model_config = ConfigDict(extra="forbid")

    type: DataKind = Field("any", description="What it is.")
    nullable: bool = Field(False, description="It may be empty as well.")
    properties: dict[str, DataSchema] = Field(default_factory=dict, description="Of a table: the form of its fields.")
    required: list[str] = Field(
        default_factory=list, description="Of a table: the fields that must be there, described or not."
    )
    items: DataSchema | None = Field(None, description="Of a list: the form of each entry.")

    def faults(self, value: Any, place: str = "") -> Iterator[str]:
        """What is wrong with a value, each fault with its place, as `lines.0.price`.

        Args:
            value: what is looked at.
            place: where it is; empty for the whole.
        """
        value = plain_cell(value)
        if is_missing(value):
            if not self.nullable and self.type != "any":
                yield f"{place or 'it'} is empty, and should be {_WORDS[self.type]}"
            return
        if self.type != "any" and not _is_a(value, self.type):
            yield f"{place or 'it'} is {describe(value)}, and should be {_WORDS[self.type]}"
            return
        if isinstance(value, Mapping):
            yield from self._faults_of_table(value, place)
        elif isinstance(value, list | tuple) and self.items is not None:
            for number, each in enumerate(value):
                yield from self.items.faults(each, f"{place}.{number}" if place else str(number))

    def _faults_of_table(self, table: Mapping[Any, Any], place: str) -> Iterator[str]:
        for name in self.required:
            if name not in table:
                yield f"{_inside(place, name)} is missing"
        for name, schema in self.properties.items():
            if name in table:
                yield from schema.faults(table[name], _inside(place, name))


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    if kind in _CLASSES:
        return isinstance(value, _CLASSES[kind])
    return _LOOKS[kind](value)


def _is_picture(value: Any) -> bool:
    return isinstance(value, bytes) or {cls.__name__ for cls in type(value).__mro__} & {"Image", "Figure"} != set()


def _is_place(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = [value.get("x"), value.get("y")]
    pair = isinstance(value, list | tuple) and len(value) == len(("x", "y"))
    return pair and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)


#: What has no class of its own, or one of a package that need not be there.
_LOOKS: Final[dict[str, Callable[[Any], bool]]] = {
    "file": lambda value: isinstance(value, str | PurePath | bytes),
    "image": _is_picture,
    "screenshot": _is_picture,
    "coordinates": _is_place,
    "ocr_result": lambda value: isinstance(value, str | Mapping | list | tuple),
    "dataframe": lambda value: any(cls.__name__ == "DataFrame" for cls in type(value).__mro__),
}


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
