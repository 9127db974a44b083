from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from flownb.graph.builder import Builder
from flownb.graph.nodetype import NodeType
from flownb.graph.registry import Registry
from flownb.graph.validate import validate
from flownb.model.ports import AFTER, ConnectionType, DataType, InputPort, NodePorts, OutputPort
from flownb.model.problem import Problem, Severity
from flownb.model.workflow import Edge, JoinCount, Node, RetryPolicy, Settings, Variable, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterable


class Box(NodeType):
    """Takes text and an optional number, gives a number and a model."""

    type: ClassVar[str] = "test.box"
    version: ClassVar[int] = 2
    ports: ClassVar[NodePorts] = NodePorts(
        (
            InputPort("text", DataType.STRING),
            InputPort("number", DataType.NUMBER, required=False),
            InputPort("all", many=True, required=False),
            InputPort("tool", connection=ConnectionType.AI_TOOL, required=False),
        ),
        (OutputPort("main", DataType.NUMBER), OutputPort("tool", connection=ConnectionType.AI_TOOL)),
    )


class Fussy(NodeType):
    """Has a check and ports that raise."""

    type: ClassVar[str] = "test.fussy"

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        raise RuntimeError("boom")

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        raise RuntimeError("boom")


class Any_(NodeType):  # noqa: N801  `Any` is taken
    """Takes and gives anything."""

    type: ClassVar[str] = "test.any"
    ports: ClassVar[NodePorts] = NodePorts(open=True)


@pytest.fixture
def types() -> Registry:
    own = Registry(group="")
    for each in (Box, Fussy, Any_):
        own.register(each)
    return own


def any_(name: str, **more: Any) -> Node:
    return Node(id=name, type="test.any", **more)


def box(name: str = "box", **more: Any) -> Node:
    return Node(id=name, type="test.box", **more)


def flow_of(*parts: Node | Edge | Variable, **more: Any) -> Workflow:
    def only(kind: type) -> tuple[Any, ...]:
        return tuple(part for part in parts if isinstance(part, kind))

    return Workflow(nodes=only(Node), edges=only(Edge), variables=only(Variable), **more)


def edge(source: str, target: str, **more: Any) -> Edge:
    name, _, port = source.partition(".")
    end, _, parameter = target.partition(".")
    return Edge(source=name, source_port=port or None, target=end, target_port=parameter or AFTER, **more)


TEXT = Variable(name="text", type="string")

