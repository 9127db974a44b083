from __future__ import annotations

from typing import Any

import pytest

from flownb import Flow, InvalidWorkflow, RunFailed
from flownb.graph.registry import registry
from flownb.model.workflow import Node, Workflow
from flownb.testing import check_node
from tests.unit.nodes.running import said

SECONDS = 30.0


def go(flow: Flow, **inputs: Any) -> dict[str, Any]:
    return flow.run(store="memory:", display=False, **inputs).result(SECONDS)


def given(code: str, **inputs: Any) -> Any:
    return check_node(registry.get("code.run"), config={"code": code}, inputs=inputs)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 2", 3),
        ("result = 4\n5", 4),
        ("x = 2\nx * load", 20),
        ("def f(n):\n    return n + load\n\n[f(n) for n in range(3)]", [10, 11, 12]),
        ("import math\nresult = math.floor(load / 3)", 3),
        ("for load in range(3):\n    pass", None),
        ("", None),
        ("# nothing", None),
        ("'{{ not a template }}'", "{{ not a template }}"),
    ],
)
def test_the_result_is_what_is_called_so_or_the_last_line(code: str, value: Any) -> None:
    assert given(code, load=10) == value


def test_names_that_the_code_does_not_make_are_nodes_and_inputs() -> None:
    flow = Flow("code")
    flow.variable("rate", type="number", default=2)

    @flow.node
    def load() -> list[int]:
        return [1, 2, 3]

    flow.code("total", "sum(each * rate for each in load)")
    flow.code("twice", "total * 2")
    assert {edge.id for edge in flow.definition().workflow.edges} == {
        "load.main->total.load",
        "total.main->twice.total",
    }
    assert go(flow) == {"twice": 24}
    assert go(flow, rate=3) == {"twice": 36}


def test_code_runs_in_a_process_of_its_own_and_prints_into_its_node() -> None:
    import os

    flow = Flow("apart")
    flow.code("where", "import os\nprint('hello', variables['who'], run['id'])\nos.getpid()")
    flow.variable("who", default="ada")
    run = flow.run(store="memory:", display=False)
    assert run.result(SECONDS)["where"] != os.getpid()
    assert run["where"].log == f"hello ada {run.id}\n"


def test_code_is_held_to_its_limits() -> None:
    flow = Flow("greedy")
    flow.code("memory", "len(bytearray(900_000_000))", limits={"memory_mb": 200})
    with pytest.raises(RunFailed, match="memory"):
        go(flow)
    flow = Flow("endless")
    flow.code("spin", "while True:\n    pass", timeout=0.5)
    with pytest.raises(RunFailed, match=r"spin took longer than its timeout of 0\.5 s"):
        go(flow)


def test_an_error_shows_the_line_of_the_code() -> None:
    flow = Flow("wrong")
    flow.code("share", "a = 1\nb = 0\na / b")
    run = flow.run(store="memory:", display=False)
    with pytest.raises(RunFailed, match="ZeroDivisionError"):
        run.result(SECONDS)
    failure = run["share"].error
    assert failure is not None
    assert '"<share>", line 3' in failure.traceback
    assert "a / b" in failure.traceback


def test_what_is_no_python_is_found_before_the_run_with_its_line() -> None:
    flow = Flow("bad")
    flow.code("calc", "x = 1\nfor x in:\n    pass")
    with pytest.raises(
        InvalidWorkflow, match=r"calc \(code.run\): line 2 is no Python: invalid syntax \(`for x in:`\)"
    ):
        go(flow)
    assert said("code.run", {"code": "await load()"}) != []
    assert said("code.run", {"code": "a\x00b"}) != []
    assert said("code.run", {"code": "(" * 5000}) != []
    assert said("code.run", {}) == ["node (code.run) needs the field 'code'."]


def test_an_unknown_name_is_found_before_the_run() -> None:
    flow = Flow("typo")
    flow.node(lambda: 1, id="total")
    flow.code("calc", "totl * 2")
    with pytest.raises(InvalidWorkflow, match="calc names 'totl'.*(?s:.)*Did you mean 'total'"):
        go(flow)


def test_in_a_loop_the_code_has_the_item_and_the_index() -> None:
    flow = Flow("loop")
    flow.node(lambda: [5, 6], id="rows")
    with flow.loop("each", over="rows"):
        flow.code("calc", "item * 10 + index")
    assert go(flow) == {"each": [50, 61]}


def test_a_drawn_edge_arrives_as_main() -> None:
    flow = Flow("drawn")
    flow.node(lambda: 20, id="load")
    flow.code("calc", "main + 1")
    flow.edge("load", "calc")
    assert go(flow) == {"calc": 21}


def test_the_seeds_name_is_understood() -> None:
    workflow = Workflow(name="w", nodes=(Node(id="a", type="run-code", config={"code": "1"}),))
    assert Workflow.from_json(workflow.to_json()).nodes[0].type in ("run-code", "code.run")
    assert registry.name_of("run-code") == "code.run"


def test_changed_code_is_another_node_for_the_cache() -> None:
    from flownb.model.fingerprint import node_key

    one, two = (Node(id="a", type="code.run", config={"code": code}) for code in ("1", "2"))
    assert node_key(one) != node_key(two)
