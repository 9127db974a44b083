"""Workflows that are started because a run failed.

A workflow names another one for its failures (`Settings.error_workflow`). The end of a run that fails says so in the
same commit; whoever looks next starts what is named, under a key made of the failure, so that it is started once
whoever looks. A run that was started so calls nobody: there is no chain of them.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from flownb.errors import FlownbError
from flownb.model import events as ev
from flownb.model.times import iso
from flownb.run.hooks import hook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.state import RunState
    from flownb.run.definition import Definition
    from flownb.run.engine import Engine
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from flownb.store.letters import ErrorCall

_log: Final = logging.getLogger("flownb.engine")

#: What `RunStarted.trigger` says of a run that was started because of a failure.
TRIGGER: Final = "error"
#: How a flow of this process is named, which no other can start.
LIVE: Final = "flow:"


class Startable(Protocol):
    """A flow that can be started."""

    name: str
    services: dict[str, Any]

    def definition(self) -> Definition:
        """It, made ready to run."""
        ...

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The live defaults of its inputs."""
        ...


#: Flows of this process by name; who names one for its failures keeps it alive.
_live: Final[weakref.WeakValueDictionary[str, Startable]] = weakref.WeakValueDictionary()
_lock: Final = threading.Lock()
#: The calls that this process has taken up.
_taken: Final[set[str]] = set()
#: The runs that it has started so, and that have not come to rest.
_at_work: Final[list[Run]] = []
_LOOK_SECONDS: Final = 0.02


def know(flow: Startable) -> str:
    """Let a flow be started because of failures; returns the name by which settings call it."""
    _live[flow.name] = flow
    return LIVE + flow.name


def with_call(end: ev.Event, state: RunState) -> ev.Event:
    """The end of a run, saying which workflow is to be started because of it."""
    target = state.topology.workflow.settings.error_workflow
    if not target or not isinstance(end, ev.RunFailedEvent) or state.trigger == TRIGGER:
        return end
    return msgspec.structs.replace(end, calls=target)


def key_of(call: ErrorCall) -> str:
    """The key of the run that a failure starts."""
    return f"{TRIGGER}:{call.run}:{call.event.at:.6f}"


def payload_of(store: Store, call: ErrorCall) -> dict[str, Any]:
    """What the started workflow is told, as plain data."""
    failed, row = call.event, store.row(call.run)
    begun = [record.event for record in store.events(call.run, limit=5)]
    forked = next((each for each in begun if isinstance(each, ev.RunForked)), None)
    return {
        "run": call.run,
        "store": store.url,
        "workflow": call.workflow,
        "error": {
            "type": failed.error.type,
            "message": failed.error.message,
            "class": failed.error.error_class,
            "recoverable": failed.error.recoverable,
            "traceback": failed.error.traceback,
        },
        "last_node": failed.node,
        "retry_of": forked.source if forked is not None else None,
        "key": row.key if row is not None else None,
        "mode": row.mode if row is not None else None,
        "trigger": row.trigger if row is not None else None,
        "failed_at": iso(failed.at),
    }


def answer_soon(engine: Engine, store: Store) -> None:
    """Start, on a thread, what is to be started; on the engine's loop."""
    engine.workers.submit(lambda: answer(store), lambda _value, _error: None, engine.base_context.copy())


def answer(store: Store) -> None:
    """Start what is to be started because runs of a store failed; what can't be started here is left to others."""
    with _lock:  # who comes second has everything begun when it goes on, and may end the process then
        for call in store.error_calls():
            key = key_of(call)
            if key in _taken:
                continue
            try:
                begun = _answer(store, call, key)
            except FlownbError as error:
                begun = True  # again it would be the same
                what = call.event.calls
                _log.warning("Run %s failed, and %s can't be started because of it: %s", call.run, what, error)
            if begun:
                _taken.add(key)


def _answer(store: Store, call: ErrorCall, key: str) -> bool:
    target = call.event.calls
    if not target.startswith(LIVE):
        begin = hook("call")
        return begin is not None and bool(begin(store, call, key))
    flow = _live.get(target.removeprefix(LIVE))
    if flow is None:
        return False
    from flownb.run.request import Request, check_inputs  # they need the engine, which needs what is here
    from flownb.run.start import start

    definition = flow.definition()
    run = start(
        Request(
            definition=definition,
            store=store,
            inputs=check_inputs(definition, {}, flow.defaults),
            services=flow.services,
            key=key,
            trigger=TRIGGER,
            payload=payload_of(store, call),
        )
    )
    _at_work.append(run)

    def look(_: object) -> None:
        # Not before: if this process dies, whoever starts it again under its key goes on with it.
        if run.resting and run in _at_work:
            _at_work.remove(run)
            store.answer_call(call)

    run.watch(look)
    look(None)
    return True


def wait(seconds: float = 60.0) -> None:
    """Wait for the runs that this process has started because of failures, before it ends."""
    end = time.monotonic() + seconds
    while _at_work and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