CASES: list[tuple[str, Workflow, str, str | None, str | None, str]] = [
    # name, definition, code, node, place, a part of message and hint
    ("unknown type", flow_of(any_("a"), Node(id="x", type="test.anny")), "unknown_type", "x", "nodes[1].type",
     "x: There is no node type 'test.anny'. Did you mean 'test.any'"),
    ("type to come", flow_of(Node(id="x", type="ai.prompt")), "unknown_type", "x", "nodes[0].type",
     "does not have the node type 'ai.prompt' yet"),
    ("newer type", flow_of(box(type_version=3), TEXT), "type_version", "box", "nodes[0].type_version",
     "box is version 3 of test.box; this flownb has version 2"),
    ("missing input", flow_of(box()), "missing_input", "box", "nodes[0]", "box needs 'text', and nothing feeds it"),
    ("cycle", flow_of(any_("a"), any_("b"), any_("c"), edge("a", "b.x"), edge("b", "c"), edge("c", "a")), "cycle", "a",
     None, "These 3 nodes wait for one another: a → b → c → a"),
    ("wrong source port", flow_of(any_("a"), any_("b"), edge("a.mian", "b.x")), "wrong_port", "a", "edges[0]",
     "a has no port 'mian'. Did you mean 'main'"),
    ("wrong gate", flow_of(any_("a"), any_("b"), edge("a.yes", "b")), "wrong_port", "a", "edges[0]",
     "a has no port 'yes'. There is: error, main"),
    ("wrong input", flow_of(any_("a"), box(), TEXT, edge("a", "box.txt")), "wrong_port", "box", "edges[0]",
     "box has no input 'txt'. Did you mean 'text'"),
    ("no data from an output", flow_of(Node(id="o", type="control.output"), any_("b"), edge("o", "b.x")), "wrong_port",
     "o", "edges[0]", "o has no port 'main'"),
    ("type of port", flow_of(box("a"), box("b"), TEXT, edge("a", "b.text")), "port_type", "b", "edges[0]",
     "a.main gives number, and b.text takes string"),
    ("connection", flow_of(box("a"), box("b"), TEXT, edge("a.tool", "b.number")), "wrong_connection", "b", "edges[0]",
     "is of type main; it leaves a port of type ai_tool and enters one of type main"),
    ("two edges into one", flow_of(any_("a"), any_("b"), box(), edge("a", "box.text"), edge("b", "box.text")),
     "too_many_edges", "box", "nodes[2]", "box.text takes one edge and has 2, from a.main and b.main"),
    ("no such source", flow_of(any_("load"), edge("laod", "load")), "unknown_node", "load", "edges[0]",
     "An edge to load comes from 'laod', and there is no such node. Did you mean 'load'"),
    ("no such target", flow_of(any_("load"), edge("load", "totl")), "unknown_node", "load", "edges[0]",
     "An edge from load leads to 'totl', and there is no such node"),
    ("self", flow_of(any_("a"), edge("a", "a")), "self_edge", "a", "edges[0]", "a is wired to itself"),
    ("edges that differ", flow_of(any_("a"), any_("b"), edge("a", "b"), edge("a", "b", condition="a > 1")),
     "duplicate_edge", "b", "edges[1]", "differ in condition or type"),
    ("config", flow_of(Node(id="d", type="control.delay", config={"seconds": -1})), "bad_config", "d",
     "nodes[0].config.seconds", "seconds of d (control.delay) is -1"),
    ("both of config", flow_of(Node(id="d", type="control.delay")), "bad_config", "d", "nodes[0].config",
     "d (control.delay): a delay takes seconds or until, one of them"),
    ("unknown field", flow_of(any_("a", config={"colour": 3})), "bad_config", "a", "nodes[0].config.colour",
     "a (test.any) has no field 'colour'"),
    ("check that raises", flow_of(Node(id="f", type="test.fussy")), "bad_config", "f", "nodes[0].config",
     "can't be checked: RuntimeError: boom"),
    ("expression", flow_of(Node(id="c", type="control.condition", config={"test": "a >"})), "bad_expression", "c",
     "nodes[0].config.test", "c: "),
    ("condition of an edge", flow_of(any_("a"), any_("b"), edge("a", "b", condition="a >")), "bad_expression", "a",
     "edges[0].condition", "a.main->b.after: "),
    ("unknown name", flow_of(any_("total"), Node(id="c", type="control.condition", config={"test": "totl.x > 1"})),
     "unknown_name", "c", "nodes[1].config", "names 'totl', which is no node and no input. Did you mean 'total'"),
    ("names itself", flow_of(Node(id="c", type="control.condition", config={"test": "c > 1"})), "self_edge", "c",
     "nodes[0].config", "An expression of c names the node itself"),
    ("two of one id", flow_of(any_("a"), any_("a")), "duplicate_id", "a", "nodes[1]", "Two nodes have the id 'a'"),
    ("no identifier", flow_of(any_("my node")), "bad_id", "my node", "nodes[0].id", "Call it 'my_node'"),
    ("keyword", flow_of(any_("class")), "bad_id", "class", "nodes[0].id", "no Python identifier"),
    ("reserved", flow_of(any_("after")), "bad_id", "after", "nodes[0].id", "flownb uses that word itself"),
    ("parent", flow_of(any_("each"), any_("a", parent="eech")), "unknown_parent", "a", "nodes[1].parent",
     "a is inside 'eech', and there is no such node. Did you mean 'each'"),
    ("parent of itself", flow_of(any_("a", parent="b"), any_("b", parent="a")), "parent_cycle", "a", "nodes[0].parent",
     "a is inside itself, by way of b"),
    ("join", flow_of(any_("a"), any_("b", join=JoinCount(2)), edge("a", "b")), "bad_join", "b", "nodes[1].join.count",
     "b waits for 2 of its gates and orders, and it has 1"),
    ("retry", flow_of(any_("a", retry=RetryPolicy(attempts=0))), "bad_policy", "a", "nodes[0].retry.attempts",
     "retry.attempts of a is 0; it must be a whole number from 1"),
    ("timeout", flow_of(any_("a", timeout=0)), "bad_policy", "a", "nodes[0].timeout", "a number above 0"),
    ("where", flow_of(any_("a", where="moon")), "bad_policy", "a", "nodes[0].where",
     "where of a is 'moon'; it must be one of loop, thread, process, main"),
    ("concurrency", flow_of(settings=Settings(concurrency=0)), "bad_setting", None, "settings.concurrency",
     "concurrency is 0; it must be a whole number from 1"),
    ("input of no type", flow_of(Variable(name="n", type="nummer")), "bad_type", None, "variables[0].type",
     "has the type 'nummer', which no port has. Did you mean 'number'"),
    ("input that is a node", flow_of(any_("a"), Variable(name="a")), "input_is_node", "a", "variables[0]",
     "'a' is an input and a node"),
    ("two inputs", flow_of(Variable(name="a"), Variable(name="a")), "duplicate_input", None, "variables[1]",
     "Two inputs have the name 'a'"),
    ("input of a bad name", flow_of(Variable(name="a b")), "bad_id", None, "variables[0]", "Call it 'a_b'"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_each_fault_is_one_error_that_says_where_and_what(types: Registry, case: Any) -> None:
    _, workflow, code, node, place, text = case
    found = [problem for problem in validate(workflow, types) if problem.severity is Severity.ERROR]
    assert [problem.code for problem in found][:1] == [code], found
    assert {problem.code for problem in found} == {code}
    assert (found[0].node, found[0].place) == (node, place)
    assert text in f"{found[0].message} {found[0].hint}"


WARNINGS: list[tuple[str, Workflow, str, str, str]] = [
    ("fallback", flow_of(any_("a", on_error="fallback")), "no_fallback", "a", "completes with None when it fails"),
    ("error port", flow_of(any_("a", on_error="error_port")), "no_error_edge", "a", "the error would be lost"),
    ("island", flow_of(Node(id="s", type="control.start"), any_("a"), any_("b"), edge("s", "a")), "unreachable", "b",
     "b is not tied to the start s"),
    ("dead port", flow_of(Node(id="c", type="control.condition", config={"test": "1 > 2"}), any_("a"), any_("b"),
     edge("c.true", "a"), edge("c.false", "b")), "unreachable", "a", "a can never run: it waits for c.true"),
]  # fmt: skip


@pytest.mark.parametrize(("workflow", "code", "node", "text"), [case[1:] for case in WARNINGS],
                         ids=[case[0] for case in WARNINGS])  # fmt: skip
def test_what_only_looks_wrong_is_a_warning(
    types: Registry, workflow: Workflow, code: str, node: str, text: str
) -> None:
    (problem,) = validate(workflow, types)
    assert (problem.severity, problem.code, problem.node) == (Severity.WARNING, code, node)
    assert text in problem.message


SOUND: list[tuple[str, Workflow]] = [
    ("nothing", flow_of()),
    ("an input of the flow", flow_of(box(), TEXT)),
    ("an edge", flow_of(any_("a"), box(), edge("a", "box.text"))),
    ("many edges into many", flow_of(any_("a"), any_("b"), box(), TEXT, edge("a", "box.all"), edge("b", "box.all"))),
    ("two equal edges", flow_of(any_("a"), any_("b"), edge("a", "b"), edge("a", "b"))),
    ("data and order from one node", flow_of(any_("a"), box(), edge("a", "box.text"), edge("a", "box"))),
    ("an edge into a field", flow_of(any_("a"), Node(id="d", type="control.delay", config={"seconds": 1}),
     edge("a", "d.seconds"))),
    ("an error edge", flow_of(any_("a", on_error="error_port"), any_("b"), edge("a.error", "b.x"))),
    ("inside something", flow_of(any_("each"), any_("a", parent="each"),
     Node(id="c", type="control.condition", parent="each", config={"test": "item > index"}))),
    ("names that are always there", flow_of(Node(id="c", type="control.condition",
     config={"test": "variables.x > 1 and run.id != trigger.type"}))),
    ("a name that may be missing",
     flow_of(Node(id="c", type="control.condition", config={"test": "default(x, 1) > 0"}))),
    ("a name of an input",
     flow_of(Variable(name="n"), Node(id="c", type="control.condition", config={"test": "n > 0"}))),
    ("what comes in at main", flow_of(any_("a"), Node(id="c", type="control.condition", config={"test": "main > 0"}),
     edge("a", "c.main"))),
    ("a tool", flow_of(box("a"), box("b"), TEXT, edge("a.tool", "b.tool", type=ConnectionType.AI_TOOL))),
    ("a template in a number", flow_of(Variable(name="n"),
     Node(id="d", type="control.delay", config={"seconds": "{{ n }}"}))),
    ("a start and what feeds its part",
     flow_of(Node(id="s", type="control.start"), any_("a"), any_("b"), edge("s", "b"),
     edge("a", "b.x"))),
    ("order after an output", flow_of(Node(id="o", type="control.output"), any_("a"), edge("o", "a"))),
]  # fmt: skip


@pytest.mark.parametrize("workflow", [case[1] for case in SOUND], ids=[case[0] for case in SOUND])
def test_what_is_sound_has_no_problems(types: Registry, workflow: Workflow) -> None:
    assert validate(workflow, types) == []


def test_all_problems_come_at_once_in_reading_order(types: Registry) -> None:
    workflow = flow_of(
        Variable(name="a b"),
        any_("after"),
        Node(id="d", type="control.delay", config={"seconds": -1, "colour": 1}, timeout=-1),
        Node(id="x", type="nothing.known"),
        any_("b"),
        any_("c"),
        edge("gone", "b"),
        edge("b", "c"),
        edge("c", "b"),
        settings=Settings(overlap="sometimes"),
    )
    found = validate(workflow, types)
    assert [problem.place for problem in found] == [
        "settings.overlap",
        "variables[0]",
        "nodes[0].id",
        "nodes[1].config.seconds",
        "nodes[1].config.colour",
        "nodes[1].timeout",
        "nodes[2].type",
        "edges[0]",
        None,
    ]
    assert validate(workflow, types) == found


def test_each_ring_of_nodes_is_a_problem_of_its_own_and_long_ones_are_shortened(types: Registry) -> None:
    def ring(prefix: str, count: int) -> Iterable[Node | Edge]:
        for number in range(count):
            yield any_(f"{prefix}{number}")
            yield edge(f"{prefix}{number}", f"{prefix}{(number + 1) % count}")

    found = validate(flow_of(*ring("a", 2), *ring("b", 30)), types)
    assert [problem.message for problem in found] == [
        "These 2 nodes wait for one another: a0 → a1 → a0.",
        "These 30 nodes wait for one another: "
        + " → ".join([*(f"b{number}" for number in range(10)), "…", "b29", "b0"])
        + ".",
    ]


def test_a_builder_and_its_definition_have_the_same_problems() -> None:
    flow = Builder("same")
    flow.node(lambda x: x, id="a", after="gone")
    assert flow.validate() == validate(flow.build())


def test_a_function_of_a_document_needs_its_parameters(types: Registry) -> None:
    config = {"function": "m:f", "params": {"x": {"type": "any"}, "y": {"type": "any", "optional": True}}}
    (problem,) = validate(flow_of(Node(id="f", type="python", config=config)), types)
    assert (problem.code, problem.port) == ("missing_input", "x")


@pytest.mark.parametrize(
    ("inputs", "codes", "text"),
    [
        ({"text": "a"}, [], ""),
        ({}, ["missing_input"], "The input 'text' (string) is missing."),
        ({"text": "a", "limt": 1}, ["unknown_input"], "There is no input 'limt'. Did you mean 'limit'"),
        ({"text": "a", "box": 1}, ["input_is_node"], "'box' is a node and no input"),
    ],
)
def test_the_inputs_of_a_run_are_checked_where_they_are_given(
    types: Registry, inputs: dict[str, Any], codes: list[str], text: str
) -> None:
    workflow = flow_of(box(), TEXT, Variable(name="limit", type="number", default=3))
    found = validate(workflow, types, inputs=inputs)
    assert [problem.code for problem in found] == codes
    assert text in "".join(problem.message for problem in found)


def chain(count: int) -> list[Node | Edge]:
    parts: list[Node | Edge] = [any_(f"n{number}") for number in range(count)]
    return parts + [edge(f"n{number - 1}", f"n{number}.x") for number in range(1, count)]


def test_ten_thousand_nodes_are_checked_in_about_half_a_second(types: Registry) -> None:
    workflow = flow_of(*chain(10_000))
    before = time.process_time()
    assert validate(workflow, types) == []
    assert time.process_time() - before < 1.5  # three times what is promised, for busy and slow machines


def test_ten_thousand_faults_take_no_longer(types: Registry) -> None:
    workflow = flow_of(
        *chain(10_000),
        *(edge(f"gone{number}", f"n{number}") for number in range(10_000)),
        edge("n9999", "n0"),
    )
    before = time.process_time()
    found = validate(workflow, types)
    assert len(found) == 10_001
    assert time.process_time() - before < 2.5


def test_deep_parents_need_no_recursion_and_little_time(types: Registry) -> None:
    nodes = [any_(f"n{number}", parent=f"n{number + 1}" if number < 9_999 else None) for number in range(10_000)]
    before = time.process_time()
    assert validate(flow_of(*nodes), types) == []
    assert time.process_time() - before < 1.5
