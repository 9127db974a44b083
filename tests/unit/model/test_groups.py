"""The truth table of the design: when a node starts and when it is skipped, by the edges that enter it.

Each source of the node under test, `n`, is settled by hand in one of the ways that there are; `n` must then be on
`ready`, once, and `decide` must say what the table says.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from flownb.model.ports import InputPort, NodePorts
from flownb.model.workflow import Edge, JoinCount, Node, Workflow
from tests.unit.model.simulator import Outcome, Simulator

#: How a source can end: the port that its edge leaves from fired, another did, it was skipped, it failed.
SETTLED = {
    "live": Outcome(ports=("yes",)),
    "dead": Outcome(ports=("no",)),
    "skipped": Outcome(does="skip"),
    "failed": Outcome(does="fail"),
}
#: As `SETTLED`, and the other ways in which a source that failed can end.
EVERY = {**SETTLED, "given up": Outcome(does="give_up"), "handled": Outcome(does="fail_port")}
DATA, GATE, ORDER = "data", "gate", "order"


def edge(group: str, source: str) -> Edge:
    if group == DATA:
        return Edge(source=source, source_port="yes", target="n", target_port=source)
    if group == GATE:
        return Edge(source=source, source_port="yes", target="n", target_port="after")
    return Edge(source=source, target="n", target_port="after")


def settle(
    entering: list[tuple[str, str]], *, defaults: tuple[str, ...] = (), many: tuple[str, ...] = (), **node: Any
) -> Simulator:
    """Run a node `n` with an edge of each (group, state) given; the sources are `s0`, `s1` … in that order.

    Sources in `defaults` feed parameters with a default; those in `many` feed the one port `items`.
    """
    names = [f"s{number}" for number in range(len(entering))]
    edges = []
    for name, (group, _) in zip(names, entering, strict=True):
        made = edge(group, name)
        if name in many:
            made = Edge(source=name, source_port="yes", target="n", target_port="items")
        edges.append(made)
    inputs = [InputPort(name, required=name not in defaults) for name in names if name not in many]
    if many:
        inputs.append(InputPort("items", many=True, required=many[0] not in defaults))
    workflow = Workflow(
        nodes=(*(Node(id=name, type="python") for name in names), Node(id="n", type="python", **node)),
        edges=tuple(edges),
    )
    script = {name: EVERY[state] for name, (_, state) in zip(names, entering, strict=True)}
    simulator = Simulator(workflow, {"n": NodePorts(inputs=tuple(inputs))}, script)
    simulator.run()
    assert simulator.state.left == 0, "the run hangs"
    assert simulator.starts.count("n") <= 1
    return simulator


def verdict(simulator: Simulator) -> str:
    """`start`, or the group because of which the node was skipped."""
    number = simulator.topology.index["n"]
    reason = simulator.state.reasons.get(number)
    return "start" if reason is None else reason.group


# --- one edge of one group --------------------------------------------------------------------------------------------

ONE_EDGE = [
    # group, with a default, live, dead, skipped, failed
    (DATA, False, "start", "data", "data", "data"),
    (DATA, True, "start", "start", "start", "start"),
    (GATE, False, "start", "gate", "gate", "gate"),
    # An order asks for completion only: which port fired doesn't matter.
    (ORDER, False, "start", "start", "order", "order"),
]
ONE = {
    (group, default, state): wanted
    for group, default, *row in ONE_EDGE
    for state, wanted in zip(SETTLED, row, strict=True)
}


@pytest.mark.parametrize(("group", "default", "state"), ONE)
def test_one_edge(group: str, default: bool, state: str) -> None:
    simulator = settle([(group, state)], defaults=("s0",) if default else ())
    assert verdict(simulator) == ONE[group, default, state]


# --- all three groups together ----------------------------------------------------------------------------------------

DATA_ROWS = [None, *((DATA, default, state) for default in (False, True) for state in SETTLED)]
GATE_ROWS = [None, *((GATE, False, state) for state in SETTLED)]
ORDER_ROWS = [None, *((ORDER, False, state) for state in SETTLED)]


@pytest.mark.parametrize("rows", list(itertools.product(DATA_ROWS, GATE_ROWS, ORDER_ROWS)))
def test_the_groups_must_agree_and_the_first_that_does_not_is_the_reason(
    rows: tuple[tuple[str, bool, str] | None, ...],
) -> None:
    given = [row for row in rows if row is not None]
    simulator = settle([(group, state) for group, _, state in given], defaults=("s0",) if given and given[0][1] else ())
    against = [ONE[row] for row in given if ONE[row] != "start"]
    assert verdict(simulator) == (against[0] if against else "start")


# --- two edges of one group -------------------------------------------------------------------------------------------

TWO_EDGES = [
    # Two parameters: each must be live.
    (DATA, "live", "live", "start"),
    (DATA, "live", "dead", "data"),
    (DATA, "skipped", "live", "data"),
    (DATA, "failed", "dead", "data"),
    # Gates: one must be live.
    (GATE, "live", "live", "start"),
    (GATE, "live", "dead", "start"),
    (GATE, "skipped", "live", "start"),
    (GATE, "failed", "live", "start"),
    (GATE, "dead", "dead", "gate"),
    (GATE, "skipped", "failed", "gate"),
    # Orders: one must have completed.
    (ORDER, "live", "live", "start"),
    (ORDER, "live", "skipped", "start"),
    (ORDER, "failed", "live", "start"),
    (ORDER, "skipped", "skipped", "order"),
    (ORDER, "failed", "skipped", "order"),
]


@pytest.mark.parametrize(("group", "first", "second", "wanted"), TWO_EDGES)
def test_two_edges_of_one_group(group: str, first: str, second: str, wanted: str) -> None:
    assert verdict(settle([(group, first), (group, second)])) == wanted


#: What makes an edge of a group live; where a source ended in any other way it is dead.
LIVE = {DATA: {"live"}, GATE: {"live"}, ORDER: {"live", "dead"}}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("group", [DATA, GATE, ORDER])
def test_every_set_of_edges_of_one_group(group: str, count: int) -> None:
    for states in itertools.product(EVERY, repeat=count):
        live = [state in LIVE[group] for state in states]
        wanted = "start" if (all if group == DATA else any)(live) else group
        assert verdict(settle([(group, state) for state in states])) == wanted, states


def test_every_set_of_parameters_with_and_without_defaults() -> None:
    for states in itertools.product(EVERY, repeat=2):
        for defaults in ((), ("s0",), ("s1",), ("s0", "s1")):
            needed = [state for number, state in enumerate(states) if f"s{number}" not in defaults]
            wanted = "start" if all(state == "live" for state in needed) else DATA
            assert verdict(settle([(DATA, state) for state in states], defaults=defaults)) == wanted, (states, defaults)


def test_every_set_of_values_at_a_port_that_takes_many() -> None:
    for states in itertools.product(EVERY, repeat=3):
        wanted = "start" if "live" in states else DATA
        assert verdict(settle([(DATA, state) for state in states], many=("s0", "s1", "s2"))) == wanted, states


@pytest.mark.parametrize("join", ["any", 2, 3])
def test_every_join_of_gates_and_orders_beside_data(join: str | int) -> None:
    rule = JoinCount(join) if isinstance(join, int) else join
    count = join if isinstance(join, int) else 1
    for first, second, third, data in itertools.product(EVERY, EVERY, EVERY, (None, "live", "dead")):
        entering = [(GATE, first), (ORDER, second), (GATE, third), *([(DATA, data)] if data else [])]
        live = sum(state in LIVE[group] for group, state in entering if group != DATA)
        wanted = "join" if live < count else "start" if data in (None, "live") else DATA
        assert verdict(settle(entering, join=rule)) == wanted, entering


@pytest.mark.parametrize("state", EVERY)
def test_the_error_port_is_live_where_the_failure_was_handled_there(state: str) -> None:
    workflow = Workflow(
        nodes=(Node(id="s", type="python"), Node(id="n", type="python")),
        edges=(Edge(source="s", source_port="error", target="n", target_port="error"),),
    )
    simulator = Simulator(workflow, {}, {"s": EVERY[state]})
    simulator.run()
    assert verdict(simulator) == ("start" if state == "handled" else DATA)


MANY_PORT = [
    # A port that takes many: one must be live, the dead ones are absent.
    ("live", "live", "start"),
    ("live", "dead", "start"),
    ("skipped", "live", "start"),
    ("failed", "live", "start"),
    ("dead", "dead", "data"),
    ("skipped", "failed", "data"),
]


@pytest.mark.parametrize(("first", "second", "wanted"), MANY_PORT)
def test_a_port_that_takes_many(first: str, second: str, wanted: str) -> None:
    assert verdict(settle([(DATA, first), (DATA, second)], many=("s0", "s1"))) == wanted


@pytest.mark.parametrize(("first", "second"), list(itertools.product(SETTLED, SETTLED)))
def test_a_port_that_takes_many_and_has_a_default_never_stops_the_node(first: str, second: str) -> None:
    assert verdict(settle([(DATA, first), (DATA, second)], many=("s0", "s1"), defaults=("s0",))) == "start"


def test_the_example_of_the_design() -> None:
    # post = after [ok.approved, big.false], data from total
    def post(big: str, ok: str) -> str:
        workflow = Workflow(
            nodes=tuple(Node(id=name, type="python") for name in ("total", "big", "ok", "post")),
            edges=(
                Edge(source="total", target="big", target_port="total"),
                Edge(source="big", source_port="true", target="ok", target_port="after"),
                Edge(source="total", target="post", target_port="total"),
                Edge(source="ok", source_port="approved", target="post", target_port="after"),
                Edge(source="big", source_port="false", target="post", target_port="after"),
            ),
        )
        simulator = Simulator(workflow, {}, {"big": Outcome(ports=(big,)), "ok": Outcome(ports=(ok,))})
        simulator.run()
        return simulator.statuses()["post"]

    assert post("false", "") == "completed"
    assert post("true", "approved") == "completed"
    assert post("true", "rejected") == "skipped"
    assert post("true", "expired") == "skipped"


# --- joins ------------------------------------------------------------------------------------------------------------

JOINS = [
    # join, (group, state) of each edge, what comes of it
    ("any", [(GATE, "live"), (GATE, "dead")], "start"),
    ("any", [(GATE, "dead"), (ORDER, "live")], "start"),
    ("any", [(GATE, "dead"), (ORDER, "failed")], "join"),
    ("any", [(ORDER, "skipped"), (ORDER, "skipped")], "join"),
    (2, [(GATE, "live"), (ORDER, "live"), (GATE, "dead")], "start"),
    (2, [(GATE, "live"), (GATE, "dead"), (ORDER, "failed")], "join"),
    (2, [(ORDER, "live"), (ORDER, "live"), (ORDER, "live")], "start"),
    (3, [(GATE, "live"), (GATE, "live")], "join"),
    # Data is always awaited, and counts as ever.
    ("any", [(GATE, "live"), (GATE, "dead"), (DATA, "live")], "start"),
    ("any", [(GATE, "live"), (GATE, "dead"), (DATA, "dead")], "data"),
    ("any", [(GATE, "dead"), (GATE, "failed"), (DATA, "live")], "join"),
    # Without gates and orders there is nothing to count.
    ("any", [(DATA, "live"), (DATA, "live")], "start"),
    ("any", [(DATA, "live"), (DATA, "dead")], "data"),
    (2, [(DATA, "live")], "start"),
]


@pytest.mark.parametrize(("join", "entering", "wanted"), JOINS)
def test_joins(join: str | int, entering: list[tuple[str, str]], wanted: str) -> None:
    rule = JoinCount(join) if isinstance(join, int) else join
    assert verdict(settle(entering, join=rule)) == wanted


def test_an_early_join_is_ready_before_its_other_edges_are_settled_and_only_once() -> None:
    workflow = Workflow(
        nodes=(*(Node(id=name, type="python") for name in "abc"), Node(id="n", type="python", join="any")),
        edges=tuple(Edge(source=name, target="n", target_port="after") for name in "abc"),
    )
    simulator = Simulator(workflow)
    state, n = simulator.state, simulator.topology.index["n"]
    a, b, c = (simulator.topology.index[name] for name in "abc")
    assert state.take_ready() == [a, b, c]
    for number in (a, b, c):
        simulator.begin(number)
    simulator.end(b)
    assert state.take_ready() == [n]
    assert state.decide(n) is None
    simulator.begin(n)
    simulator.end(a)
    simulator.end(n)
    simulator.end(c)
    assert state.take_ready() == []
    assert state.left == 0


def test_an_early_join_that_can_not_happen_any_more_is_decided_at_once_and_says_why() -> None:
    workflow = Workflow(
        nodes=(*(Node(id=name, type="python") for name in "abc"), Node(id="n", type="python", join=JoinCount(2))),
        edges=tuple(Edge(source=name, source_port="yes", target="n", target_port="after") for name in "abc"),
    )
    simulator = Simulator(workflow, {}, {"a": Outcome(ports=("no",)), "b": Outcome(does="fail")})
    state, n = simulator.state, simulator.topology.index["n"]
    for number in state.take_ready():
        simulator.begin(number)
    simulator.end(simulator.topology.index["a"])
    assert state.take_ready() == []
    simulator.end(simulator.topology.index["b"])
    assert state.take_ready() == [n]  # c still runs
    reason = state.decide(n)
    assert reason is not None
    assert reason.message == "2 of 3 had to come; these can't any more: a.yes, b.yes"


# --- reasons ----------------------------------------------------------------------------------------------------------


def reason_of(*entering: tuple[str, str], **node: Any) -> str:
    simulator = settle(list(entering), **node)
    return simulator.state.reasons[simulator.topology.index["n"]].message


def test_the_reason_names_the_edge_and_what_became_of_its_source() -> None:
    assert reason_of((DATA, "dead")) == "no value for s0: s0 took no, not yes"
    assert reason_of((DATA, "skipped")) == "no value for s0: s0 was skipped"
    assert reason_of((DATA, "failed")) == "no value for s0: s0 failed"
    assert reason_of((GATE, "dead")) == "s0 took no, not yes"
    assert reason_of((GATE, "dead"), (GATE, "failed")) == "none of its 2 gates is live; s0 took no, not yes"
    assert reason_of((ORDER, "failed")) == "s0 failed"


def test_the_reason_for_a_false_condition_is_the_condition() -> None:
    workflow = Workflow(
        nodes=(Node(id="a", type="python"), Node(id="n", type="python")),
        edges=(Edge(source="a", target="n", target_port="a", condition="a.rows > 3"),),
    )
    simulator = Simulator(workflow)
    simulator.run()
    reason = simulator.state.reasons[1]
    assert reason.message == "no value for a: the condition 'a.rows > 3' of the edge from a is false"
    assert reason.edge == "a.main->n.a"
