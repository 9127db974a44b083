"""What data must look like: a type, and for tables and lists what is in them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from flownb.graph.schemas.words import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.schemas.schema import DataSchema as Form

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

    columns: dict[str, str] = Field(
        default_factory=dict, description="Of a DataFrame: what each column holds, as number or float64."
    )

    @cached_property
    def form(self) -> Form:
        """The same as ports have it."""
        return read_schema(self.model_dump(exclude_none=True))

    def faults(self, value: Any, place: str = "") -> Iterator[str]:
        """What is wrong with a value, each fault with its place, as `lines.0.price`.

        Args:
            value: what is looked at.
            place: where it is; empty for the whole.
        """
        return map(str, self.form.faults(value, place))
