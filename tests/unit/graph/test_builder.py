from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import Any

import pytest

from flownb.errors import UsageError
from flownb.graph.builder import Builder
from flownb.graph.refs import NodeRef
from flownb.model.ports import AFTER
from flownb.model.status import OnCrash, OnError, Where
from flownb.model.workflow import Cache, JoinCount, Limits, RetryPolicy, Settings, Workflow


def edges_of(builder: Builder) -> list[str]:
    return [edge.id for edge in builder.build().edges]


def invoices() -> Builder:
    """The story that must always work, without its approval."""
    flow = Builder("invoices")

    @flow.node
    def load(path: str) -> list[int]:
        """Read the file."""
        return [1]

    @flow.node
    def total(load: list[int]) -> dict[str, int]:
        return {"amount": sum(load)}

    big = flow.condition("big", "total.amount > 1000")
    ok = flow.condition("ok", lambda total: total["amount"] % 2 == 0, after=big.true)

    @flow.node(after=[ok.true, big.false])
    def post(total: dict[str, int]) -> str:
        return f"posted {total['amount']}"

    return flow


def test_names_become_edges_and_what_names_no_node_is_an_input() -> None:
    flow = invoices()
    assert edges_of(flow) == [
        "load.main->total.load",
        "total.main->big.total",
        "total.main->ok.total",
        "big.true->ok.after",
        "total.main->post.total",
        "ok.true->post.after",
        "big.false->post.after",
    ]
    assert [(each.name, each.type, each.required) for each in flow.build().variables] == [("path", "string", True)]
    assert flow.validate() == []


def test_a_function_keeps_working_as_a_function() -> None:
    flow = Builder("plain")

    @flow.node(retry=3)
    def double(x: int) -> int:
        """Double it."""
        return 2 * x

    assert double(4) == 8
    assert (double.__name__, double.__doc__, double.id) == ("double", "Double it.", "double")
    assert double.__wrapped__ is flow.functions["double"]
    assert isinstance(double, NodeRef)


def test_a_record_keeps_what_its_author_said() -> None:
    flow = Builder("options")

    @flow.node(
        id="Load data (2)",
        retry={"attempts": 5, "delay": 0.5, "on": [ValueError, "timeout"]},
        timeout=dt.timedelta(minutes=2),
        on_error="continue",
        on_crash="ask",
        where="process",
        join={"count": 2},
        cache=60,
        limits={"memory_mb": 512},
        disabled=True,
    )
    def load() -> None:
        """Read it.

        Slowly.
        """

    (node,) = flow.build().nodes
    assert (node.id, node.name, node.title, node.notes) == ("load_data_2", "Load data (2)", "Load data (2)", "Read it.")
    assert node.retry == RetryPolicy(attempts=5, delay=0.5, on=("ValueError", "timeout"))
    assert (node.timeout, node.on_error, node.on_crash) == (120.0, OnError.CONTINUE, OnCrash.ASK)
    assert (node.where, node.join, node.disabled) == (Where.PROCESS, JoinCount(2), True)
    assert (node.cache, node.limits) == (Cache(enabled=True, ttl=60.0), Limits(memory_mb=512))


def test_a_fallback_implies_that_it_is_used_even_where_it_is_none() -> None:
    flow = Builder("fallback")
    flow.node(lambda: 1, id="a", fallback=None)
    flow.node(lambda: 1, id="b", fallback=0, on_error="stop")
    flow.node(lambda: 1, id="c")
    assert [node.on_error for node in flow.build().nodes] == [OnError.FALLBACK, OnError.STOP, OnError.STOP]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"on_error": "contine"}, "on_error='contine' is not one of.*Did you mean 'continue'"),
        ({"where": "moon"}, "where='moon' is not one of"),
        ({"retry": {"atempts": 3}}, "retry has no field 'atempts'. Did you mean 'attempts'"),
        ({"retry": {"attempts": "3"}}, "retry: Expected `int`, got `str`"),
        ({"retry": "often"}, "retry takes a RetryPolicy or a dict"),
        ({"timeout": "soon"}, "timeout: 'soon' is no length of time: give seconds as a number"),
        ({"timeout": True}, "timeout takes seconds as a number, or a text as .*or a timedelta, not True"),
        ({"join": "some"}, "join is 'all', 'any', or a number"),
        ({"join": {"count": "2"}}, "join is 'all', 'any', or a number"),
        ({"after": 3}, "a: after takes nodes, ports, ids and lists of them, and not 3"),
        ({"inputs": {"x": 3}}, r"a: inputs\['x'\] takes nodes"),
        ({"ports": ["main"]}, "has the port 'main' already"),
    ],
)
def test_an_option_that_can_t_be_meant_is_refused_where_it_stands(options: dict[str, Any], sentence: str) -> None:
    flow = Builder("refused")
    with pytest.raises(UsageError, match=sentence):
        flow.node(lambda x=1: x, id="a", **options)
    assert flow.build().nodes == ()


