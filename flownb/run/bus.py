"""Public events: whoever is interested registers a handler, and none of them can hold up or break a run.

Handlers run one after another on a thread of their own, in the order of the events of a run; an async handler is
awaited there. A handler that raises is reported on the logger `flownb.events` and stops no other.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from flownb.errors import UsageError, near_names
from flownb.model.events import EVENT_ALIASES, EVENT_TYPES, event_type

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flownb.model.events import Record

_log = logging.getLogger("flownb.events")
_HISTORY: Final = 1_000


class PublicEvent(msgspec.Struct, frozen=True):
    """An event as handlers get it; its fields follow CloudEvents."""

    id: str
    #: As `node_completed`, or the name given to `emit`.
    type: str
    #: The workflow's name, or who emitted it.
    source: str
    #: Seconds since 1970.
    time: float
    data: dict[str, Any]
    run: str | None = None
    seq: int | None = None
    node: str | None = None

    @property
    def event_type(self) -> str:
        """The same as `type`."""
        return self.type

    @property
    def event_id(self) -> str:
        """The same as `id`."""
        return self.id

    @property
    def timestamp(self) -> float:
        """The same as `time`."""
        return self.time


class Subscription:
    """A registered handler; call it, or use it in a `with`, to unsubscribe."""

    def __init__(
        self,
        bus: _Bus,
        event_type: str,
        handler: Callable[[PublicEvent], Any],
        accept: Callable[[PublicEvent], bool] | None,
    ) -> None:
        self._bus = bus
        self.event_type = event_type
        self.handler = handler
        self.accept = accept

    def __call__(self) -> None:
        """Unsubscribe; the second time does nothing."""
        self._bus.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self()


class _Bus:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._queue: queue.SimpleQueue[PublicEvent | threading.Event] = queue.SimpleQueue()
        self._history: deque[PublicEvent] = deque(maxlen=_HISTORY)
        self._thread: threading.Thread | None = None

    def add(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="flownb-events", daemon=True)
                self._thread.start()

    def remove(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)

    @property
    def has_subscriptions(self) -> bool:
        return bool(self._subscriptions)

    def put(self, event: PublicEvent) -> None:
        self._history.append(event)
        if self._subscriptions:
            self._queue.put(event)

    def history(self, wanted: str | None, limit: int) -> list[PublicEvent]:
        kept = [event for event in list(self._history) if wanted in (None, "*", event.type)]
        return kept[-limit:]

    def drain(self, timeout: float) -> bool:
        if self._thread is None or not self._thread.is_alive():
            return True
        passed = threading.Event()
        self._queue.put(passed)
        return passed.wait(timeout)

    def _serve(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        while True:
            event = self._queue.get()
            if isinstance(event, threading.Event):
                event.set()
                continue
            for subscription in self._subscriptions:
                if subscription.event_type in ("*", event.type):
                    self._hand_over(subscription, event, loop)

    def _hand_over(self, subscription: Subscription, event: PublicEvent, loop: asyncio.AbstractEventLoop) -> None:
        try:
            if subscription.accept is not None and not subscription.accept(event):
                return
            result = subscription.handler(event)
            if asyncio.iscoroutine(result) or asyncio.isfuture(result):
                loop.run_until_complete(result)
        except BaseException:  # noqa: BLE001  handlers are strangers' code, and one that exits ends itself alone
            _log.exception("A handler of %s failed: %r", event.type, subscription.handler)


_bus: Final = _Bus()


def _known(name: str) -> str:
    if name == "*" or name in EVENT_TYPES:
        return name
    if name in EVENT_ALIASES:
        return EVENT_ALIASES[name]
    if name in _emitted or "." in name:
        return name
    raise UsageError(
        f"There is no event type {name!r}.{near_names(name, [*EVENT_TYPES, *EVENT_ALIASES])} "
        "Names of your own, for `emit`, have a dot in them, as `shop.order_paid`."
    )


_emitted: Final[set[str]] = set()


def on(
    type: str,  # noqa: A002  the word of the interface
    handler: Callable[[PublicEvent], None] | Callable[[PublicEvent], Awaitable[None]],
    filter: Callable[[PublicEvent], bool] | None = None,  # noqa: A002
) -> Subscription:
    """Call `handler(event)` for each event of a type, of every run in this process.

    Args:
        type: a name as `node_completed`, one of the older names as `workflow_started`, a name of your own, or `*`.
        handler: sync or async; it runs on a thread beside the runs.
        filter: only events for which it is true.

    Returns what unsubscribes when it is called.

    Raises:
        UsageError: no such type, or the handler can't be called.
    """
    if not callable(handler):
        raise UsageError(f"on({type!r}, …) takes a function as its handler, and {handler!r:.60} can't be called.")
    subscription = Subscription(_bus, _known(type), handler, filter)
    _bus.add(subscription)
    return subscription


def emit(type: str, data: dict[str, Any] | None = None, source: str = "user") -> PublicEvent:  # noqa: A002
    """Send an event of your own to the handlers; it is not journaled. Returns what they get.

    Raises:
        UsageError: a name that is flownb's own, or neither has a dot nor is known.
    """
    if type in EVENT_TYPES or type in EVENT_ALIASES:
        raise UsageError(f"{type!r} is an event of flownb's own; choose another name, as 'my.{type}'.")
    event = PublicEvent(id=uuid.uuid4().hex, type=_known(type), source=source, time=time.time(), data=dict(data or {}))
    _bus.put(event)
    return event


def history(type: str | None = None, limit: int = 100) -> list[PublicEvent]:  # noqa: A002
    """The newest events of this process, oldest first; at most the last thousand are kept."""
    return _bus.history(None if type is None else _known(type), limit)


def listened_to() -> bool:
    """Whether anybody registered; else nothing is made for them."""
    return _bus.has_subscriptions


def publish(record: Record, workflow: str) -> None:
    """Hand a committed event to the handlers."""
    event = record.event
    data = msgspec.to_builtins(event)
    for name in ("type", "at", "node"):
        data.pop(name, None)
    _bus.put(
        PublicEvent(
            id=f"{record.run}:{record.seq}",
            type=event_type(event),
            source=workflow,
            time=event.at,
            data=data,
            run=record.run,
            seq=record.seq,
            node=getattr(event, "node", None),
        )
    )


def drain(timeout: float = 5.0) -> bool:
    """Wait until the handlers have seen everything so far; for tests and ends of programs."""
    return _bus.drain(timeout)
