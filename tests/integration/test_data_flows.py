"""The nodes that choose and work on data, in runs of the real engine."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from flownb import Flow, InvalidWorkflow, RunFailed, Workflow
from flownb.model.document import from_json, to_json
from flownb.run.definition import Definition
from flownb.run.request import Request
from flownb.run.start import start
from flownb.store.place import open_store

ORDERS = [
    {"id": 1, "region": "north", "amount": 120.0},
    {"id": 2, "region": "south", "amount": 80.0},
    {"id": 3, "region": "north", "amount": 900.0},
]


def run(flow: Flow, /, **inputs: Any) -> Any:
    return flow.run(store="memory:", display=False, **inputs)


def run_document(workflow: Workflow, **inputs: Any) -> dict[str, Any]:
    """The result of a workflow that was read from its document."""
    request = Request(definition=Definition(workflow), store=open_store("memory:"), inputs=inputs)
    found: dict[str, Any] = start(request).result(10)
    return found


def routed() -> Flow:
    flow = Flow("routed")
    flow.variable("limit", default=500)
    flow.variable("rows", default=ORDERS)
    big = flow.add("control.filter", "big", items="{{ rows }}", test="item.amount > limit", rest=True)
    total = flow.add("control.aggregate", "total", compute={"amount": "sum(amount)", "n": "count"})
    big >> total
    size = flow.switch("size", {"none": "total.n == 0", "one": "total.n == 1"})
    for port in ("none", "one", "default"):
        flow.add("control.transform", f"on_{port}", fields={"took": f"'{port}'", "n": "total.n"}, after=size.port(port))
    return flow


@pytest.mark.parametrize(("limit", "port", "n"), [(500, "one", 1), (5000, "none", 0), (0, "default", 3)])
def test_a_run_takes_the_branch_that_the_switch_chose_and_skips_the_others(limit: int, port: str, n: int) -> None:
    done = run(routed(), limit=limit)
    assert done.result(10) == {f"on_{port}": {"took": port, "n": n}}
    statuses = {node.id: str(node.status) for node in done}
    others = {"on_none", "on_one", "on_default"} - {f"on_{port}"}
    assert {statuses[each] for each in others} == {"skipped"}


def test_the_document_of_a_flow_computes_the_same() -> None:
    flow = routed()
    assert flow.validate() == []
    document = to_json(flow.build())
    assert run_document(from_json(document), limit=500, rows=ORDERS) == run(flow).result(10)


def test_a_frame_goes_through_the_nodes_as_a_frame() -> None:
    flow = Flow("frames")

    @flow.node
    def load() -> Any:
        return pd.DataFrame(ORDERS)

    kept = flow.add("control.filter", "kept", test="item.amount > 100")
    ordered = flow.add("control.sort", "ordered", by="amount", descending=True)
    flow["load"] >> kept >> ordered
    parts = flow.add("control.split", "parts", by="region", items="{{ load }}")
    flow.add("control.limit", "first", count=1, items="{{ parts }}")
    assert parts.id == "parts"
    found = run(flow).result(10)
    assert list(found) == ["ordered", "first"]
    assert list(found["ordered"].id) == [3, 1]
    assert found["first"][0]["key"] == {"region": "north"}
    assert list(found["first"][0]["items"].id) == [1, 3]


def gated(on_fail: str) -> Flow:
    flow = Flow("gated")
    rules = [{"column": "amount", "between": [0, 500]}, {"column": "id", "unique": True}]
    gate = flow.add("control.assert", "gate", rules=rules, on_fail=on_fail, items="{{ rows }}")
    flow.variable("rows")
    if on_fail == "port":
        flow.add("control.transform", "good", fields={"n": "len(main)"}, inputs={"main": gate.passed})
        flow.add(
            "control.transform", "bad", fields={"n": "len(main)", "why": "gate.message"}, inputs={"main": gate.failed}
        )
    else:
        flow.add("control.transform", "good", fields={"n": "len(gate)"})
    return flow


def test_a_gate_stops_the_run_with_its_report() -> None:
    done = run(gated("error"), rows=ORDERS)
    with pytest.raises(RunFailed, match="gate: 1 of 2 rules failed on 3 items") as caught:
        done.result(10)
    assert "- amount is between 0 and 500: 1 item broke it: item 2 (900.0)." in str(caught.value)
    assert str(done["gate"].status) == "failed"
    assert run(gated("error"), rows=ORDERS[:2]).result(10) == {"good": {"n": 2}}


def test_a_gate_with_ports_sends_the_data_one_way_or_the_other() -> None:
    good = run(gated("port"), rows=ORDERS[:2]).result(10)
    assert good == {"good": {"n": 2}}
    bad = run(gated("port"), rows=ORDERS).result(10)
    assert bad["bad"]["n"] == 3
    assert "900.0" in bad["bad"]["why"]


def test_a_failed_gate_is_not_tried_again() -> None:
    flow = Flow("retried")
    flow.add("control.assert", "gate", rules=["1 > 2"], retry=3)
    done = run(flow)
    with pytest.raises(RunFailed):
        done.result(10)
    assert done["gate"].attempts == 1


def test_files_are_read_and_written_in_a_run(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pd.DataFrame(ORDERS).to_csv("orders.csv", index=False)
    flow = Flow("files")
    flow.variable("path", default="orders.csv")
    read = flow.add("files.read", "load", path="{{ path }}", rows=False)
    totals = flow.add("control.aggregate", "totals", by="region", compute={"amount": "sum(amount)"})
    write = flow.add("files.write", "save", path="out/{{ run.id }}.json")
    read >> totals >> write
    done = run(flow)
    assert done.result(10)["save"]["path"] == f"out/{done.id}.json"
    saved = (tmp_path / "out" / f"{done.id}.json").read_text()
    assert [each["amount"] for each in json.loads(saved)] == [1020.0, 80.0]


def test_what_is_wrong_with_a_config_is_found_before_a_run() -> None:
    flow = Flow("wrong")
    flow.add("control.filter", "kept", tset="item > 1", items=[1])
    flow.switch("size", {"big": "nothing_there > 1"})
    flow.add("files.read", "load", path="a.csv", format="xls")
    with pytest.raises(InvalidWorkflow) as caught:
        run(flow)
    said = str(caught.value)
    assert "kept (control.filter) has no field 'tset'" in said
    assert "An expression of size names 'nothing_there', which is no node and no input." in said
    assert "format of load (files.read) is 'xls'" in said