def test_an_option_that_no_node_has_is_refused_with_the_near_one() -> None:
    options: Any = {"afterr": "b"}
    with pytest.raises(UsageError, match=r"a node has no option 'afterr'. Did you mean 'after'"):
        Builder("refused").condition("a", "1 > 0", **options)


def test_a_lambda_needs_an_id() -> None:
    with pytest.raises(UsageError, match="has no name that could be the node's id"):
        Builder("refused").node(lambda: 1)


def test_the_order_of_definition_does_not_matter() -> None:
    flow = Builder("late")

    @flow.node(after="start")
    def second(first: int) -> int:
        return first

    @flow.node
    def first() -> int:
        return 1

    flow.node(lambda: 0, id="start")
    assert edges_of(flow) == ["first.main->second.first", "start.main->second.after"]
    assert flow.build().edges[1].source_port is None
    assert flow.validate() == []


def test_inputs_says_what_feeds_a_parameter_that_is_not_called_like_it() -> None:
    flow = Builder("mapped")
    sort = flow.node(lambda n: n, id="sort", ports=["even", "odd"])
    flow.node(lambda half: half, id="half", inputs={"half": sort.even})
    flow.node(lambda a, b: a, id="both", inputs={"a": "sort.odd", "b": sort})
    assert edges_of(flow) == ["sort.even->half.half", "sort.odd->both.a", "sort.main->both.b"]


def test_after_takes_ids_ports_and_nested_lists() -> None:
    flow = Builder("after")
    a = flow.condition("a", "1 > 0")
    b = flow.node(lambda: 1, id="b")
    flow.node(lambda: 1, id="c", after=[a.true, ["a.false", (b, None)], "b"])
    assert edges_of(flow) == ["a.true->c.after", "a.false->c.after", "b.main->c.after"]


def test_a_delay_takes_seconds_or_a_moment() -> None:
    flow = Builder("delays")
    flow.delay("a", 5)
    flow.delay("b", dt.timedelta(minutes=1))
    flow.delay("c", dt.datetime(2026, 5, 1, 8, tzinfo=dt.UTC))
    flow.delay("d", "2026-05-01T08:00:00")
    flow.delay("e", seconds="{{ wait }}", after="d")
    flow.delay("f", until="{{ when }}")
    assert [node.config for node in flow.build().nodes] == [
        {"seconds": 5},
        {"seconds": 60.0},
        {"until": "2026-05-01T08:00:00+00:00"},
        {"until": "2026-05-01T08:00:00"},
        {"seconds": "{{ wait }}"},
        {"until": "{{ when }}"},
    ]


def test_a_delay_takes_one_of_them() -> None:
    flow = Builder("delays")
    with pytest.raises(UsageError, match="seconds or until, one of them, and neither is given"):
        flow.delay("a")
    with pytest.raises(UsageError, match="wait and seconds is given"):
        flow.delay("a", 3, seconds=3)


def test_a_merge_keeps_the_order_of_its_sources() -> None:
    flow = Builder("merge")
    a, b = flow.node(lambda: 1, id="a"), flow.condition("b", "1 > 0")
    c = flow.node(lambda: 1, id="c")
    flow.merge("m", [b.true, a], c, mode="first")
    assert edges_of(flow) == ["b.true->m.main", "a.main->m.main", "c.main->m.main"]
    assert flow.build().nodes[-1].config == {"mode": "first"}
    assert flow.validate() == []


def test_add_divides_its_keywords_between_the_node_and_its_config() -> None:
    flow = Builder("add")
    flow.node(lambda: 1, id="a")
    flow.add("delay", "Wait a bit", seconds=3, after="a", retry=2, name="Patience", on_error="continue", timeout=9)
    node = flow.build().nodes[-1]
    assert (node.id, node.type, node.name, node.config) == ("wait_a_bit", "control.delay", "Patience", {"seconds": 3})
    assert (node.retry, node.on_error, node.timeout) == (RetryPolicy(attempts=2), OnError.CONTINUE, 9.0)
    assert flow.build().edges[0].target_port == AFTER


def test_settings_may_be_a_dict() -> None:
    assert Builder("x", settings={"concurrency": 4}).build().settings == Settings(concurrency=4)
    with pytest.raises(UsageError, match=r"settings has no field 'concurency'. Did you mean 'concurrency'"):
        Builder("x", settings={"concurency": 4})


def test_an_empty_flow_is_a_workflow() -> None:
    assert Builder("My flow", description="nothing").build() == Workflow(
        id="my_flow", name="My flow", description="nothing"
    )


def test_writing_a_flow_of_functions_loads_no_heavy_package() -> None:
    code = """
import sys
from flownb.graph.builder import Builder
flow = Builder("light")
flow.node(lambda path: path, id="load")
flow.node(lambda load: load, id="total")
assert flow.validate() == [], flow.validate()
heavy = {"pydantic", "pandas", "numpy", "networkx", "IPython", "papermill", "flownb.expr"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
