from __future__ import annotations

import pytest

from flownb.errors import InvalidInput, NotFound
from flownb.model import events as ev
from flownb.model.status import RunStatus
from flownb.notebook.attach import attach, runs
from flownb.store.contract import NewRun, Write
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    for number, name in enumerate(["first", "<b>second</b>", "third"]):
        new = NewRun(id=f"run{number}", workflow=name, created_at=float(number + 1))
        _, lease = made.create_run(new, current_owner())
        assert lease is not None
        events: list[ev.Event] = [ev.RunStarted(at=number + 1.0, workflow=name)]
        events += [ev.RunCompleted(at=number + 2.0)] if number else [ev.RunPaused(at=2.0, reason="manual")]
        made.commit([Write(run=new.id, fence=lease.fence, first=1, events=tuple(events), release=True)])
    return made


def test_runs_come_newest_first_and_can_be_narrowed(store: MemoryStore) -> None:
    found = runs(store)

    assert [row.id for row in found] == ["run2", "run1", "run0"]
    assert found[0].workflow == "third"
    assert [row.id for row in found[1:]] == ["run1", "run0"]
    assert len(runs(store, limit=2)) == 2
    assert [row.id for row in runs(store, status="paused")] == ["run0"]
    assert [row.id for row in runs(store, status=["paused", "success"])] == ["run2", "run1", "run0"]


def test_an_unknown_status_is_refused_with_near_names(store: MemoryStore) -> None:
    with pytest.raises(InvalidInput, match="Did you mean 'paused'"):
        runs(store, status="pausd")


def test_a_list_shows_itself_and_no_markup_of_others(store: MemoryStore) -> None:
    found = runs(store)

    assert "run0  first          1970-01-01T00:00:01.000Z  paused (manual)" in repr(found)
    assert "text/html" not in found._repr_mimebundle_()
    assert repr(runs(MemoryStore())) == "no runs in memory:"


def test_a_list_becomes_a_frame(store: MemoryStore) -> None:
    pytest.importorskip("pandas")
    frame = runs(store).to_frame()

    assert list(frame.id) == ["run2", "run1", "run0"]
    assert str(frame.created_at.iloc[0]) == "1970-01-01 00:00:03+00:00"
    assert frame.finished_at.isna().tolist() == [False, False, True]
    assert runs(MemoryStore()).to_frame().empty


def test_a_run_that_rests_is_shown_as_it_is(store: MemoryStore) -> None:
    run = attach("run0", store)

    assert (run.status, run.resting) == (RunStatus.PAUSED, True)


def test_an_unknown_run_is_refused_with_near_ids(store: MemoryStore) -> None:
    with pytest.raises(NotFound, match="There is no run 'run9'"):
        attach("run9", store)
