"""`run.approvals` and `flownb.inbox()`: requests as objects, to look at and to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import flownb
from flownb import Flow
from flownb.errors import Conflict, NotFound
from flownb.services.identity import user
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.run.handles.handle import Run

FRAME = pd.DataFrame({"item": ["<b>tea</b>", "milk"], "n": [3, 4]})


@pytest.fixture
def run(own_store: str) -> Run:
    """A run that asks twice."""
    flow = Flow("shop")

    @flow.node
    def load() -> pd.DataFrame:
        return FRAME.copy()

    flow.approval("ok", "Post <i>this</i>?", preview="load", after="load")
    flow.review("checked", "Right?", preview="load", edits=True)
    started = flow.run(store=own_store, display=False)
    wait_for(lambda: started.resting)
    return started


def test_a_run_lists_what_it_asks(run: Run) -> None:
    assert {(each.node, each.kind, each.status) for each in run.approvals} == {
        ("ok", "confirmation", "pending"),
        ("checked", "review", "pending"),
    }
    ok = run.approvals["ok"]
    assert run.approvals[ok.id].id == ok.id
    assert ok.shown["load"].equals(FRAME)
    with pytest.raises(NotFound, match="There is no request 'okk' here. Did you mean 'ok'"):
        run.approvals["okk"]


def test_an_entry_is_answered_where_it_is_looked_at(run: Run) -> None:
    done = run.approvals["ok"].reject(comment="no")
    assert (done.status, done.port, done.decided_by, done.comment) == ("rejected", "rejected", user(), "no")
    assert [each.node for each in run.approvals.pending] == ["checked"]
    changed = run.approvals["checked"].approve(data=FRAME.assign(n=[5, 6]))
    assert changed.data == [{"item": "<b>tea</b>", "n": 5}, {"item": "milk", "n": 6}]
    outputs = run.result(5)
    assert outputs["checked"]["n"].tolist() == [5, 6]
    with pytest.raises(Conflict):
        changed.approve()


def test_the_inbox_has_everything_that_waits_in_a_store(run: Run) -> None:
    found = flownb.inbox()
    assert sorted(each.node for each in found) == ["checked", "ok"]
    found["ok"].approve()
    assert [each.node for each in flownb.inbox()] == ["checked"]
    assert sorted(each.status for each in flownb.inbox(everything=True)) == ["approved", "pending"]
    assert flownb.inbox().records()[0]["run"] == run.id


def test_a_request_reads_well_and_shows_text_as_text(run: Run, tmp_path: Path) -> None:
    text = repr(run.approvals)
    assert "    Post <i>this</i>?\n    load (2 rows)\n    | item        n\n    | <b>tea</b>  3" in text
    assert f"      flownb approve {run.approvals['ok'].id}" in text
    html = str(run.approvals._repr_html_())
    assert "<i>this</i>" not in html
    assert "<b>tea</b>" not in html
    assert f'data-approval="{run.approvals["ok"].id}" data-status="pending"' in html
    assert repr(flownb.inbox(store=f"sqlite:///{tmp_path / 'empty.db'}")) == "Nobody is asked anything."


def test_whoever_waits_for_a_run_is_told_what_it_asks(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TimeoutError):
        run.result(0.3)
    out = capsys.readouterr().out
    assert out.count(f"flownb approve {run.approvals['ok'].id}") == 1
