from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from flownb.nodes.schema import DataSchema


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    return list(DataSchema.model_validate(schema).faults(value))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", ["", "x"], [1, b"x", ["x"]]),
        ("number", [1, 1.5, np.int64(3), 10**400], ["1", True, {}]),
        ("integer", [1, 2.0, np.int8(3)], [1.5, True, "1"]),
        ("boolean", [True, np.bool_(False)], [0, "true"]),
        ("object", [{}], [[], "x"]),
        ("array", [[], ()], [{}, "x"]),
    ],
)
def test_a_value_is_of_its_type_or_that_is_a_fault(kind: str, good: list[Any], bad: list[Any]) -> None:
    assert [faults({"type": kind}, value) for value in good] == [[]] * len(good)
    for value in [*bad, None, float("nan"), pd.NA]:
        assert len(faults({"type": kind}, value)) == 1


def test_what_may_be_empty_is_said() -> None:
    assert faults({"type": "string"}, None) == ["it is empty, and should be text"]
    assert faults({"type": "string", "nullable": True}, None) == []
    assert faults({}, None) == []


def test_every_fault_has_its_place() -> None:
    schema = {
        "type": "object",
        "required": ["id", "customer"],
        "properties": {
            "id": {"type": "string"},
            "customer": {"type": "object", "required": ["name"], "properties": {"age": {"type": "integer"}}},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        },
    }
    value = {"id": 7, "customer": {"age": "old"}, "lines": [{"price": 1}, {"price": "x"}, 3]}
    assert faults(schema, value) == [
        "id is the number 7, and should be text",
        "customer.name is missing",
        "customer.age is the text 'old', and should be a whole number",
        "lines.1.price is the text 'x', and should be a number",
        "lines.2 is the number 3, and should be a table",
    ]


def test_a_required_field_need_not_be_described() -> None:
    assert faults({"required": ["a"]}, {"b": 1}) == ["a is missing"]
    assert faults({"required": ["a"]}, {"a": None}) == []


def test_what_is_described_need_not_be_there() -> None:
    assert faults({"properties": {"a": {"type": "string"}}}, {}) == []
