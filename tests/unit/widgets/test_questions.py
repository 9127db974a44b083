"""Questions as cards: everything that an answer needs, from whatever the schema of the form is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flownb import Flow
from flownb.widgets.moment import Moments
from flownb.widgets.questions import fields_of
from tests.waiting import wait_for


def test_an_open_and_an_answered_question_are_told_with_what_is_shown() -> None:
    flow = Flow("shop")
    flow.node(load)
    flow.approval("ok", "Post <b>{{ load.0 }}</b> EUR?", preview="load", approvers=["anna", "finance"])
    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status == "paused")
    moments = Moments(run)
    (asked,) = moments.whole()["questions"].values()
    assert (asked["status"], asked["kind"], asked["node"]) == ("pending", "confirmation", "ok")
    assert asked["question"] == "Post <b>310</b> EUR?"
    assert asked["ports"][:2] == ["approved", "rejected"]
    assert asked["previews"][0]["name"] == "load"
    assert asked["previews"][0]["value"]["kind"] == "list"
    assert asked["approvers"] == ["anna", "finance"]
    assert json.loads(json.dumps(asked)) == asked


def test_an_answer_is_told_with_who_and_why() -> None:
    flow = Flow("shop")
    flow.node(load)
    flow.approval("ok", "Post?", after="load")
    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status == "paused")
    moments = Moments(run)
    (asked,) = moments.whole()["questions"].values()
    run.decide(asked["id"], port="rejected", comment="not yet")
    wait_for(lambda: run.status.ended)
    answered = moments.news(None)["questions"][asked["id"]]
    assert answered["status"] == "rejected"
    assert answered["answer"]["comment"] == "not yet"
    assert answered["answer"]["port"] == "rejected"


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "integer"}, "integer"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number"),
        ({"enum": ["a", "b"]}, "choice"),
        ({"$ref": "#/$defs/Colour"}, "choice"),
        ({"type": "array"}, "json"),
        ({"$ref": "#/$defs/nowhere"}, "json"),
        ("nonsense", "json"),
    ],
)
def test_a_field_is_what_its_schema_says_and_json_where_that_is_odd(schema: Any, kind: str) -> None:
    form = {"properties": {"one": schema}, "$defs": {"Colour": {"enum": ["red", "blue"]}}, "required": ["one"]}
    (field,) = fields_of(form)
    assert (field["name"], field["kind"], field["required"]) == ("one", kind, True)


@pytest.mark.parametrize("form", [None, {}, {"properties": []}, {"properties": {"a": {}}, "required": 3}, [1]])
def test_no_form_is_too_odd(form: Any) -> None:
    assert isinstance(fields_of(form), list)


def load() -> list[int]:
    return [310, 500]
