"""The form of a value, as JSON Schema says it, and what is wrong with a value that has another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from flownb.errors import UsageError
from flownb.graph.schemas.result import Fault, ValidationResult
from flownb.graph.schemas.schema import MOST_FAULTS, DataSchema
from flownb.graph.schemas.words import parse, read_schema
from flownb.model.ports import DataType


def errors(schema: dict[str, Any], value: Any) -> list[str]:
    return read_schema(schema).validate(value).errors


@dataclass
class Point:
    x: int
    y: Any


def test_a_result_says_whether_and_what() -> None:
    assert DataSchema("string").validate("x") == ValidationResult(())
    found = DataSchema("object", properties={"a": DataSchema("object", required=("b",))}).validate({"a": {}})
    assert (found.is_valid, bool(found), found.errors) == (False, False, ["a.b is missing"])
    assert found.faults == (Fault("a.b", "is missing"),)


def test_there_is_a_form_for_every_type_of_a_port() -> None:
    assert [read_schema({"type": kind.value}).type for kind in DataType] == [kind.value for kind in DataType]


@pytest.mark.parametrize(
    ("schema", "good", "bad", "says"),
    [
        ({"type": ["number", "null"]}, [1, None], ["1"], "it is the text '1', and should be a number"),
        ({"type": ["number", "string"]}, [1, "x"], [[], None], "it is"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [1, None], ["x"], "should be a whole number"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, [1, "x"], [None, {}], "it is"),
        ({"enum": ["new", "old"]}, ["new"], ["newer", None], "and should be one of 'new', 'old'"),
        ({"enum": [1]}, [1], [True, 1.0], "and should be one of 1"),
        ({"const": "v1"}, ["v1"], ["v2"], "and should be one of 'v1'"),
        ({"minimum": 0, "exclusiveMaximum": 10}, [0, 9.9], [-1, 10], "and should be"),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd"], "letters, and should have"),
        ({"type": "array", "minItems": 1}, [[1]], [[]], "has 0 entries, and should have at least 1"),
        ({"type": "string", "pattern": "^[A-Z]+$"}, ["AB"], ["ab"], "which doesn't match"),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1, 2], [0, 3], "and should be at"),
        ({"properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}], [{"b": 1}], "b is not known here"),
        ({"additionalProperties": {"type": "number"}}, [{"a": 1}], [{"a": "x"}], "a is the text 'x'"),
        (False, [], [1, "x"], "should be one of"),
    ],
)
def test_the_words_of_json_schema(schema: Any, good: list[Any], bad: list[Any], says: str) -> None:
    for value in good:
        assert errors(schema, value) == []
    for value in bad:
        assert says in errors(schema, value)[0]


def test_a_form_may_hold_itself() -> None:
    tree = {
        "$ref": "#/$defs/Tree",
        "$defs": {
            "Tree": {
                "type": "object", "required": ["name"], "properties": {"sub": {"items": {"$ref": "#/$defs/Tree"}}},
            },
        },
    }  # fmt: skip
    assert errors(tree, {"name": "a", "sub": [{"name": "b", "sub": []}]}) == []
    assert errors(tree, {"name": "a", "sub": [{"name": "b", "sub": [{}]}]}) == ["sub.0.sub.0.name is missing"]


def test_what_nests_too_deeply_is_a_fault_and_no_crash() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    form = read_schema({"$ref": "#/$defs/L", "$defs": {"L": {"type": "array", "items": {"$ref": "#/$defs/L"}}}})
    assert form.validate(deep).errors == ["it nests too deeply to be looked at"]


def test_a_required_field_must_be_there_described_or_not() -> None:
    assert errors({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}}}, {}) == [
        "a is missing", "b is missing",
    ]  # fmt: skip


def test_an_object_may_be_an_instance() -> None:
    schema = {"type": "object", "required": ["x"], "properties": {"y": {"type": "number"}}}
    assert errors(schema, Point(1, 2)) == []
    assert errors(schema, Point(1, "two")) == ["y is the text 'two', and should be a number"]


def test_a_frame_has_columns_of_dtypes() -> None:
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "f": [1.5, None],
            "s": ["a", "b"],
            "t": pd.to_datetime(["2026-01-01", "2026-01-02"]),
            "ok": [True, False],
        }
    )
    fits = {"n": "integer", "f": "number", "s": "string", "t": "datetime", "ok": "boolean"}
    assert errors({"type": "dataframe", "columns": fits, "required": ["n"]}, frame) == []
    assert errors({"type": "dataframe", "columns": {"n": "int64", "f": "float64", "s": "any"}}, frame) == []
    assert errors({"type": "dataframe", "columns": {"n": "string", "f": "integer", "gone": "number"}}, frame) == [
        "gone is missing; the columns are n, f, s, t, ok",
        "n holds int64, and should hold string",
        "f holds float64, and should hold integer",
    ]
    assert errors({"type": "dataframe", "required": ["gone"]}, frame) == [
        "gone is missing; the columns are n, f, s, t, ok"
    ]
    assert errors({"type": "dataframe"}, [{"n": 1}]) == ["it is a list, and should be a DataFrame"]
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert errors({"type": "dataframe", "columns": {"a": "number"}}, twice) == ["a is there more than once"]


def test_a_million_faults_are_told_by_the_first() -> None:
    assert len(errors({"type": "array", "items": {"type": "number"}}, ["x"] * 1_000_000)) == MOST_FAULTS


@pytest.mark.parametrize(
    ("schema", "place", "says"),
    [
        ({"type": "strin"}, "type", "there is no type 'strin'. Did you mean 'string'"),
        ({"type": "object", "requird": ["a"]}, "requird", "no word 'requird'. Did you mean 'required'"),
        ({"properties": {"a": {"type": 3}}}, "properties.a.type", "there is no type 3"),
        ({"required": "a"}, "required", "must be a list of names"),
        ({"columns": ["a"]}, "columns", "must be a table of dtypes"),
        ({"items": "string"}, "items", "it must be a table"),
        ({"$ref": "other.json"}, "$ref", "must lead into the schema"),
        ({"$ref": "#/$defs/Lin", "$defs": {"Line": {}}}, "$ref", "there is no 'Lin' in $defs. Did you mean 'Line'"),
        ({"pattern": "("}, "pattern", "is no regular expression"),
        ({"pattern": "(a)\\1"}, "pattern", "is no regular expression that takes linear time"),
        ({"anyOf": {"type": "string"}}, "anyOf", "must be a list of schemas"),
        ("string", "", "it must be a table"),
    ],
)
def test_what_is_wrong_with_a_schema_is_said_with_its_place(schema: Any, place: str, says: str) -> None:
    (wrong,) = parse(schema)[1]
    assert wrong.place == place
    assert says in wrong.why
    with pytest.raises(UsageError):
        read_schema(schema)
