from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from flownb.errors import ExpressionError
from flownb.graph.nodetype import Expression, NodeType
from flownb.graph.references import References, complete, names_in, references_of
from flownb.graph.registry import registry
from flownb.model.workflow import Edge, Node, Workflow
from flownb.nodes.control import Condition, Delay
from flownb.nodes.python import PythonNode

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: frozenset[str] = frozenset()


def test_names_of_an_expression_and_those_that_may_be_missing() -> None:
    assert names_in("total.amount > default(limit, 3)", bare=True) == (
        frozenset({"total", "limit"}),
        frozenset({"limit"}),
    )
    assert names_in("{{ a }} of {{ b.c }}", bare=False) == (frozenset({"a", "b"}), NOTHING)
    assert names_in({"type": "equals", "left": "{{ a.b }}", "right": 5}, bare=True) == (frozenset({"a"}), NOTHING)


def test_what_can_t_be_read_is_an_expression_error() -> None:
    with pytest.raises(ExpressionError):
        names_in("a >", bare=True)


def test_templates_are_found_however_deep_and_bare_expressions_by_their_field() -> None:
    config = {"test": "a > 1", "more": [{"deep": "{{ b }}"}, "plain", 3], "text": "{{ c }} and {{ default(d, 0) }}"}
    used = references_of(Node(id="n", type="control.condition", config=config), Condition)
    assert used == References(frozenset("abcd"), frozenset("d"))


def test_a_name_that_is_needed_in_one_place_is_needed() -> None:
    node = Node(id="n", type="x", config={"one": "{{ default(a, 1) }}", "two": "{{ a }}"})
    assert references_of(node, None).optional == frozenset()


def test_the_source_of_a_function_is_no_template() -> None:
    node = Node(id="n", type="python", config={"source": "f'{{ a }}'", "function": "m:f"})
    assert references_of(node, PythonNode) == References()


def test_an_expression_that_can_t_be_read_is_a_problem_with_its_place() -> None:
    used = references_of(Node(id="n", type="control.delay", config={"seconds": "{{ a + }}"}), Delay)
    (problem,) = used.problems
    assert (problem.code, problem.node, problem.place) == ("bad_expression", "n", "config.seconds")


class Rules(NodeType):
    """Has expressions inside a list, which know a name of their own."""

    type: ClassVar[str] = "test.rules"

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> list[Expression]:
        own = frozenset({"item"})
        return [Expression(f"rules[{n}].test", each["test"], own=own) for n, each in enumerate(config["rules"])]


def test_a_type_says_where_its_expressions_are_and_what_they_know_by_themselves() -> None:
    rules = [{"test": "item.a > limit", "note": "{{ item }} of {{ note }}"}, {"test": "default(item, 1) == other"}]
    used = references_of(Node(id="n", type="test.rules", config={"rules": rules}), Rules)
    assert used == References(frozenset({"limit", "item", "note", "other"}))
    bare = [{"test": each["test"]} for each in rules]
    assert references_of(Node(id="n", type="test.rules", config={"rules": bare}), Rules).names == {"limit", "other"}
    (problem,) = references_of(Node(id="n", type="x", config={"rules": [{"test": "a >"}]}), Rules).problems
    assert problem.place == "config.rules[0].test"


def test_a_deep_config_needs_no_recursion() -> None:
    config: dict[str, object] = {"x": "{{ a }}"}
    for _ in range(10_000):
        config = {"x": config}
    assert references_of(Node(id="n", type="x", config=config), None).names == {"a"}


def test_types_go_by_our_own_names_once_a_definition_is_complete() -> None:
    workflow = Workflow(
        nodes=(Node(id="a", type="START"), Node(id="b", type="acme.rocket"), Node(id="c", type="delay"))
    )
    done = complete(workflow, registry)
    assert [node.type for node in done.nodes] == ["control.start", "acme.rocket", "control.delay"]
    assert complete(done, registry) is done


def test_naming_a_node_makes_an_edge_once() -> None:
    nodes = (
        Node(id="a", type="control.start"),
        Node(id="b", type="control.start"),
        Node(id="c", type="control.condition", config={"test": "a.x > b.y and variables.z and c and d"}),
    )
    wired = Edge(source="a", target="c", target_port="b")
    done = complete(Workflow(nodes=nodes, edges=(wired,)), registry)
    assert done.edges == (wired, Edge(source="a", target="c", target_port="a"))
    assert complete(done, registry) is done
