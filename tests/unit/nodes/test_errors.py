from __future__ import annotations

from flownb.graph.registry import registry
from flownb.nodes.errors import Compensate, ErrorHandler
from flownb.testing import FakeContext, check_node


def test_a_handler_gives_the_error_because_of_which_it_runs() -> None:
    context = FakeContext()
    context.error = {"message": "no"}
    assert check_node(ErrorHandler, config={"errors": ["timeout"]}, context=context) == {"message": "no"}


def test_a_compensate_node_ends_the_run_and_has_it_undone() -> None:
    output = check_node(Compensate, config={"message": "no"}, inputs={"main": [3]})
    assert (output.value, output.ending.undo, output.ending.well, output.ending.message) == (3, True, False, "no")


def test_the_seeds_names_are_known() -> None:
    assert registry.get("error-handler") is ErrorHandler
