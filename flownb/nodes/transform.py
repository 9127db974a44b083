"""The node that makes new data of old: a name and an expression for each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flownb.errors import ExpressionError
from flownb.graph.nodetype import Expression
from flownb.model.ports import MAIN, NodePorts
from flownb.nodes.data import OPTIONAL, ItemsConfig, ItemsNode
from flownb.nodes.each import ITEM_NAMES, each_value

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node
    from flownb.nodes.items import Items

#: Text is an expression, or has some in `{{ }}`; anything else is the value itself.
Value = str | int | float | bool | None


class TransformField(BaseModel):
    """One field of what comes out."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="What it is called.")
    value: Value = Field(
        description="An expression as `total.amount * 1.19`, text with `{{ }}` in it, or a number, true, false or null."
    )


class TransformConfig(ItemsConfig):
    """The config of a transform."""

    fields: list[TransformField] = Field(
        min_length=1,
        description="What comes out, in this order. A table of name → expression is taken as well, in the order of the "
        "names, because a JSON table keeps no other.",
    )
    each: bool = Field(False, description="Do it for each item: expressions know `item`, and `index` from 0.")
    keep: bool = Field(False, description="With `each`: keep the other fields of the item as well.")
    mode: Literal["expression"] = Field("expression", description="How fields are made: by expressions.")

    @field_validator("fields", mode="before")
    @classmethod
    def _of_table(cls, fields: Any) -> Any:
        if isinstance(fields, Mapping):
            return [{"name": str(name), "value": fields[name]} for name in sorted(fields, key=str)]
        return fields

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [each.name for each in self.fields]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ValueError(f"there are two fields {name!r}")
        return self


class Transform(ItemsNode):
    """Gives a table (dict) with a field for each expression; or, with `each`, such a table for each item.

    With `each` a list gives a list, a DataFrame a DataFrame. `main` is what came in.
    """

    type: ClassVar[str] = "control.transform"
    title: ClassVar[str] = "Transform"
    Config: ClassVar[builtins.type[BaseModel] | None] = TransformConfig

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """Without `each` nothing need come in at `main`: expressions name what they use."""
        if node.config.get("each"):
            return super().ports_of(node)
        return NodePorts((OPTIONAL,))

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> Iterator[Expression]:
        """The text of each field."""
        own = ITEM_NAMES if config.get("each") else frozenset[str]()
        fields = config.get("fields")
        if isinstance(fields, dict):
            places = [(f"fields.{name}", value) for name, value in fields.items()]
        elif isinstance(fields, list):
            entries = [(number, each) for number, each in enumerate(fields) if isinstance(each, dict)]
            places = [(f"fields[{number}].value", each.get("value")) for number, each in entries]
        else:
            places = []
        for place, value in places:
            if isinstance(value, str):
                yield Expression(place, value, bare="{{" not in value, own=own)

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Make the table; of many items on a thread."""
        config: TransformConfig = self.config
        if config.each:
            return await super().execute(ctx, inputs)
        there = inputs.get(MAIN) or "items" in config.model_fields_set
        names = self.names(ctx, inputs, self.given(ctx, inputs) if there else None)
        return {each.name: _evaluate(each, names, ctx) for each in config.fields}

    def work(self, ctx: Context, items: Items, inputs: Mapping[str, Any]) -> Any:
        """Make the fields of each item."""
        config: TransformConfig = self.config
        names = self.names(ctx, inputs, items.value)
        columns = {}
        for field in config.fields:
            if isinstance(field.value, str):
                try:
                    columns[field.name] = each_value(_compiled(field.value), items, ctx, names)
                except ExpressionError as error:
                    raise _in_field(field.name, error) from error
            else:
                columns[field.name] = [field.value] * len(items)
        return items.extended(columns, keep=config.keep)


def _compiled(text: str) -> Any:
    from flownb.expr import compile_expression, compile_template

    return compile_template(text) if "{{" in text else compile_expression(text)


def _evaluate(field: TransformField, names: Mapping[str, Any], ctx: Context) -> Any:
    if not isinstance(field.value, str):
        return field.value
    try:
        return _compiled(field.value).evaluate(names)
    except ExpressionError as error:
        message = f"{ctx.path}: {error.message}"
        raise _in_field(field.name, ExpressionError(message, text=error.text, position=error.position)) from error


def _in_field(name: str, error: ExpressionError) -> ExpressionError:
    return ExpressionError(f"{error.message} (in the field {name!r})", text=error.text, position=error.position)
