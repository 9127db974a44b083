from __future__ import annotations

import pickle
from typing import Any

import cloudpickle
import pytest

from flownb.errors import UsageError
from flownb.graph.builder import Builder
from flownb.graph.refs import NodeRef, PortRef, Source, parse_source


def edges_of(builder: Builder) -> list[str]:
    return [edge.id for edge in builder.build().edges]


def some(builder: Builder, *names: str) -> list[NodeRef]:
    return [builder.node(lambda: 1, id=name) for name in names]


def test_a_port_is_an_attribute() -> None:
    flow = Builder("ports")
    big = flow.condition("big", "1 > 0")
    assert big.true == PortRef(flow, "big", "true")
    assert big.port("false") == big.false
    assert big.error.port == "error"
    assert {"true", "false", "main", "error"} <= set(dir(big))
    assert repr(big.true) == "<port big.true>"
    assert repr(big) == "<node big of the flow 'ports'>"
    assert len({big.true, big.true, big.false}) == 2


def test_an_unknown_port_names_near_ones() -> None:
    big = Builder("ports").condition("big", "1 > 0")
    with pytest.raises(AttributeError, match=r"big has no port 'ture'. Did you mean 'true'"):
        _ = big.ture


def test_a_node_of_a_type_that_is_not_known_may_have_any_port() -> None:
    ok = Builder("ports").add("human.approval", "ok")
    assert ok.approved.port == "approved"


def test_what_is_asked_for_by_tools_is_no_port() -> None:
    (a,) = some(Builder("tools"), "a")
    for name in ("_repr_html_", "_ipython_canary_method_should_not_exist_", "__deepcopy__"):
        with pytest.raises(AttributeError):
            getattr(a, name)


def test_a_node_without_a_function_can_t_be_called() -> None:
    with pytest.raises(TypeError, match="nap can't be called: it is a node without a function"):
        Builder("calls").delay("nap", 1)()


def test_to_another_process_goes_the_plain_function() -> None:
    flow = Builder("pickled")

    @flow.node
    def double(x: int) -> int:
        return 2 * x

    def uses() -> int:
        return int(double(4))

    assert pickle.loads(cloudpickle.dumps(uses))() == 8
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(flow.delay("nap", 1))


def test_arrows_give_back_what_is_on_the_right_so_that_chains_work() -> None:
    flow = Builder("chains")
    a, b, c, d = some(flow, "a", "b", "c", "d")
    assert a >> [b, c] >> d is d
    assert edges_of(flow) == ["a.main->b.after", "a.main->c.after", "b.main->d.after", "c.main->d.after"]


def test_an_arrow_from_a_port_is_a_gate() -> None:
    flow = Builder("gates")
    (a,) = some(flow, "a")
    _ = flow.condition("big", "1 > 0").true >> a
    assert edges_of(flow) == ["big.true->a.after"]
    assert flow.build().edges[0].is_gate


def test_an_arrow_ends_at_the_input_that_is_called_like_its_source() -> None:
    flow = Builder("arrows")
    (a,) = some(flow, "a")
    b = flow.node(lambda x, a=None: x, id="b")
    _ = a >> b
    assert edges_of(flow) == ["a.main->b.a"]
    assert [each.name for each in flow.build().variables] == ["x"]


def test_an_arrow_ends_at_the_only_input_that_is_free() -> None:
    flow = Builder("arrows")
    a, _other = some(flow, "a", "other")
    b = flow.node(lambda rows, other, limit=3: rows, id="b")
    _ = a >> b
    assert edges_of(flow) == ["a.main->b.rows", "other.main->b.other"]


def test_an_arrow_is_an_order_where_several_inputs_are_free_or_none() -> None:
    flow = Builder("arrows")
    a, b = some(flow, "a", "b")
    two = flow.node(lambda x, y: x, id="two")
    _ = a >> two
    _ = a >> b
    flow.variable("z")
    one = flow.node(lambda z: z, id="one")
    _ = a >> one
    assert edges_of(flow) == ["a.main->b.after", "a.main->two.after", "a.main->one.after"]


def test_only_the_first_arrow_takes_the_free_input() -> None:
    flow = Builder("arrows")
    a, b = some(flow, "a", "b")
    c = flow.node(lambda rows: rows, id="c")
    _ = [a, b] >> c
    assert edges_of(flow) == ["a.main->c.rows", "b.main->c.after"]


def test_arrows_into_a_merge_and_into_what_passes_on_are_data() -> None:
    flow = Builder("arrows")
    a, b = some(flow, "a", "b")
    _ = [a, b] >> flow.merge("m") >> flow.delay("nap", 1)
    assert edges_of(flow) == ["a.main->m.main", "b.main->m.main", "m.main->nap.main"]
    assert flow.validate() == []


def test_an_arrow_from_a_port_takes_the_place_of_the_edge_by_name() -> None:
    flow = Builder("arrows")
    big = flow.condition("big", "1 > 0")
    post = flow.node(lambda big: big, id="post")
    _ = big.true >> post
    assert edges_of(flow) == ["big.true->post.big"]


def test_nodes_of_two_flows_are_not_wired() -> None:
    other = Builder("two")
    (a,), (b,) = some(Builder("one"), "a"), some(other, "b")
    with pytest.raises(UsageError, match="belongs to the flow 'one'; it can't be wired in 'two'"):
        _ = a >> b
    with pytest.raises(UsageError, match="belongs to the flow 'one'"):
        other.node(lambda: 1, id="c", after=a)


@pytest.mark.parametrize("other", [3, "b", [3], None])
def test_an_arrow_to_something_else_is_a_type_error(other: Any) -> None:
    (a,) = some(Builder("one"), "a")
    with pytest.raises(TypeError):
        _ = a >> other


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("big", Source("big")),
        ("big.true", Source("big", "true")),
        ("Load data (2)", Source("load_data_2")),
        ("Load data (2).good", Source("load_data_2", "good")),
        ("v 1.2", Source("v_1_2")),
    ],
)
def test_a_source_in_text(text: str, source: Source) -> None:
    assert parse_source(text) == source
