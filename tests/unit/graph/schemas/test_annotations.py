"""What the annotations of a function say of values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict

import pandas as pd
import pytest
from pydantic import BaseModel

from flownb import Flow, UsageError
from flownb.graph.hints import may_have_forms
from flownb.graph.schemas.annotations import form_of, forms_of, model_of, schema_of
from flownb.graph.schemas.schema import DataSchema
from flownb.graph.schemas.words import read_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from somewhere import Unknown  # type: ignore[import-not-found]  # only a type checker would find it


class Line(BaseModel):
    price: float


class Order(BaseModel):
    id: str
    lines: list[Line]
    parent: Order | None = None


@dataclass
class Money:
    amount: float
    currency: Literal["EUR", "USD"] = "EUR"
    tags: list[str] = field(default_factory=list)


class Row(TypedDict):
    city: str
    rain: NotRequired[float]


def test_models_dataclasses_and_typed_dicts_are_forms() -> None:
    def node(order: Order, money: Money | None, row: Row, rows: list[Row]) -> Order: ...  # type: ignore[empty-body]

    takes, gives = forms_of(node)
    assert list(takes) == ["order", "money", "row", "rows"]
    assert gives == {"main": Order.model_json_schema()}
    assert takes["money"] == {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "currency": {"type": "any", "enum": ["EUR", "USD"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["amount"],
        "nullable": True,
    }
    assert takes["rows"]["items"]["required"] == ["city"]
    for each in (*takes.values(), *gives.values()):
        read_schema(each)
    assert read_schema(gives["main"]).validate({"id": "a", "lines": [{}]}).errors == ["lines.0.price is missing"]


def test_annotated_takes_json_schema_and_ours() -> None:
    def node(
        a: Annotated[dict[str, Any], {"type": "object", "required": ["x"]}],
        frame: Annotated[pd.DataFrame, DataSchema("dataframe", columns={"rain": "number"})],
        other: Annotated[int, "only a remark"],
    ) -> None: ...

    assert forms_of(node)[0] == {
        "a": {"type": "object", "required": ["x"]},
        "frame": {"type": "dataframe", "columns": {"rain": "number"}},
    }


def test_all_other_hints_stay_hints_and_cost_nothing() -> None:
    def plain(a: int, b: str | None, c: list[int], d: pd.DataFrame, e: Sequence[str]) -> dict[str, Any]: ...  # type: ignore[empty-body]
    def strange(a: Unknown, b: Nowhere) -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821

    assert not may_have_forms(plain)
    assert not may_have_forms(lambda a, b: None)
    assert may_have_forms(strange)
    assert forms_of(strange) == ({}, {})


def test_what_a_class_encloses_is_found() -> None:
    @dataclass
    class Inner:
        x: int

    def node(a: Inner) -> Inner:
        return Inner(a.x)

    assert forms_of(node)[0]["a"]["required"] == ["x"]


def test_a_dataclass_that_holds_itself_is_looked_at_once() -> None:
    @dataclass
    class Tree:
        name: str
        left: Tree | None = None

    read_schema(form_of(Tree) or {})
    assert model_of(list[Money]) == [Money]
    assert model_of(Row) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (int, {"type": "integer"}),
        (pd.DataFrame, {"type": "dataframe"}),
        (DataSchema("string"), {"type": "string"}),
        ({"type": "string"}, {"type": "string"}),
    ],
)
def test_what_may_be_given_as_a_schema(given: Any, expected: dict[str, Any]) -> None:
    assert schema_of(given) == expected


def test_what_says_nothing_is_refused_with_the_node() -> None:
    flow = Flow("refused")
    with pytest.raises(UsageError, match=r"a: input_schema: .*object.* says nothing of a value"):
        flow.node(lambda x: x, id="a", input_schema={"x": object()})
    with pytest.raises(UsageError, match=r"a: input_schema takes a dict by the names of inputs"):
        flow.node(lambda x: x, id="a", input_schema=Order)  # type: ignore[call-overload]
    with pytest.raises(UsageError, match=r"a: output_schema: .*no word 'requird'. Did you mean 'required'"):
        flow.node(lambda x: x, id="a", output_schema={"type": "object", "requird": ["a"]})
