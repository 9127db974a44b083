"""The moments of a run: each is the fold of the events up to it, whichever way one came there."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.errors import InvalidInput
from flownb.model.fold import apply
from flownb.model.snapshot import snapshot
from flownb.model.state import RunState
from flownb.run.handles import history as module
from flownb.run.handles.history import History
from flownb.run.handles.moment import Moment
from flownb.run.recovery.recover import apply_known
from flownb.widgets.moment import Moments
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb import Run
    from flownb.model.events import Event


@pytest.fixture
def run() -> Run:
    flow = Flow("shop")

    @flow.node
    def load() -> list[int]:
        print("reading")
        return [1, 2, 3]

    with flow.loop("each", over="load"):

        @flow.node
        def clean(item: int) -> int:
            return item * 2

        @flow.node
        def check(clean: int) -> int:
            return clean

    ok = flow.approval("ok", "Fine?", after="each")

    @flow.node(after=ok.approved)
    def post() -> str:
        return "posted"

    run = flow.run(store="memory:", display=False)
    wait_for(lambda: run.status == "paused")
    run.set("rate", 3)
    run.decide(next(iter(run.state.approvals)))
    wait_for(lambda: run.status.ended)
    return run


def told(run: Any) -> dict[str, Any]:
    """Everything that a view shows."""
    return Moments(run).whole() | {"variables": run.state.variables, "paths": list(run.state.topology.paths)}


def test_every_moment_is_the_fold_of_its_events_whichever_way_one_comes_there(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_APART", 4)
    monkeypatch.setattr(module, "_PAGE", 3)
    monkeypatch.setattr(module, "_MOST_KEPT", 5)
    records = run.events()
    wanted = [told(run.at(seq)) for seq in range(len(records) + 1)]
    history = History(run.store, run.id, run.state.topology.origin)
    ways = [*range(len(records) + 1), *reversed(range(len(records) + 1))]
    ways += random.Random(7).choices(range(len(records) + 1), k=60)
    for seq in ways:
        moment = history.at(seq)
        assert told(moment) == wanted[seq], seq
        assert [each.seq for each in moment.events()] == list(range(1, seq + 1))
        assert history.when == (records[seq - 1].event.at if seq else None)
    assert wanted[-1] == told(run)


def test_a_state_that_was_kept_is_not_changed_by_what_is_folded_on(run: Run) -> None:
    records = run.events()
    for at in range(len(records)):
        state = RunState(run.state.topology.origin, run.id)
        for record in records[:at]:
            apply(state, record.event)
        kept = snapshot(state)
        before = told(History(run.store, run.id, run.state.topology.origin).at(at))
        for record in records[at:]:
            apply(state, record.event)
        now = Moment(run.store, kept, at)
        assert told(now) == before
        for record in records[at:]:
            apply(kept, record.event)
        assert told(Moment(run.store, kept, len(records))) == told(run)


def test_no_way_back_is_long_once_the_journal_was_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_APART", 2)
    monkeypatch.setattr(module, "_MOST_KEPT", 8)
    history = History(run.store, run.id, run.state.topology.origin)
    last = history.length
    history.at(last)
    folded: list[Event] = []

    def counted(state: RunState, event: Event) -> None:
        folded.append(event)
        apply_known(state, event)

    monkeypatch.setattr(module, "apply_known", counted)
    for seq in [last - 1, 3, last, 1, *range(last, 0, -1)]:
        folded.clear()
        history.at(seq)
        assert len(folded) <= last / 4 + 1, seq


def test_a_long_way_is_gone_in_pieces(run: Run) -> None:
    history = History(run.store, run.id, run.state.topology.origin)
    last = history.length
    assert not history.go(last, 5)
    assert history.reached == 5
    assert history.go(last, 10_000)
    assert history.reached == last


def test_a_moment_that_is_not_there_is_refused(run: Run) -> None:
    history = History(run.store, run.id, run.state.topology.origin)
    for wrong in (-1, history.length + 1, True, "3"):
        with pytest.raises(InvalidInput, match="no moment"):
            history.at(wrong)  # type: ignore[arg-type]
