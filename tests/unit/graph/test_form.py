from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any, Literal

import pandas as pd
import pytest
from pydantic import BaseModel, Field

from flownb.errors import UsageError
from flownb.graph.builder import Builder
from flownb.graph.form import faults_in
from flownb.graph.form_source import as_data, schema_of, schema_of_value, with_changes


class Line(BaseModel):
    price: float = Field(gt=0)


class Posting(BaseModel):
    centre: int = Field(ge=1000, le=9999)
    day: dt.date
    mail: str = Field(pattern="^[^@]+@[^@]+$")
    kind: Literal["in", "out"] = "in"
    lines: list[Line] = Field(default_factory=list, max_length=2)
    note: str | None = None


@dataclasses.dataclass
class Small:
    name: str
    age: int = 3


GOOD = {"centre": 4200, "day": "2026-07-31", "mail": "a@b"}


def test_a_good_answer_gets_its_defaults() -> None:
    assert faults_in(schema_of(Posting, "n"), GOOD) == ({**GOOD, "kind": "in", "note": None}, [])
    assert faults_in(schema_of(Small, "n"), {"name": "x"}) == ({"name": "x", "age": 3}, [])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"centre": 5}, "centre is 5, and should be at least 1000"),
        ({"centre": 10**6}, "centre is 1000000, and should be at most 9999"),
        ({"centre": "5000"}, "centre is '5000', and should be a whole number"),
        ({"centre": True}, "centre is true, and should be a whole number"),
        ({"centre": None}, "centre is empty, and should be a whole number"),
        ({"day": "31.7."}, "day is '31.7.', and should be a date as 2026-07-31"),
        ({"mail": "x"}, "mail is 'x', which does not match '^[^@]+@[^@]+$'"),
        ({"kind": "up"}, "kind is 'up', and should be one of 'in', 'out'"),
        ({"lines": [{"price": 1}, {"price": 0}]}, "lines.1.price is 0, and should be above 0"),
        ({"lines": [{"price": 1}] * 3}, "lines has 3 entries, and should have at most 2"),
        ({"lines": [{}]}, "lines.0.price is missing"),
        ({"note": 4}, "note is 4, and should be text"),
        ({"center": 4}, "center is no field of the form. Did you mean 'centre' or 'note'?"),
    ],
)
def test_a_bad_answer_is_told_with_its_field(change: dict[str, Any], fault: str) -> None:
    _, faults = faults_in(schema_of(Posting, "n"), GOOD | change)
    assert faults == [fault]


def test_all_faults_are_told_at_once() -> None:
    _, faults = faults_in(schema_of(Posting, "n"), {"centre": 1})
    assert faults == ["centre is 1, and should be at least 1000", "day is missing", "mail is missing"]
    assert faults_in(schema_of(Posting, "n"), [1])[1] == ["the answer is a list, and should be a table"]


def test_a_schema_that_circles_ends() -> None:
    schema: dict[str, Any] = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}
    assert faults_in(schema, {"x": 1}) == ({"x": 1}, [])
    deep: dict[str, Any] = {"properties": {"x": {"$ref": "#"}}}
    data: dict[str, Any] = {}
    for _ in range(100):
        data = {"x": data}
    assert any("nested too deep" in fault for fault in faults_in(deep, data)[1])


def test_what_is_no_form_is_refused_when_it_is_written() -> None:
    with pytest.raises(UsageError, match="n: a form is a pydantic model, a dataclass or a JSON schema, and not 3"):
        schema_of(3, "n")
    with pytest.raises(UsageError, match="ok: a question has no option 'frm'. Did you mean 'form'"):
        Builder("f").approval("ok", "?", frm=Posting)  # type: ignore[call-arg]


def test_what_data_may_be_changed_to_follows_from_the_data() -> None:
    schema = schema_of_value({"n": 1, "s": "a", "l": [1.5, 2.5], "ok": True})
    assert schema is not None
    assert faults_in(schema, {"n": 2, "s": "b", "l": [3.5], "ok": False})[1] == []
    _, faults = faults_in(schema, {"n": "x", "s": "b", "l": ["y"], "ok": 1})
    assert faults == [
        "n is 'x', and should be a whole number",
        "l.0 is 'y', and should be a number",
        "ok is 1, and should be true or false",
    ]
    assert schema_of_value(object()) is None
    assert schema_of_value({1: 2}) is None


@pytest.mark.parametrize(
    ("column", "becomes"),
    [
        ([1, None], {"type": ["integer", "null"]}),
        ([None, 1.5, 2], {"type": ["number", "null"]}),
        (["a", None, "b"], {"type": ["string", "null"]}),
        ([None, None], {}),
        ([[1], None], {}),
        ([{"a": None}, {"a": True}], {"type": ["boolean", "null"]}),
    ],
)
def test_rows_with_something_missing_keep_the_types_of_the_rest(column: list[Any], becomes: dict[str, Any]) -> None:
    found = schema_of_value([{"value": each} for each in column])
    assert found is not None
    field = found["items"]["properties"]["value"]
    assert field.get("properties", {}).get("a", field) == becomes


def test_rows_must_keep_their_columns() -> None:
    frame = pd.DataFrame({"n": [1], "s": ["a"]})
    schema = schema_of_value(frame)
    assert schema is not None
    assert faults_in(schema, [{"n": 1, "s": None}])[1] == []
    assert faults_in(schema, [{"n": "x", "t": 1}])[1] == [
        "0.n is 'x', and should be a whole number",
        "0.t is no field of the form. There is: n, s",
        "0.s is missing",
    ]
    assert faults_in(schema, [{"n": 1, "s": 2}])[1] == ["0.s is 2, and should be text or empty"]
    assert with_changes(frame, None) is frame


def test_answers_in_python_become_plain_data() -> None:
    assert as_data(Posting.model_validate(GOOD))["day"] == "2026-07-31"
    assert as_data(Small("x")) == {"name": "x", "age": 3}
    assert as_data({"when": dt.date(2026, 1, 2), "rows": pd.DataFrame({"n": [1]})}) == {
        "when": "2026-01-02",
        "rows": [{"n": 1}],
    }
