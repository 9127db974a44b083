from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.cli.attend import attend
from flownb.cli.interrupts import interrupted_by_term, interrupts
from flownb.errors import Fenced
from flownb.model.status import PauseReason, RunStatus
from flownb.run.request import Request
from flownb.run.start import attach
from flownb.store.owner import current_owner
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flownb.model.events import Record
    from flownb.run.handles.handle import Run


class Seen:
    """A display that remembers."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.said: list[str] = []

    def show(self, records: Sequence[Record]) -> None:
        self.numbers += [record.seq for record in records]

    def say(self, text: str) -> None:
        self.said.append(text)

    def note(self, text: str) -> None:
        """Not remembered."""

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def attended(run: Run, seen: Seen, **options: Any) -> tuple[Run, bool]:
    with interrupts() as asked:
        return attend(run, seen, asked, **options), bool(asked.asked)


def slow(gate: threading.Event, begun: threading.Event) -> Flow:
    flow = Flow("slow")

    @flow.node
    def first() -> int:
        begun.set()
        gate.wait(20)
        return 1

    @flow.node
    def second(first: int) -> int:
        return first + 1

    return flow


def test_every_event_is_shown_once_and_in_order(own_store: str) -> None:
    flow = Flow("chain")
    flow.node(lambda: 1, id="a")
    flow.node(lambda a: a, id="b")
    seen = Seen()
    run, stopped = attended(flow.run(store=own_store, display=False), seen)
    assert (run.status, stopped) == (RunStatus.COMPLETED, False)
    assert seen.numbers == list(range(1, len(run.events()) + 1))


def test_a_first_signal_pauses_the_run(own_store: str, gate: threading.Event) -> None:
    begun = threading.Event()
    run = slow(gate, begun).run(store=own_store, display=False)
    assert begun.wait(10)
    seen = Seen()

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while not seen.said:
            threading.Event().wait(0.01)
        gate.set()

    threading.Timer(0.1, interrupt).start()
    run, stopped = attended(run, seen)
    assert (run.status, run.pause_reason, stopped) == (RunStatus.PAUSED, PauseReason.MANUAL, True)
    assert seen.said == ["Pausing: first still at work; Ctrl-C again leaves at once."]
    assert run["first"].output == 1


def test_a_second_signal_leaves_at_once(own_store: str, gate: threading.Event) -> None:
    begun = threading.Event()
    run = slow(gate, begun).run(store=own_store, display=False)
    assert begun.wait(10)

    def interrupt() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(0.2)

    threading.Timer(0.1, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        attended(run, Seen())


def test_the_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupts():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    with interrupted_by_term(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_beside_the_main_thread_signals_are_left_alone() -> None:
    found: list[int] = []

    def work() -> None:
        with interrupts() as asked, interrupted_by_term():
            found.append(asked.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0]


def test_a_run_that_was_taken_away_is_told(own_store: str, gate: threading.Event) -> None:
    begun = threading.Event()
    run = slow(gate, begun).run(store=own_store, display=False)
    assert begun.wait(10)
    store: Any = open_store(own_store)
    holder = store.owner_of(run.id)
    assert holder is not None
    store.retire(holder[0].id)
    other = current_owner()
    store.register(other)
    assert store.claim(run.id, other) is not None
    gate.set()
    with pytest.raises(Fenced):
        attended(run, Seen())


def paused(own_store: str, until: datetime) -> tuple[Flow, Run]:
    flow = Flow("timer")
    flow.delay("nap", until=until)
    flow.node(lambda: "rested", id="done", after="nap")
    run = flow.run(store=own_store, display=False)
    while not run.resting:
        run._settled.wait(5)
    return flow, run


def test_without_wait_a_pause_ends_the_waiting(own_store: str) -> None:
    _, run = paused(own_store, datetime.now(UTC) + timedelta(hours=1))
    run, stopped = attended(run, Seen())
    assert (run.status, run.pause_reason, stopped) == (RunStatus.PAUSED, PauseReason.TIMER, False)


def test_with_wait_a_run_goes_on_when_somebody_lets_it(own_store: str) -> None:
    flow = Flow("steps")
    gate, begun = threading.Event(), threading.Event()
    flow = slow(gate, begun)
    run = flow.run(store=own_store, display=False)
    assert begun.wait(10)
    run.pause()
    gate.set()
    while not run.resting:
        run._settled.wait(5)
    seen = Seen()

    def again() -> Run:
        request = Request(definition=flow.definition(), store=run.store)
        row = run.store.row(run.id)
        assert row is not None
        return attach(request, row)

    threading.Timer(0.3, run.resume).start()
    found, stopped = attended(run, seen, after=run.state.seq, again=again)
    assert (found.status, stopped) == (RunStatus.COMPLETED, False)
    assert seen.said[0].startswith("Paused (manual); waiting.")
    assert seen.numbers[-1] == len(run.events())
