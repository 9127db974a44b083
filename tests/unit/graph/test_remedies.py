from __future__ import annotations

from typing import Any

import pytest

from flownb import Flow
from flownb.errors import UsageError
from flownb.graph.validate import validate
from flownb.model.status import Strategy
from flownb.model.workflow import Edge, ErrorHandler, Node, Workflow


def found(*nodes: Node, edges: tuple[Edge, ...] = (), handlers: tuple[ErrorHandler, ...] = ()) -> list[tuple[str, str]]:
    workflow = Workflow(name="flow", nodes=nodes, edges=edges, error_handlers=handlers)
    return [(str(each.place), str(each)) for each in validate(workflow)]


def node(node_id: str, **fields: Any) -> Node:
    return Node(id=node_id, type="control.start", **fields)


LOOP = Node(id="each", type="control.loop", config={"kind": "count", "count": 2})
SKIP = ErrorHandler(error="timeout", strategy=Strategy.SKIP)
AGAIN = ErrorHandler(error="timeout", strategy=Strategy.RETRY)


def handling(**config: Any) -> Node:
    return Node(id="h", type="control.error_handler", config=config)


def about(**fields: Any) -> list[Node]:
    return [node("a", strategies=(ErrorHandler(**fields),))]


@pytest.mark.parametrize(
    ("nodes", "place", "words"),
    [
        ([node("a", on_error="compensate")], "[0].on_error", "there is nothing that it could run"),
        ([node("a", compensation="undo_b"), node("undo_a")], "[0].compensation", "Did you mean 'undo_a'?"),
        ([node("a", compensation="a")], "[0].compensation", "a is its own compensation"),
        ([node("a", compensation="c"), node("b", compensation="c"), node("c")], "[1].compensation", "runs once"),
        ([LOOP, node("a", compensation="b", parent="each"), node("b")], "[1].compensation", "a is inside each, where"),
        ([node("a", fallback_node="b", fallback=3), node("b")], "[0].fallback", "two fallbacks"),
        ([handling(nodes=["lod"]), node("load")], "[0].config.nodes[0]", "Did you mean 'load'?"),
        ([handling(errors=["timout"])], "[0].config.errors[0]", "Did you mean 'timeout'"),
        (about(error="depndency"), "[0].strategies[0].error", "'dependency'"),
        (about(error="validation", strategy="retry"), "[0].strategies[0].strategy", "never get better"),
        ([node("a", strategies=(SKIP, AGAIN))], "[0].strategies[1].strategy", "never counts"),
        (about(error="timeout", strategy="skip", delay=3), "[0].strategies[0].delay", "mean nothing"),
        (about(error="timeout", target="a"), "[0].strategies[0].target", "only a workflow's"),
    ],
)
def test_what_could_not_work_is_found_before_the_run(nodes: list[Node], place: str, words: str) -> None:
    problems = dict(found(*nodes))
    assert words in problems[f"nodes{place}"]


def test_an_edge_from_a_compensation_is_a_problem() -> None:
    edge = Edge(source="undo", target="b", target_port="after")
    ((place, text),) = found(node("a", compensation="undo"), node("undo"), node("b"), edges=(edge,))
    assert place == "nodes[0].compensation"
    assert "an edge leads from it to b" in text


@pytest.mark.parametrize(
    ("handler", "place", "words"),
    [
        (ErrorHandler(error="timeout", target="tel"), "error_handlers[0].target", "Did you mean 'tell'?"),
        (ErrorHandler(error="tmeout"), "error_handlers[0].error", "Did you mean 'timeout'"),
        (
            ErrorHandler(error="timeout", strategy=Strategy.COMPENSATE),
            "error_handlers[0].strategy",
            "no node has a comp",
        ),
    ],
)
def test_the_handlers_of_a_workflow_are_looked_at_too(handler: ErrorHandler, place: str, words: str) -> None:
    problems = dict(found(node("tell"), handlers=(handler,)))
    assert words in problems[place]


def test_exceptions_of_packages_that_are_not_installed_may_be_named() -> None:
    assert found(node("a", strategies=(ErrorHandler(error="requests.Timeout"), ErrorHandler(error="KeyError")))) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"timeout": "skp"}, "no strategy. Did you mean 'skip'?"),
        ({"timeout": {"strategy": "retry", "attemps": 3}}, "no field 'attemps'. Did you mean 'attempts'?"),
        ({"timeout": {"strategy": "retry", "attempts": 0}}, "attempts"),
        ("skip", "takes one for each error"),
    ],
)
def test_a_strategy_that_is_none_is_refused_where_it_is_written(given: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        Flow("flow").node(lambda: 1, id="a", strategies=given)


def test_what_failures_need_is_written_to_the_document_and_read_again() -> None:
    flow = Flow("flow")
    flow.node(lambda: 1, id="a", compensation=lambda a: None, strategies={"timeout": "fail"})
    flow.node(lambda: 1, id="b", fallback=lambda: 2)
    flow.on_error("any", "retry", attempts=2)
    flow.on_error("any", "retry", attempts=3)
    workflow = flow.build()
    assert Workflow.from_json(workflow.to_json()) == workflow
    assert workflow.node("a").compensation == "a_compensation"  # type: ignore[union-attr]  # it is there
    assert workflow.node("b").fallback_node == "b_fallback"  # type: ignore[union-attr]  # as above
    assert [(each.error, each.attempts) for each in workflow.error_handlers] == [("any", 3)]
