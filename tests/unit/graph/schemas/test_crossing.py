"""Values at ports that have a schema: looked at when they cross, and made models of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd
import pytest
from pydantic import BaseModel, Field

from flownb import Flow, InvalidWorkflow, Output, RunFailed, Workflow
from flownb.graph.schemas.crossing import Misfit
from flownb.graph.schemas.schema import DataSchema
from flownb.graph.validate import validate
from flownb.model import events as ev
from flownb.model.topology import Topology
from flownb.run.definition import Definition
from flownb.store.memory import MemoryStore


class Line(BaseModel):
    price: float = Field(gt=0)


class Order(BaseModel):
    id: str
    lines: list[Line]


@dataclass
class Money:
    amount: float
    currency: str = "EUR"


GOOD = {"id": "a", "lines": [{"price": 2.5}, {"price": 1}]}
BAD = {"lines": [{"price": 2.5}, {"price": -1}]}


def run(flow: Flow, **inputs: Any) -> Any:
    return flow.run(store=MemoryStore(), display=False, **inputs).result(30)


def failure(flow: Flow, node: str, **inputs: Any) -> Any:
    started = flow.run(store=MemoryStore(), display=False, **inputs)
    with pytest.raises(RunFailed):
        started.result(30)
    (error,) = [each.event.error for each in started.events() if isinstance(each.event, ev.NodeFailedEvent)][:1]
    assert started[node].status == "failed"
    return started, error


def priced(**options: Any) -> tuple[Flow, list[int]]:
    flow, attempts = Flow("priced"), []

    @flow.node(retry=3, **options)
    def total(order: Order) -> Money:
        attempts.append(1)
        return Money(sum(line.price for line in order.lines))

    @flow.node
    async def tell(total: Money) -> str:
        return f"{total.amount} {total.currency}"

    return flow, attempts


@pytest.mark.parametrize("where", ["thread", "main"])
def test_a_table_becomes_the_model_that_the_function_asks_for(where: str) -> None:
    flow, _ = priced(where=where)
    assert run(flow, order=GOOD) == {"tell": "3.5 EUR"}
    assert run(flow, order=Order.model_validate(GOOD)) == {"tell": "3.5 EUR"}


def test_what_does_not_fit_fails_once_and_says_node_port_and_path() -> None:
    flow, attempts = priced()
    started, error = failure(flow, "total", order=BAD)
    assert attempts == []
    assert error.error_class == "validation"
    assert error.message == (
        "total: the input order doesn't fit its schema: order.id is missing; "
        "order.lines.1.price can't be used: input should be greater than 0."
    )
    assert not any(isinstance(each.event, ev.NodeRetrying) for each in started.events())
    assert started["total"].status == "failed"


def test_what_a_function_returns_is_looked_at_before_it_is_committed() -> None:
    flow = Flow("returns")

    @flow.node(output_schema={"type": "object", "required": ["total"]}, retry=3)
    async def load() -> dict[str, Any]:
        return {"sum": 1}

    @flow.node
    def later(load: Any) -> None:
        raise AssertionError("what it waits for never came")

    _, error = failure(flow, "load")
    assert error.error_class == "validation"
    assert error.message == "load: what it returned doesn't fit its schema: main.total is missing."


def test_ports_beside_main_have_schemas_of_their_own() -> None:
    flow = Flow("ports")

    @flow.node(ports=["many", "few"], output_schema={"many": {"type": "array", "minItems": 3}, "few": list})
    def choose(count: int) -> Output:
        rows = list(range(count))
        return Output(count, ports=("many",), values={"many": rows}) if count > 1 else Output(rows, ports=("few",))

    assert run(flow, count=3) == {"choose": 3}
    assert run(flow, count=1) == {"choose": [0]}
    _, error = failure(flow, "choose", count=2)
    assert "what it returned at many doesn't fit its schema: many has 2 entries" in error.message


def test_a_frame_is_held_against_its_columns() -> None:
    flow = Flow("frames")

    @flow.node
    def load(kind: str) -> pd.DataFrame:
        return pd.DataFrame({"rain": [1.5, 2.0] if kind == "good" else ["much", "little"]})

    @flow.node
    def total(load: Annotated[pd.DataFrame, DataSchema("dataframe", columns={"rain": "number"})]) -> float:
        return float(load.rain.sum())

    assert run(flow, kind="good") == {"total": 3.5}
    _, error = failure(flow, "total", kind="bad")
    assert "total: the input load doesn't fit its schema: load.rain holds" in error.message


def test_nodes_of_any_type_may_have_them_and_what_is_converted_is_looked_at_then() -> None:
    flow = Flow("any")

    @flow.node
    def rows() -> list[dict[str, int]]:
        return [{"a": 1}]

    @flow.node(input_schema={"rows": {"type": "dataframe", "columns": {"b": "number"}}})
    def frame(rows: pd.DataFrame) -> int:
        return len(rows)

    _, error = failure(flow, "frame")
    assert "rows.b is missing; the columns are a" in error.message

    gate = Flow("gate")
    gate.variable("given")
    gate.add("control.transform", "shaped", fields={"total": "{{ given }}"}, output_schema={
        "main": {"type": "object", "properties": {"total": {"type": "number"}}}
    })  # fmt: skip
    assert run(gate, given=3) == {"shaped": {"total": 3}}
    _, error = failure(gate, "shaped", given="three")
    assert "main.total is the text 'three', and should be a number" in error.message


def test_each_value_of_a_port_that_takes_several_is_looked_at() -> None:
    flow = Flow("many")
    flow.node(lambda: 1, id="a")
    flow.node(lambda: "x", id="b")
    flow.add("control.merge", "both", inputs={"main": ["a", "b"]}, input_schema={"main": {"type": "number"}})
    _, error = failure(flow, "both")
    assert "both: the input main doesn't fit its schema: main is the text 'x'" in error.message


def test_an_item_of_a_loop_is_looked_at_in_its_round() -> None:
    flow = Flow("rounds")
    flow.variable("orders")
    with flow.loop("each", over="orders", errors="collect"):

        @flow.node
        def total(item: Order) -> float:
            return sum(line.price for line in item.lines)

    started = flow.run(store=MemoryStore(), display=False, orders=[GOOD, BAD])
    assert started.result(30) == {"each": [3.5, None]}
    assert "each[1].total: the input item doesn't fit" in str(started["each[1].total"].error) or (
        "total: the input item doesn't fit" in str(started["each[1].total"].error)
    )


def test_a_disabled_node_lets_pass_what_it_would_refuse() -> None:
    flow = Flow("disabled")
    flow.node(lambda: {"x": 1}, id="a")
    flow.node(lambda a: a, id="b", input_schema={"a": {"type": "string"}}, disabled=True)
    flow.node(lambda b: b, id="c")
    assert run(flow) == {"c": {"x": 1}}


def test_a_fallback_an_error_port_and_a_process_take_it_like_any_failure() -> None:
    flow = Flow("handled")

    @flow.node(input_schema={"order": Order}, fallback=0.0, where="process")
    def total(order: Any) -> float:
        return float(len(order["lines"]))

    assert run(flow, order=GOOD) == {"total": 2.0}
    assert run(flow, order={}) == {"total": 0.0}


def test_a_definition_keeps_them_and_a_file_has_them() -> None:
    flow, _ = priced()
    workflow = flow.build()
    node = workflow.node("total")
    assert node is not None
    assert node.input_schema == {"order": Order.model_json_schema()}
    assert node.output_schema["main"]["required"] == ["amount"]
    assert Workflow.from_json(workflow.to_json()) == workflow


def test_a_node_without_a_schema_has_nothing_of_it() -> None:
    flow = Flow("none")
    flow.node(lambda: 1, id="a")
    flow.node(lambda a: a, id="b")
    body = Definition(flow.build(), flow.functions).bodies[1]
    assert (body.crossings, body.leaving, body.as_is) == (None, None, True)
    assert isinstance(Definition(flow.build(), flow.functions).topology, Topology)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"input_schema": {"ordr": Order}}, "total has no input 'ordr' that could have a schema. Did you mean 'order'"),
        ({"output_schema": {"mian": Money}}, "total has no port 'mian' that could have a schema. Did you mean 'main'"),
        ({"output_schema": {"error": Money}}, "the port error has no schema"),
    ],
)
def test_a_schema_for_a_port_that_is_not_there_is_found_before_the_run(options: dict[str, Any], says: str) -> None:
    flow = Flow("wrong")
    flow.node(lambda order: order, id="total", **options)
    with pytest.raises(InvalidWorkflow, match=says):
        flow.run(store=MemoryStore(), display=False, order={})


def test_a_file_with_a_bad_schema_says_where() -> None:
    document = {
        "format": 1,
        "name": "w",
        "nodes": [{"id": "a", "type": "control.output", "input_schema": {"main": {"type": "objekt"}}}],
    }
    problems = [each for each in validate(Workflow.from_json(document)) if each.code == "bad_schema"]
    assert [each.place for each in problems] == ["nodes[0].input_schema.main.type"]
    assert "there is no type 'objekt'. Did you mean 'object'" in problems[0].message


def test_the_error_keeps_node_port_and_faults() -> None:
    flow, _ = priced()
    definition = Definition(flow.build(), flow.functions)
    crossings = definition.bodies[0].crossings
    assert crossings is not None
    with pytest.raises(Misfit) as caught:
        crossings["order"](BAD)
    assert (caught.value.node, caught.value.port) == ("total", "order")
    assert caught.value.faults[0] == "order.id is missing"
