"""The node that makes new data of old: a name and an expression for each field."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flownb.errors import ExpressionError
from flownb.graph.nodetype import Expression
from flownb.model.ports import MAIN, NodePorts
from flownb.model.problem import Problem
from flownb.model.status import Where
from flownb.nodes import script
from flownb.nodes.data import OPTIONAL, ItemsConfig, ItemsNode
from flownb.nodes.each import ITEM_NAMES, each_value

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterator

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
        default_factory=list,
        description="What comes out, in this order. A table of name → expression is taken as well, in the order of the "
        "names, because a JSON table keeps no other.",
    )
    each: bool = Field(False, description="Do it for each item: expressions know `item`, and `index` from 0.")
    keep: bool = Field(False, description="With `each`: keep the other fields of the item as well.")
    mode: Literal["expression", "python"] = Field(
        "expression", description="By expressions, or by Python in a process of its own."
    )
    code: str = Field("", description="With `python`: what makes it of `main`, or with `each` of `item` and `index`.")

    @field_validator("fields", mode="before")
    @classmethod
    def _of_table(cls, fields: Any) -> Any:
        if isinstance(fields, Mapping):
            return [{"name": str(name), "value": fields[name]} for name in sorted(fields, key=str)]
        return fields

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        if self.mode == "python":
            if self.fields or not self.code.strip():
                raise ValueError("Python makes it by `code`, without `fields`")
            if self.keep or "items" in self.model_fields_set:
                raise ValueError("Python works on what comes in at `main`: `keep` and `items` are for expressions")
            return self
        if not self.fields or self.code:
            raise ValueError("give `fields`; `code` goes with mode `python`")
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
    verbatim: ClassVar[tuple[str, ...]] = ("code",)
    title: ClassVar[str] = "Transform"
    Config: ClassVar[builtins.type[BaseModel] | None] = TransformConfig

    @classmethod
    def names_of(cls, config: Mapping[str, Any]) -> frozenset[str]:
        """What the code takes from around it."""
        return script.names_in(_code(config)) - {MAIN, "ctx"} - (ITEM_NAMES if config.get("each") else frozenset())

    @classmethod
    def takes_context(cls, config: Mapping[str, Any]) -> bool:
        """Whether the code names `ctx`, or what is in it."""
        return bool(script.names_in(_code(config)) & script.CONTEXT_NAMES)

    @classmethod
    def where_of(cls, node: Node) -> Where:
        """Code in a process of its own."""
        return Where.PROCESS if node.config.get("mode") == "python" else Where.LOOP

    @classmethod
    def body_of(cls, node: Node) -> Callable[..., Any] | None:
        """What runs the code."""
        if node.config.get("mode") != "python":
            return None
        return partial(script.run_each if node.config.get("each") else script.run_on, _code(node.config), node.id)

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of its config, with the line of code that is no Python."""
        found = super().check(node)
        if fault := script.fault_in(_code(node.config)):
            message = f"{node.id} ({cls.type}): {fault}"
            found.append(Problem(message, node=node.id, place="config.code", code="bad_code"))
        return found

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
        """Make the table; of many items on a thread, as code is run here, which a run has in a process."""
        config: TransformConfig = self.config
        if config.mode == "python":
            work = script.run_each if config.each else script.run_on
            return await asyncio.to_thread(partial(work, config.code, ctx.path, ctx=ctx, **inputs))
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


def _code(config: Mapping[str, Any]) -> str:
    code = config.get("code", "")
    return code if config.get("mode") == "python" and isinstance(code, str) else ""


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
