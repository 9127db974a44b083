from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.model import commands as cmd
from flownb.model.events import NodeStarted, RunStarted
from flownb.model.status import RunStatus
from flownb.store.contract import NewRun, Write
from flownb.store.owner import current_owner
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from tests.unit.cli.conftest import Told


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a node waits for; opened at the latest when the test ends."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def waiting(own_store: str, gate: threading.Event) -> Run:
    """A run whose first node is at work until the gate opens; the second needs it."""
    flow = Flow("slow")
    started = threading.Event()

    @flow.node
    def first() -> int:
        started.set()
        gate.wait(20)
        return 1

    @flow.node
    def second(first: int) -> int:
        return first + 1

    run = flow.run(store=own_store, display=False)
    assert started.wait(10)
    return run


@pytest.fixture
def orphan(own_store: str) -> tuple[Store, str]:
    """A run that began and whose process is gone."""
    store: Any = open_store(own_store)
    flow = Flow("left")
    flow.node(lambda: 1, id="load")
    flow.node(lambda load: load, id="keep")
    definition = flow.definition()
    store.put_definition(definition.hash, definition.document)
    owner = current_owner()
    store.register(owner)
    row, lease = store.create_run(
        NewRun(id="left1111", workflow="left", definition=definition.hash, created_at=time.time()), owner
    )
    events = (RunStarted(at=time.time(), workflow="left", definition=definition.hash), NodeStarted(at=0.0, node="load"))
    store.commit([Write(run=row.id, fence=lease.fence, first=1, events=events)])
    store.retire(owner.id)
    return store, row.id


def test_pause_lets_nodes_in_flight_end(cli: Callable[..., Told], waiting: Run, gate: threading.Event) -> None:
    threading.Timer(0.2, gate.set).start()
    told = cli("pause", waiting.id)
    assert (told.status, told.out) == (0, f"{waiting.id} is paused (manual).\n")
    assert cli("pause", waiting.id).out == f"{waiting.id} is paused already (manual).\n"
    assert waiting.state.status_of("first") == "completed"


def test_cancel_ends_a_run_that_is_at_work(cli: Callable[..., Told], waiting: Run, gate: threading.Event) -> None:
    threading.Timer(0.2, gate.set).start()
    told = cli("cancel", waiting.id)
    assert (told.status, told.out) == (0, f"{waiting.id} is cancelled.\n")
    assert cli("cancel", waiting.id).out == f"{waiting.id} is cancelled already.\n"


def test_cancel_ends_a_run_that_nobody_has(cli: Callable[..., Told], orphan: tuple[Store, str]) -> None:
    store, run_id = orphan
    assert cli("cancel", run_id).out == f"{run_id} is cancelled.\n"
    document = cli("show", run_id, "--json").json
    assert document["status"] == "cancelled"
    assert {node["status"] for node in document["nodes"].values()} == {"cancelled"}
    assert store.owner_of(run_id) is None


def test_a_run_that_nobody_has_need_not_be_paused(cli: Callable[..., Told], orphan: tuple[Store, str]) -> None:
    told = cli("pause", orphan[1])
    assert told.status == 0
    assert "nobody is at work on it; `flownb resume left1111` goes on" in told.out


@pytest.mark.parametrize("command", ["pause", "cancel", "retry", "skip"])
def test_what_is_final_stays(cli: Callable[..., Told], shop: Callable[..., Run], command: str) -> None:
    run = shop(3)
    told = cli(command, run.id, *(["load"] if command in ("retry", "skip") else []))
    assert (told.status, told.out) == (2, "")
    assert f"Run {run.id} is completed" in told.err


def test_retry_leaves_a_note_for_whoever_goes_on(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(-1)
    told = cli("retry", run.id, "check")
    assert (told.status, told.out) == (0, f"Noted; `flownb resume {run.id}` goes on with it.\n")
    (message,) = run.store.receive([run.id])
    assert isinstance(message.command, cmd.RetryNode)
    assert message.command.node == "check"


def test_skip_leaves_a_note_for_whoever_goes_on(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(-1)
    assert cli("skip", run.id, "check").status == 0
    (message,) = run.store.receive([run.id])
    assert isinstance(message.command, cmd.SkipNode)


def test_the_note_names_the_store_that_was_given(
    cli: Callable[..., Told], shop: Callable[..., Run], own_store: str
) -> None:
    run = shop(-1)
    assert f"`flownb resume {run.id} --store {own_store}`" in cli("retry", run.id, "check", "--store", own_store).out


def test_skip_ends_a_node_that_is_at_work(cli: Callable[..., Told], waiting: Run, gate: threading.Event) -> None:
    assert cli("skip", waiting.id, "first").out == f"{waiting.id} was asked.\n"
    while not waiting.resting:
        waiting._settled.wait(5)
    gate.set()
    assert waiting.status is RunStatus.COMPLETED
    assert waiting.state.status_of("second") == "skipped"


def test_a_node_must_be_one_that_can_be_retried_or_skipped(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop(-1)
    assert f"load is completed in run {run.id}; it can't be retried." in cli("retry", run.id, "load").err
    assert "load is completed" in cli("skip", run.id, "load").err
    told = cli("retry", run.id, "chekc")
    assert told.status == 2
    assert "shop has no node 'chekc'. Did you mean 'check'?" in told.err
    assert run.store.receive([run.id]) == []
