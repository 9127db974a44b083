"""What earlier runs of a workflow say of the next: their medians, and nothing where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb import Flow
from flownb.widgets.expected import expected_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from flownb import Run


def asking() -> Flow:
    flow = Flow("shop")

    @flow.node
    def load() -> int:
        return 1

    ok = flow.approval("ok", "Fine?", after=load)

    @flow.node(after=ok.approved)
    def post() -> int:
        return 2

    return flow


def ended(flow: Flow, store: str) -> Run:
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.status == "paused")
    run.decide(next(iter(run.state.approvals)))
    wait_for(lambda: run.status.ended)
    return run


def test_the_first_run_expects_nothing(tmp_path: Path) -> None:
    run = asking().run(store=f"sqlite:///{tmp_path / 'a.db'}", display=False)
    assert expected_of(run) == {}


def test_later_ones_expect_what_earlier_took_without_the_time_that_people_took(tmp_path: Path) -> None:
    store, flow = f"sqlite:///{tmp_path / 'a.db'}", asking()
    earlier = [ended(flow, store) for _ in range(3)]
    run = flow.run(store=store, display=False)
    found = expected_of(run)
    assert set(found["nodes"]) == {"load", "post"}  # a person's time says nothing of the next
    wholes = sorted(each.state.active_seconds for each in earlier)
    assert found["seconds"] == round(wholes[1], 3)
