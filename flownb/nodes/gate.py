"""The data gate: nothing passes that breaks a rule."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import Field, field_validator

from flownb.errors import InvalidInput
from flownb.graph.nodetype import Expression, Output
from flownb.model.ports import MAIN, DataType, NodePorts, OutputPort
from flownb.model.status import Category
from flownb.nodes.data import OPTIONAL, ItemsConfig, ItemsNode
from flownb.nodes.each import ITEM_NAMES
from flownb.nodes.items import ListItems, items_of
from flownb.nodes.rules import Check, Rule

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator

    from pydantic import BaseModel

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node
    from flownb.nodes.items import Items
    from flownb.nodes.rules import Finding

_THROUGH: Final = (OutputPort(MAIN, help="what came in"),)
_BY_PORT: Final = (
    OutputPort(MAIN, DataType.OBJECT, help="the report: passed, items, rules, message"),
    OutputPort("passed", help="what came in, where all rules hold"),
    OutputPort("failed", help="what came in, where one doesn't"),
)


class AssertConfig(ItemsConfig):
    """The config of a gate."""

    items: Any = Field(
        None,
        description="What to look at, as `{{ load }}`: a list, a DataFrame, or a single table; by default what comes "
        "in at `main`.",
    )
    rules: list[Rule] = Field(
        min_length=1, description="What must hold; a text is the `test` of a rule, as `item.amount > 0`."
    )
    on_fail: Literal["error", "port"] = Field(
        "error", description="What happens when a rule doesn't hold: the node fails, or its port `failed` fires."
    )
    examples: int = Field(3, ge=0, le=100, description="How many of the items that break a rule to show.")

    @field_validator("rules", mode="before")
    @classmethod
    def _of_text(cls, rules: Any) -> Any:
        return (
            [{"test": each} if isinstance(each, str) else each for each in rules] if isinstance(rules, list) else rules
        )


class Assert(ItemsNode):
    """Lets data through if all rules hold; else fails, and says for each broken rule how often and where.

    With `on_fail: port` it doesn't fail: what came in leaves by `passed` or `failed`, and its own output is the report.
    """

    type: ClassVar[str] = "control.assert"
    title: ClassVar[str] = "Data gate"
    category: ClassVar[Category] = Category.LOGIC
    Config: ClassVar[builtins.type[BaseModel] | None] = AssertConfig
    outputs: ClassVar[tuple[OutputPort, ...]] = _THROUGH
    ports: ClassVar[NodePorts] = NodePorts((OPTIONAL,), _THROUGH)

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """`passed` and `failed` are there where it doesn't fail."""
        return NodePorts((OPTIONAL,), _BY_PORT if node.config.get("on_fail") == "port" else _THROUGH)

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> Iterator[Expression]:
        """The tests, which know `item` and `index`."""
        rules = config.get("rules")
        for number, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, str):
                yield Expression(f"rules[{number}]", rule, own=ITEM_NAMES)
            elif isinstance(rule, dict) and isinstance(rule.get("test"), str | dict):
                yield Expression(f"rules[{number}].test", rule["test"], own=ITEM_NAMES)

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Ask everything, on a thread."""
        there = bool(inputs.get(MAIN)) or "items" in self.config.model_fields_set
        value = self.given(ctx, inputs) if there else None
        return await asyncio.to_thread(lambda: self._check(ctx, inputs, value, there=there))

    def _check(self, ctx: Context, inputs: Mapping[str, Any], value: Any, *, there: bool) -> Any:
        config: AssertConfig = self.config
        items = _items(value, ctx.path, there=there)
        check = Check(items, ctx, self.names(ctx, inputs, value), config.examples)
        findings = [finding for rule in config.rules for finding in check.findings(rule)]
        report = _report(findings, items, ctx.path)
        if config.on_fail == "port":
            port = "passed" if report["passed"] else "failed"
            return Output(report, ports=(port,), values={port: value if there else report})
        if not report["passed"]:
            raise InvalidInput(report["message"], name=MAIN, report=report)
        ctx.status(report["message"].removeprefix(f"{ctx.path}: "))
        return value if there else report


def _items(value: Any, owner: str, *, there: bool) -> Items | InvalidInput:
    """What came in as items, a single table as one item; or why it has none, for rules that ask for them."""
    if not there:
        message = f"{owner} has rules about items, and nothing came in: wire a node to it, or set `items`."
        return InvalidInput(message, name=MAIN)
    try:
        return ListItems([value], owner) if isinstance(value, Mapping) else items_of(value, owner)
    except InvalidInput as error:
        return error


def _report(findings: list[Finding], items: Items | InvalidInput, owner: str) -> dict[str, Any]:
    """The report, as plain data."""
    broken = [each for each in findings if each.failed]
    count = None if isinstance(items, InvalidInput) else len(items)
    noun = "item" if isinstance(items, InvalidInput) else items.noun
    of = "" if count is None else f" on {_number(count, noun)}"
    if broken:
        lines = [f"- {_line(each, noun)}" for each in broken]
        message = "\n".join((f"{owner}: {len(broken)} of {_number(len(findings), 'rule')} failed{of}:", *lines))
    else:
        message = f"{owner}: {_number(len(findings), 'rule')} held{of}."
    return {
        "passed": not broken,
        "items": count,
        "rules": [
            {
                "rule": each.rule,
                "passed": not each.failed,
                "failed": each.failed,
                "examples": [{"index": number, "value": shown} for number, shown in each.examples],
                "note": each.note,
            }
            for each in findings
        ],
        "message": message,
    }


def _line(finding: Finding, noun: str) -> str:
    """A broken rule in a line: what it asks, how many broke it, which, and what else there is to say."""
    shown = "; ".join(f"{noun} {number} ({value})" for number, value in finding.examples)
    more = "; …" if shown and finding.failed > len(finding.examples) else ""
    broke = f"{_number(finding.failed, noun)} broke it: {shown}{more}." if shown else ""
    said = " ".join(filter(None, (broke, finding.note)))
    return f"{finding.rule}: {said}" if said else finding.rule


def _number(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
