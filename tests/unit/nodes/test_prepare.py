from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict

from flownb.errors import ExpressionError, InvalidInput
from flownb.graph.nodetype import Expression, NodeType
from flownb.model.workflow import Node
from flownb.nodes.prepare import prepare
from flownb.nodes.scope import scope
from flownb.testing import FakeContext

if TYPE_CHECKING:
    from collections.abc import Mapping


class MailConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    to: str = ""
    count: int = 0
    parts: list[Any] = []
    rows: Any = None
    when: str = ""


class Mail(NodeType):
    """Sends."""

    type: ClassVar[str] = "test.mail"
    Config = MailConfig
    expressions: ClassVar[tuple[str, ...]] = ("when",)


def config(given: dict[str, Any], ctx: FakeContext | None = None, /, **inputs: Any) -> Any:
    return prepare(Mail, Node(id="n", type="test.mail", config=given), ctx or FakeContext(), inputs).config


def test_a_lone_template_keeps_the_value_and_in_text_it_becomes_text() -> None:
    rows = object()
    made = config({"rows": "{{ rows }}", "to": "{{ who }} <x@y>", "count": "{{ n }}"}, rows=rows, who="Ann", n=3)
    assert made.rows is rows
    assert (made.to, made.count) == ("Ann <x@y>", 3)


def test_templates_are_evaluated_however_deep_and_bare_expressions_are_left() -> None:
    made = config({"parts": [{"deep": ["{{ n + 1 }}"]}, "plain"], "when": "{{ n }} > 1"}, n=3)
    assert made.parts == [{"deep": [4]}, "plain"]
    assert made.when == "{{ n }} > 1"


class Inner(Mail):
    """Evaluates a part of a field by itself."""

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> list[Expression]:
        del config
        return [Expression("parts[0].own", "{{ n }}", bare=False)]


def test_what_a_type_evaluates_by_itself_is_left_however_deep() -> None:
    given = {"parts": [{"own": "{{ n }}", "other": "{{ n }}"}, {"own": "{{ n }}"}]}
    made = prepare(Inner, Node(id="n", type="test.mail", config=given), FakeContext(), {"n": 3}).config
    assert made.parts == [{"own": "{{ n }}", "other": 3}, {"own": 3}]


def test_an_input_of_a_field_s_name_takes_its_place() -> None:
    assert config({"to": "a"}, to="b").to == "b"


def test_a_node_that_an_expression_names_does_not_override_the_field_of_its_name() -> None:
    assert config({"to": "x", "when": "to.ok"}, to={"ok": True}).to == "x"


def test_what_does_not_fit_lists_every_fault() -> None:
    with pytest.raises(InvalidInput, match=r"test\.mail.*count of test\.mail is 'many'.*no field 'colour'"):
        config({"count": "{{ n }}", "colour": 1}, n="many")


def test_a_missing_name_is_an_expression_error() -> None:
    with pytest.raises(ExpressionError):
        config({"to": "{{ gone }}"})


def test_nearer_names_win_in_the_scope() -> None:
    context = FakeContext(inputs={"a": 1, "run": 2}, variables={"v": 3})
    names = scope(context, {"a": 5})
    trigger = {"type": "manual", "payload": None}
    assert names == {"run": 2, "trigger": trigger, "variables": {"a": 1, "run": 2, "v": 3}, "a": 5}
