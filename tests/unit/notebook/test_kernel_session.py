"""The kernel's half of a headless run, without a kernel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.model import events as ev
from flownb.model.status import PauseReason, RunStatus
from flownb.notebook.here import Here
from flownb.notebook.kernel_session import _settle
from flownb.run.session import Session
from flownb.store.contract import Write
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from flownb import Run


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def paused(store: MemoryStore) -> Run:
    """A run that its failing node has paused, and that nobody owns any more."""
    flow = Flow("notebook")

    @flow.node(on_error="pause")
    def load() -> None:
        raise ValueError("no file")

    run = flow.run(store=store, display=False)
    run._settled.wait(5)
    assert run.status is RunStatus.PAUSED
    return run


def home(store: MemoryStore, run: Run) -> Here:
    session = Session(run_id=run.id, store_url="memory:", workflow="notebook")
    return Here(session, store, {}, current_owner())


def test_the_end_of_a_notebook_is_written_over_its_paused_run(store: MemoryStore, paused: Run) -> None:
    _settle(home(store, paused), paused, ev.RunFailedEvent(at=time.time(), error=ev.Failure(type="E", message="m")))
    row = store.row(paused.id)
    assert row is not None
    assert (row.status, row.seq) == ("failed", paused.state.seq + 1)
    assert row.owner is None


def test_a_notebook_writes_no_end_over_what_another_process_has_done_with_its_run(
    store: MemoryStore, paused: Run
) -> None:
    other = current_owner()
    store.register(other)
    lease = store.claim(paused.id, other)
    assert lease is not None
    known = paused.state
    went_on = (
        ev.RunResumed(at=time.time()),
        ev.RunPaused(at=time.time(), reason=PauseReason.MANUAL, message="elsewhere"),
    )
    store.commit([Write(run=paused.id, fence=lease.fence, first=known.seq + 1, events=went_on, release=True)])
    _settle(home(store, paused), paused, ev.RunFailedEvent(at=time.time(), error=ev.Failure(type="E", message="m")))
    row = store.row(paused.id)
    assert row is not None
    assert (row.status, row.seq, row.owner) == ("paused", known.seq + 2, None)
