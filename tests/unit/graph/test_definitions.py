from __future__ import annotations

import warnings
from typing import Any

import pytest

from flownb.errors import NotFound, UsageError
from flownb.graph.builder import Builder, DefinitionWarning
from flownb.graph.spec import Origin
from flownb.model.problem import Severity


class Notebook:
    """Says which cell is being executed."""

    def __init__(self) -> None:
        self.count = 0
        self.now: Origin | None = None

    def cell(self, name: str) -> None:
        self.count += 1
        self.now = Origin(name, self.count, f"cell [{self.count}]")

    def __call__(self) -> Origin | None:
        return self.now


def in_notebook() -> tuple[Builder, Notebook]:
    notebook = Notebook()
    return Builder("cells", origin=notebook), notebook


def codes(builder: Builder) -> list[str]:
    return [problem.code for problem in builder.validate()]


def one() -> int:
    return 1


def two() -> int:
    return 2


def test_a_cell_that_runs_again_replaces_its_nodes_quietly() -> None:
    flow, notebook = in_notebook()
    notebook.cell("a")
    flow.node(one, id="n")
    notebook.cell("a")
    flow.node(two, id="n")
    assert flow.functions == {"n": two}
    assert codes(flow) == []


def test_a_node_from_another_cell_is_replaced_with_a_warning_that_names_both() -> None:
    flow, notebook = in_notebook()
    notebook.cell("a")
    flow.node(one, id="n")
    notebook.cell("b")
    with pytest.warns(DefinitionWarning, match=r"'n' of cell \[1\] is replaced by the one of cell \[2\]") as caught:
        flow.node(two, id="n")
    assert caught[0].filename == __file__
    assert flow.functions == {"n": two}
    assert codes(flow) == []


def test_twice_in_one_execution_is_a_problem_until_the_cell_is_mended() -> None:
    flow, notebook = in_notebook()
    notebook.cell("a")
    flow.node(one, id="n")
    flow.node(two, id="n")
    (problem,) = flow.validate()
    assert problem.code == "duplicate_id"
    assert "Two nodes have the id 'n', in one execution of cell [1]" in problem.message
    assert f"{__file__}:" in problem.message
    notebook.cell("a")
    flow.node(two, id="n")
    assert codes(flow) == []


def test_twice_in_a_module_is_a_problem() -> None:
    flow = Builder("module")
    flow.node(one, id="n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flow.node(two, id="n")
    assert codes(flow) == ["duplicate_id"]
    assert len(flow.build().nodes) == 1


def test_a_node_of_a_module_may_be_replaced_in_a_cell() -> None:
    flow, notebook = in_notebook()
    flow.node(one, id="n")
    notebook.cell("a")
    with pytest.warns(DefinitionWarning, match=r"of a module is replaced by the one of cell \[1\]"):
        flow.node(two, id="n")


def test_the_wires_of_a_cell_go_when_it_is_executed_again() -> None:
    flow, notebook = in_notebook()
    notebook.cell("nodes")
    a, b, c = (flow.node(one, id=name) for name in "abc")
    notebook.cell("wires")
    _ = a >> b
    notebook.cell("others")
    _ = b >> c
    notebook.cell("wires")
    flow.edge("a", "c", target_port="after")
    assert [edge.id for edge in flow.build().edges] == ["b.main->c.after", "a.main->c.after"]


def test_a_node_keeps_its_place_when_it_is_replaced() -> None:
    flow, notebook = in_notebook()
    notebook.cell("a")
    flow.node(one, id="a")
    notebook.cell("b")
    flow.node(one, id="b")
    notebook.cell("a")
    flow.node(two, id="a")
    assert [node.id for node in flow.build().nodes] == ["a", "b"]


def test_the_definition_is_the_same_object_until_the_flow_changes() -> None:
    flow = Builder("cached")
    flow.node(one, id="a")
    first = flow.build()
    assert flow.build() is first
    assert flow.validate() == []
    flow.edge("a", "b")
    assert flow.build() is not first
    assert codes(flow) == ["unknown_node"]


def test_edges_by_id_name_ports_on_both_sides() -> None:
    flow = Builder("edges")
    big = flow.condition("big", "1 > 0")
    flow.node(lambda x, y=1: x, id="post")
    flow.edge(big.true, "post.x")
    flow.edge("big", "post", port="false", target_port="y", condition="big")
    edges = flow.build().edges
    assert [edge.id for edge in edges] == ["big.true->post.x", "big.false->post.y"]
    assert edges[1].condition == "big"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"port": "false"}, "has two source ports: 'true' and 'false'"),
        ({"type": "ai_tol"}, "There is no type of connection 'ai_tol'. Did you mean 'ai_tool'"),
    ],
)
def test_an_edge_that_contradicts_itself_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    flow = Builder("edges")
    big = flow.condition("big", "1 > 0")
    with pytest.raises(UsageError, match=sentence):
        flow.edge(big.true, "post", **arguments)


