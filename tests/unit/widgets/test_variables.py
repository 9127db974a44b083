"""The list of variables: who set what, what may be changed, and that a secret is never shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.errors import FlownbError, InvalidInput
from flownb.model.workflow import Variable
from flownb.widgets.variables import HIDDEN, Variables, value_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")

    @flow.node
    def load(path: str) -> str:
        return path

    rate = flow.set_variable("rated", "rate", "{{ 1.5 }}", after=load)
    ok = flow.approval("ok", "Fine?", after=rate)

    @flow.node(after=ok.approved)
    def post() -> str:
        return "posted"

    run = flow.run(store="memory:", display=False, path="july.csv")
    wait_for(lambda: run.status == "paused")
    return run


def rows(variables: Variables, *moment: Any) -> dict[str, dict[str, Any]]:
    found = variables.told(*moment)
    assert json.loads(json.dumps(found)) == found
    return {each["name"]: each for each in found}


def test_each_tells_its_value_who_set_it_and_when(run: Run) -> None:
    found = rows(Variables(run))
    assert found["path"]["by"] == "an input of the run"
    assert found["path"]["text"] == "july.csv"
    assert (found["rate"]["by"], found["rate"]["text"]) == ("rated", "1.5")
    assert found["rate"]["at"] == run.events()[found["rate"]["seq"] - 1].event.at


def test_one_that_is_set_while_the_run_rests_is_marked_until_the_run_has_it(run: Run) -> None:
    variables = Variables(run)
    variables.set("rate", "2.5")
    assert rows(variables)["rate"]["left"]
    run.decide(next(iter(run.state.approvals)))
    wait_for(lambda: run.status.ended)
    found = rows(variables)["rate"]
    assert "left" not in found
    assert (found["text"], found["by"]) == ("2.5", "you")
    before = rows(variables, run.at(found["seq"] - 1), found["seq"] - 1)["rate"]
    assert (before["text"], before["by"]) == ("1.5", "rated")
    assert "rate" not in rows(variables, run.at(1), 1)


def test_a_run_that_has_ended_refuses(run: Run) -> None:
    run.decide(next(iter(run.state.approvals)))
    wait_for(lambda: run.status.ended)
    with pytest.raises(FlownbError, match="completed"):
        Variables(run).set("rate", "3")


def test_what_is_typed_is_read_by_the_declared_type() -> None:
    assert value_of("12", Variable(name="n", type="string")) == "12"
    assert value_of("12", Variable(name="n", type="number")) == 12
    assert value_of("july", None) == "july"
    assert value_of("[1, 2]", None) == [1, 2]
    with pytest.raises(InvalidInput, match=r"'rate' is 'twelve'; it must be number, written as 12\.5"):
        value_of("twelve", Variable(name="rate", type="number"))


def test_a_secret_is_never_shown() -> None:
    flow = Flow("shop")
    flow.variable("token", type="string", secret=True, default="secret://smtp")

    @flow.node
    def load() -> int:
        return 1

    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status.ended)
    row = rows(Variables(run))["token"]
    assert (row["secret"], row["text"]) == (True, HIDDEN)
    assert "smtp" not in json.dumps(row)
