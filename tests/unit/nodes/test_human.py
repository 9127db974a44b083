"""The nodes that ask people, without an engine: what they ask, and what comes of an answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from flownb.errors import InvalidInput, NodeTimeout
from flownb.graph.builder import Builder
from flownb.graph.dialects import read
from flownb.graph.nodetype import Output, Suspend
from flownb.graph.registry import registry
from flownb.graph.validate import validate
from flownb.model.workflow import Node
from flownb.testing import FakeContext, check_node
from tests.unit.nodes.running import leaving, run_with, said

FORM = {"type": "object", "properties": {"centre": {"type": "integer"}}, "required": ["centre"]}
NEEDED: dict[str, dict[str, Any]] = {
    "human.approval": {},
    "human.input": {"form": FORM},
    "human.decision": {"options": ["left", "right"]},
    "human.review": {"preview": "main"},
}


def came(port: str, data: Any = None, action: str = "decided") -> FakeContext:
    """A context in which the answer has come."""
    answer = {"approval": "a", "port": port, "data": data, "comment": "fine", "by": "anna", "at": 0.0}
    return FakeContext(resumed=answer | {"action": action})


def asked(type_: str, config: dict[str, Any], ctx: FakeContext | None = None, /, **inputs: Any) -> Any:
    """The question of a node."""
    found = run_with(type_, {"question": "?"} | NEEDED[type_] | config, ctx, **inputs)
    assert isinstance(found, Suspend)
    assert found.ask is not None
    return found.ask


def answered(type_: str, config: dict[str, Any], ctx: FakeContext, /, **inputs: Any) -> Output:
    """What comes of an answer."""
    found = run_with(type_, {"question": "?"} | NEEDED[type_] | config, ctx, **inputs)
    assert isinstance(found, Output)
    return found


@pytest.mark.parametrize(
    ("type_", "port", "data"),
    [
        ("human.approval", "approved", None),
        ("human.input", "submitted", {"centre": 1}),
        ("human.decision", "left", None),
        ("human.review", "approved", None),
    ],
)
def test_each_kind_keeps_the_contract_of_node_types(type_: str, port: str, data: Any) -> None:
    config = {"question": "Post {{ main.0 }}?"} | NEEDED[type_]
    resumed = came(port, data).resumed
    found = check_node(registry.get(type_), config=config, inputs={"main": [7]}, resumed=resumed)
    assert found.ports == (port,)


def test_a_question_is_rendered_and_shows_values_as_they_are() -> None:
    frame = pd.DataFrame({"n": [1, 2]})
    config = {"question": "Post {{ total }} EUR?", "preview": ["load", "total * 2"], "details": "Of {{ total }}."}
    found = asked("human.approval", config, load=frame, total=3)
    assert (found.kind, found.question, found.details) == ("confirmation", "Post 3 EUR?", "Of 3.")
    assert found.ports == ("approved", "rejected")
    assert [each.name for each in found.preview] == ["load", "total * 2"]
    assert found.preview[0].value is frame
    assert found.preview[1].value == 6


def test_a_difference_is_shown_as_one() -> None:
    found = asked("human.review", {"preview": {"before": "old", "after": "new"}}, old="a\nb", new="a\nc")
    (shown,) = found.preview
    assert (shown.kind, shown.value.splitlines()[-2:]) == ("diff", ["-b", "+c"])


def test_the_port_of_the_answer_carries_what_came_in() -> None:
    found = answered("human.approval", {}, came("approved"), main=["rows"])
    assert found.ports == ("approved",)
    assert leaving(found, "approved") == "rows"
    assert found.value == {
        "port": "approved", "data": None, "comment": "fine", "by": "anna", "at": "1970-01-01T00:00:00.000Z",
        "action": "decided",
    }  # fmt: skip


def test_an_input_gives_what_was_given() -> None:
    found = answered("human.input", {}, came("submitted", {"centre": 4}))
    assert (found.value, leaving(found, "submitted")) == ({"centre": 4}, {"centre": 4})


def test_a_decision_has_a_port_for_each_option() -> None:
    node = Node(id="n", type="human.decision", config={"question": "?", "options": ["left", "right"]})
    names = [port.name for port in registry.get("human.decision").ports_of(node).outputs]
    assert names == ["main", "left", "right", "expired"]
    assert answered("human.decision", {}, came("right")).ports == ("right",)


def test_further_answers_are_ports_beside_the_usual_ones() -> None:
    node = Node(id="n", type="human.approval", config={"question": "?", "ports": ["escalate"]})
    names = [port.name for port in registry.get("human.approval").ports_of(node).outputs]
    assert names == ["main", "approved", "rejected", "escalate", "expired"]
    assert asked("human.approval", {"ports": ["escalate"]}).ports == ("approved", "rejected", "escalate")


def test_changed_rows_are_a_frame_again_with_the_types_that_they_had() -> None:
    frame = pd.DataFrame({"n": [1, 2], "day": pd.to_datetime(["2026-01-01", "2026-01-02"]), "s": ["a", "b"]})
    ask = asked("human.review", {"preview": "load", "edits": True}, load=frame)
    assert ask.edits["items"]["required"] == ["n", "day", "s"]
    changed = [{"n": 5, "day": "2026-03-04", "s": "x"}]
    found = answered("human.review", {"preview": "load", "edits": True}, came("approved", changed), load=frame)
    assert list(found.value.dtypes) == list(frame.dtypes)
    assert found.value.to_dict("records") == [{"n": 5, "day": pd.Timestamp("2026-03-04"), "s": "x"}]
    untouched = answered("human.review", {"preview": "load", "edits": True}, came("approved"), load=frame)
    assert untouched.value is frame


def test_a_form_and_changes_come_together() -> None:
    config = {"form": FORM, "edits": True}
    found = answered("human.approval", config, came("approved", {"centre": 1, "edited": {"n": 2}}), main=[{"n": 1}])
    assert leaving(found, "approved") == {"centre": 1, "edited": {"n": 2}}


@pytest.mark.parametrize(
    ("config", "inputs", "why"),
    [
        ({"condition": "total > 10"}, {"total": 3}, "nobody was asked: the condition does not hold"),
        ({"auto_approve_below": 1000, "amount": "total"}, {"total": 999}, "nobody was asked: 999 is below 1000"),
        ({"auto_approve_below": 1000}, {"main": [5]}, "nobody was asked: 5 is below 1000"),
        (
            {"condition": "{{ amount }} > 10", "auto_approve_below": 1000},
            {"amount": 20},
            "nobody was asked: 20 is below 1000",
        ),
    ],
)
def test_nobody_is_asked_where_that_is_not_needed(config: dict[str, Any], inputs: dict[str, Any], why: str) -> None:
    found = answered("human.approval", config, FakeContext(), **inputs)
    assert (found.ports, found.value["comment"], found.value["by"]) == (("approved",), why, "")


def test_somebody_is_asked_where_it_is_needed() -> None:
    assert asked("human.approval", {"condition": "total > 10"}, total=11)
    assert asked("human.approval", {"auto_approve_below": 1000, "amount": "total"}, total=1000)
    with pytest.raises(InvalidInput, match="auto_approve_below compares a number, and the amount is 'many'"):
        run_with("human.approval", {"question": "?", "auto_approve_below": 1, "amount": "total"}, total="many")


@pytest.mark.parametrize(
    ("config", "port"),
    [
        ({}, "expired"),
        ({"on_timeout": "auto_approve"}, "approved"),
        ({"timeout_action": "auto_reject"}, "rejected"),
        ({"on_timeout": "fail"}, ""),
    ],
)
def test_what_happens_when_nobody_answers_is_part_of_the_question(config: dict[str, Any], port: str) -> None:
    assert asked("human.approval", {"timeout": 60} | config).expiry_port == port


def test_a_failure_for_want_of_an_answer_says_so() -> None:
    with pytest.raises(NodeTimeout, match="Nobody answered node in time"):
        answered("human.approval", {"timeout": 60, "on_timeout": "fail"}, came("", action="fail"))


def test_times_are_seconds_minutes_or_a_moment() -> None:
    moment = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    for config, until in (({"timeout": 60}, 1060.0), ({"timeout_minutes": 2}, 1120.0), ({}, None)):
        assert run_with("human.approval", {"question": "?"} | config, FakeContext(time=1000.0)).until == until
    found = run_with("human.approval", {"question": "?", "expires_at": moment.isoformat()}, FakeContext(time=1000.0))
    assert found.until == moment.timestamp()


def test_the_names_of_the_seeds_are_understood() -> None:
    config = {
        "question": "?", "timeout_minutes": 1, "channel_type": "slack", "slack_channel": "#a",
        "required_approvers": ["m@x.org", "d@x.org"], "approval_threshold": 2, "rejection_threshold": 1,
        "timeout_action": "auto_reject", "condition": "{{ amount }} > 10", "auto_approve_below": 1,
        "amount": "{{ amount }}",
    }  # fmt: skip
    found = asked("human.approval", config, amount=20)
    assert (found.approvers, found.approvals_needed, found.rejections_needed) == (("m@x.org", "d@x.org"), 2, 1)
    other = {"title": "Fine?", "message": "Look.", "contextData": {"a": 1}, "assignedUserId": "anna"}
    assert said("human.approval", other) == []


@pytest.mark.parametrize(
    ("type_", "config", "message"),
    [
        ("human.approval", {}, "needs the field 'question'"),
        ("human.approval", {"question": "?", "on_timeout": "fail"}, "on_timeout is 'fail', and there is no timeout"),
        ("human.approval", {"question": "?", "timeout": 1, "timeout_minutes": 1}, "one of them"),
        ("human.approval", {"question": "?", "timeout": -1}, "timeout of node"),
        ("human.approval", {"question": "?", "ports": ["expired"]}, "no answer can be called main, error, after, exp"),
        ("human.approval", {"question": "?", "ports": ["a b"]}, "'a b' can't be a port"),
        ("human.approval", {"question": "?", "ports": ["a", "a"]}, "there are two answers 'a'"),
        ("human.approval", {"question": "?", "remind": 5}, "give due as well"),
        ("human.approval", {"question": "?", "aprovers": ["a"]}, "has no field 'aprovers'. Did you mean 'approvers'"),
        ("human.approval", {"question": "?", "form": {"type": "array"}}, "a form is a table of fields"),
        ("human.approval", {"question": "?", "form": {"properties": {"a": 3}}}, "the field 'a' of the form is 3"),
        (
            "human.approval",
            {"question": "?", "form": {"properties": {"a": {"pattern": "("}}}},
            "the pattern of the field 'a' can't be read",
        ),
        ("human.input", {"question": "?"}, "an input needs a form"),
        ("human.decision", {"question": "?", "options": ["one"]}, "a decision needs options: two or more"),
        (
            "human.decision",
            {"question": "?", "options": ["a", "b"], "timeout": 1, "on_timeout": "auto_approve"},
            "`default` must be the option",
        ),
    ],
)
def test_a_wrong_config_is_told_before_the_run(type_: str, config: dict[str, Any], message: str) -> None:
    told = said(type_, config)
    assert any(message in each for each in told), told


def test_odd_configs_are_warned_of() -> None:
    flow = Builder("f")
    flow.approval("ok", "?", approvers=["anna"], approvals_needed=2)
    assert any(problem.code == "few_approvers" for problem in flow.validate())
    with_timeout = Node(id="n", type="human.approval", config={"question": "?"}, timeout=5.0)
    assert [each.code for each in registry.get("human.approval").check(with_timeout)] == ["asking_timeout"]


def test_an_answer_is_never_taken_from_a_cache() -> None:
    flow = Builder("f")
    flow.add("human.approval", "ok", question="?", cache=True)
    assert [problem.code for problem in flow.validate()] == ["cached_answer"]


def test_the_port_expired_is_dead_where_nothing_expires() -> None:
    flow = Builder("f")
    ok = flow.approval("ok", "?")
    flow.set_variable("late", "x", 1, after=ok.expired)
    assert any("late" in str(problem) for problem in flow.validate())
    timed = Builder("f")
    ok = timed.approval("ok", "?", timeout=5)
    timed.set_variable("late", "x", 1, after=ok.expired)
    assert timed.validate() == []


def test_add_gives_the_timeout_to_the_question() -> None:
    flow = Builder("f")
    flow.add("human-approval", "ok", question="?", timeout=5)
    (node,) = flow.build().nodes
    assert (node.type, node.config, node.timeout) == ("human.approval", {"question": "?", "timeout": 5}, None)


def test_what_follows_a_question_whatever_the_answer_is_warned_of() -> None:
    flow = Builder("f")
    ok = flow.approval("ok", "?")
    flow.set_variable("post", "x", 1, after=ok)
    (problem,) = flow.validate()
    assert (problem.code, problem.severity) == ("any_answer", "warning")
    assert "post follows ok whatever the answer is" in problem.message


def test_ports_that_only_edges_name_are_answers() -> None:
    document = {
        "nodes": [
            {"id": "ask", "type": "HUMAN_IN_THE_LOOP_NODE", "subtype": "HIL_CONFIRMATION", "data": {"question": "?"}},
            {"id": "a", "type": "output", "data": {}},
        ],
        "edges": [{"source": "ask", "target": "a", "sourceHandle": "escalate"}],
    }
    workflow, problems = read(document)
    assert problems == []
    assert workflow is not None
    assert workflow.nodes[0].config == {"question": "?", "ports": ["escalate"]}
    assert [each for each in validate(workflow) if each.severity == "error"] == []
