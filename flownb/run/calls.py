"""Workflows that are started because a run failed, or because it has a certain status now.

A workflow names another one for its failures (`Settings.error_workflow`) or for statuses (`Settings.on_status`). The
event that ends or pauses a run says so in the same commit; whoever looks next starts what is named, under a key made
of that event, so that it is started once whoever looks. A run that was started so calls nobody: there is no chain of
them.
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
from flownb.store import values
from flownb.store.letters import STATUS_OF, ErrorCall, StatusCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.state import RunState
    from flownb.run.definition import Definition
    from flownb.run.engine import Engine
    from flownb.run.handles.handle import Run
    from flownb.store.contract import RunRow, Store

_log: Final = logging.getLogger("flownb.engine")

#: What `RunStarted.trigger` says of the runs that were started so.
TRIGGERS: Final = frozenset({ErrorCall.trigger, StatusCall.trigger})
#: How a warning says what a run came to.
_IS: Final = {"failed": "failed", "completed": "completed", "cancelled": "was cancelled", "paused": "paused"}
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


#: Flows of this process by name; who names one keeps it alive.
_live: Final[weakref.WeakValueDictionary[str, Startable]] = weakref.WeakValueDictionary()
_lock: Final = threading.Lock()
#: The calls that this process has taken up.
_taken: Final[set[str]] = set()
#: The runs that it has started so, and that have not come to rest.
_at_work: Final[list[Run]] = []
_LOOK_SECONDS: Final = 0.02
#: How much of an output the payload holds, in bytes of JSON as a value and in characters as a text.
_SMALL: Final = 2_000
_SHORT: Final = 200


def know(flow: Startable) -> str:
    """Let a flow be started because of how runs are; returns the name by which settings call it."""
    _live[flow.name] = flow
    return LIVE + flow.name


def with_call(end: ev.Event, state: RunState) -> ev.Event:
    """The event that ends or pauses a run, saying which workflows are to be started because of it."""
    settings = state.topology.workflow.settings
    if not (settings.error_workflow or settings.on_status) or state.trigger in TRIGGERS:
        return end
    said: dict[str, str] = {}
    if settings.error_workflow and isinstance(end, ev.RunFailedEvent):
        said["calls"] = settings.error_workflow
    if target := settings.on_status.get(STATUS_OF.get(type(end), "")):
        said["tells"] = target
    return msgspec.structs.replace(end, **said) if said else end


def says_call(end: ev.Event) -> bool:
    """Whether an event says that a workflow is to be started because of it."""
    return type(end) in STATUS_OF and bool(getattr(end, "tells", "") or getattr(end, "calls", ""))


def open_calls(store: Store) -> list[ErrorCall | StatusCall]:
    """What is to be started because of runs of a store."""
    return [*store.error_calls(), *store.status_calls()]


def key_of(call: ErrorCall | StatusCall) -> str:
    """The key of the run that is started because of an event."""
    key = f"{call.trigger}:{call.run}:{call.event.at:.6f}"
    return f"{key}:{call.status}" if isinstance(call, StatusCall) else key


def payload_of(store: Store, call: ErrorCall | StatusCall) -> dict[str, Any]:
    """What the started workflow is told, as plain data."""
    return _of_status(store, call) if isinstance(call, StatusCall) else _of_failure(store, call)


def _of_status(store: Store, call: StatusCall) -> dict[str, Any]:
    event, row = call.event, store.row(call.run)
    paused = event if isinstance(event, ev.RunPaused) else None
    failed = event if isinstance(event, ev.RunFailedEvent) else None
    begun = row.started_at if row is not None else None
    outputs = _outputs(store, row, event) if row is not None and isinstance(event, ev.RunCompleted) else {}
    return {
        "run": call.run,
        "store": store.url,
        "workflow": call.workflow,
        "status": str(call.status),
        "pause_reason": paused.reason if paused is not None else None,
        "until": iso(paused.until) if paused is not None and paused.until is not None else None,
        "message": failed.error.message if failed is not None else getattr(event, "message", ""),
        "outputs": {name: plain for name, plain in outputs.items() if _is_small(plain)},
        "previews": {name: values.preview(plain, _SHORT) for name, plain in outputs.items()},
        "key": row.key if row is not None else None,
        "mode": row.mode if row is not None else None,
        "trigger": row.trigger if row is not None else None,
        "started_at": iso(begun) if begun is not None else None,
        "finished_at": iso(event.at) if paused is None else None,
        "duration_ms": round((event.at - begun) * 1000) if begun is not None else None,
    }


def _outputs(store: Store, row: RunRow, end: ev.RunCompleted) -> dict[str, Any]:
    from flownb.run.recovery.recover import read_state  # it needs the engine, which needs what is here

    return {**read_state(store, row).outputs(), **end.results}


def _is_small(plain: Any) -> bool:
    """Whether a stored value is plain data that a payload can hold: it stands for itself, and there is little of it."""
    encoded = msgspec.json.encode(plain)
    return len(encoded) <= _SMALL and b'"$' not in encoded


def _of_failure(store: Store, call: ErrorCall) -> dict[str, Any]:
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
    """Start what is to be started because of runs of a store; what can't be started here is left to others."""
    with _lock:  # who comes second has everything begun when it goes on, and may end the process then
        for call in open_calls(store):
            key = key_of(call)
            if key in _taken:
                continue
            try:
                begun = _answer(store, call, key)
            except FlownbError as error:
                begun = True  # again it would be the same
                is_now, what = _IS[call.status], call.target
                _log.warning("Run %s %s, and %s can't be started because of it: %s", call.run, is_now, what, error)
            if begun:
                _taken.add(key)


def _answer(store: Store, call: ErrorCall | StatusCall, key: str) -> bool:
    target = call.target
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
            trigger=call.trigger,
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
    """Wait for the runs that this process has started so, before it ends."""
    end = time.monotonic() + seconds
    while _at_work and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