def test_a_conditional_edge_without_a_data_input_is_a_gate() -> None:
    flow = Builder("gate")
    flow.node(one, id="a")
    flow.node(two, id="b")
    flow.edge("a", "b", condition="a > 0")
    (edge,) = flow.build().edges
    assert edge.is_gate


def test_removing_a_node_takes_its_wires_and_leaves_those_who_name_it_with_a_problem() -> None:
    flow = Builder("removed")
    a, b = flow.node(one, id="a"), flow.node(two, id="b")
    flow.node(lambda a: a, id="c", after=b)
    _ = a >> b
    flow.remove(b)
    assert [(problem.code, problem.node) for problem in flow.validate()] == [("unknown_node", "c")]
    with pytest.raises(NotFound, match="removed has no node 'bb'"):
        flow.remove("bb")


def test_nodes_are_found_by_id_and_by_name() -> None:
    flow = Builder("found")
    flow.node(one, id="Load data")
    assert flow["Load data"] == flow["load_data"]
    assert flow["load_data"]() == 1
    assert "load_data" in flow
    assert 3 not in flow
    with pytest.raises(NotFound, match=r"found has no node 'lod_data'. Did you mean 'load_data'"):
        flow["lod_data"]


# --- inputs -----------------------------------------------------------------------------------------------------------


def test_one_input_serves_several_nodes() -> None:
    flow = Builder("inputs")
    flow.node(lambda path, limit=3: path, id="a")
    flow.node(lambda path, limit=3: path, id="b")
    assert [(each.name, each.type, each.default) for each in flow.build().variables if not each.required] == [
        ("limit", "number", 3)
    ]
    assert flow.defaults == {"limit": 3}
    assert codes(flow) == []


def test_a_hint_at_one_node_is_enough() -> None:
    flow = Builder("inputs")

    def typed(path: str) -> None: ...

    flow.node(lambda path: path, id="a")
    flow.node(typed, id="b")
    assert flow.build().variables[0].type == "string"
    assert codes(flow) == []


def test_hints_that_disagree_are_a_problem_that_names_both() -> None:
    flow = Builder("inputs")

    def text(n: str) -> None: ...

    def number(n: int) -> None: ...

    flow.node(text)
    flow.node(number)
    (problem,) = flow.validate()
    assert problem.message == "The input 'n' is string for text and number for number."
    assert (problem.severity, problem.node, problem.port) == (Severity.ERROR, "number", "n")


def test_defaults_that_differ_are_a_warning_and_each_function_has_its_own() -> None:
    flow = Builder("inputs")
    flow.node(lambda n=1: n, id="a")
    flow.node(lambda n=2: n, id="b")
    (problem,) = flow.validate()
    assert problem.severity is Severity.WARNING
    assert problem.message.startswith("The input 'n' has the default 1 in a and 2 in b")
    assert flow.defaults == {}
    flow.node(lambda n: n, id="c")
    assert flow.defaults == {"n": 1}, "c needs a value, and the first is taken"


def test_defaults_that_can_t_be_compared_count_as_different() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]  # as numpy arrays are

    flow = Builder("inputs")
    flow.node(lambda n=Odd(): n, id="a")  # noqa: B008  the case
    flow.node(lambda n=Odd(): n, id="b")  # noqa: B008  the case
    assert codes(flow) == ["input_default"]


def test_a_declared_input_has_the_last_word() -> None:
    flow = Builder("declared")
    flow.variable("limit", type=int, default=7, description="how many")
    flow.variable("token", type="string", secret=True)
    flow.node(lambda limit=3: limit, id="a")
    flow.condition("b", "limit > 3")
    limit, token = flow.build().variables
    assert (limit.type, limit.default, limit.description) == ("number", 7, "how many")
    assert (token.secret, token.required) == (True, True)
    assert flow.defaults == {"limit": 7}
    assert codes(flow) == []


def test_a_parameter_that_an_edge_feeds_is_no_input() -> None:
    flow = Builder("fed")
    flow.node(one, id="a")
    flow.node(lambda x: x, id="b")
    flow.edge("a", "b.x")
    assert flow.build().variables == ()
