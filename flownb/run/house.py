"""What an engine does beside its runs: it renews its leases, and looks for what other processes wrote.

One look a store, ten times a second, whatever the number of runs: a look asks for one number, and only where that has
changed, for the runs that somebody left a command for. What is begun here ends when nobody needs it any more.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from flownb.errors import StoreError
from flownb.run.calls import answer_soon
from flownb.run.control import obey
from flownb.run.waiting.deliveries import deliver_soon
from flownb.store import refusals
from flownb.store.lease import renew_seconds, usual_seconds

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

    from flownb.run.engine import Engine
    from flownb.run.executor import Execution
    from flownb.store.contract import Lease, Owner, Store

#: Seconds between two looks; what another process wrote is felt within two of them.
LOOK_SECONDS: Final = 0.1
#: Answers that come within so many seconds of the ones before are a flood: what comes of them is done together, when
#: none has come for a moment, or the flood has lasted as long.
_FLOOD_SECONDS: Final = 0.1
_EBB_SECONDS: Final = 0.003
#: Every so many looks, watchers are called although nothing has changed: an owner that dies writes nothing.
_PULSE: Final = 10


class Resting(Protocol):
    """A handle on a run that rests here, and whose program is at hand."""

    @property
    def id(self) -> str:
        """The run's id."""
        ...

    @property
    def store(self) -> Store:
        """Where it is."""
        ...

    def take_up(self, runs: Sequence[Any], /) -> None:
        """Let such runs go on together, on the loop."""
        ...


class Rest(NamedTuple):
    """A run that waits for an answer, and when it has waited long enough, in seconds since 1970."""

    run: Resting
    until: float | None


class _Place:
    """One store, and who needs to know what happens in it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.owner: Owner | None = None
        self.version: int | None = None
        self.renewed = 0.0
        #: Whether it was looked for workflows that are to be started because runs failed.
        self.asked = False
        self.runs: dict[str, Execution] = {}
        #: Called with True where the store has changed, and with False once a second.
        self.watchers: dict[int, Callable[[bool], None]] = {}
        #: Runs that wait for an answer; and those that got one and go on with the next look at them.
        self.resting: dict[str, Rest] = {}
        self.woken: list[Rest] = []
        #: Whether a call that looks at the store, or wakes, is on its way; and when the last was.
        self.called = False
        self.last = -math.inf
        #: How often somebody asked for a look since the last.
        self.asks = 0
        #: Of runs that were let go while the store could not be written.
        self.unreleased: deque[Lease] = deque()

    @property
    def needed(self) -> bool:
        """Whether anybody wants it looked at."""
        return bool(self.runs or self.watchers or self.resting or self.unreleased)


class House:
    """The stores that one engine works in. Methods marked so may be called from any thread, all others on the loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._places: dict[int, _Place] = {}
        self._lock = threading.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._looks = 0
        self._watched = 0
        self._renew_seconds = renew_seconds()
        self._lease_seconds = usual_seconds()

    def lease_for(self, seconds: float) -> None:
        """Hold leases that last so long without renewal; before any is taken."""
        self._renew_seconds, self._lease_seconds = seconds / 4, seconds

    # --- from any thread ----------------------------------------------------------------------------------------------

    def owner(self, store: Store) -> Owner:
        """The engine as an owner in a store, registered with it; from any thread."""
        place = self._places.get(id(store))
        if place is not None and place.owner is not None:
            return place.owner
        with self._lock:
            place = self._place(store)
            if place.owner is None:
                owner = self._engine.describe()
                store.register(owner)
                place.owner = owner
            return place.owner

    def adopt(self, store: Store, owner: Owner) -> None:
        """Be known in a store as `owner`, whom the caller describes; from any thread."""
        with self._lock:
            store.register(owner)
            self._place(store).owner = owner

    def retire(self, store: Store) -> None:
        """Let go of everything in a store; from any thread, when all is done."""
        with self._lock:
            place = self._places.get(id(store))
            owner = None if place is None else place.owner
            if place is not None:
                place.owner = None
        if owner is not None:
            store.retire(owner.id)

    def watch(self, store: Store, look: Callable[[bool], None]) -> Callable[[], None]:
        """Call `look` on the loop when the store has changed, and once a second; returns what ends that.

        From any thread. The first call comes at once.
        """
        with self._lock:
            self._watched += 1
            number = self._watched
        gone: list[bool] = []

        def begin() -> None:
            if not gone:
                self._place(store).watchers[number] = look
                self._arm()
                look(True)

        def end() -> None:
            gone.append(True)
            self._engine.call(lambda: self._place(store).watchers.pop(number, None))

        self._engine.call(begin)
        return end

    def rest(self, rests: Rest) -> None:
        """Let a run that rests go on once, when the answer that it waits for has come; from any thread."""
        with self._lock:
            place = self._place(rests.run.store)
            place.resting[rests.run.id] = rests

        def begin() -> None:
            place.version = None  # it may have come before
            self._arm()

        self._engine.call(begin)

    def take_rest(self, store: Store, run: str) -> Rest | None:
        """A run that rests and is to go on, handed out once; from any thread."""
        place = self._places.get(id(store))
        return None if place is None else place.resting.pop(run, None)

    def wake(self, rests: Rest) -> None:
        """A run that rested has its answer: it goes on, with others to which that happens now; from any thread."""
        with self._lock:
            place = self._place(rests.run.store)
            place.woken.append(rests)
        self._call_soon(place)

    def look_soon(self, store: Store) -> None:
        """This process has left a command: don't wait for the next look; from any thread."""
        place = self._places.get(id(store))
        if place is not None:
            place.asks += 1
            self._call_soon(place)

    def _call_soon(self, place: _Place) -> None:
        if not place.called:
            place.called = True
            self._engine.call(self._gather, place, math.inf, 0)

    def _gather(self, place: _Place, since: float, seen: int) -> None:
        """Wake and look at once; but while answers come in a flood, when it ebbs: each look would hold up the next.

        Args:
            place: where.
            since: when the first of the flood came, by the loop's time.
            seen: how many had come a moment ago.
        """
        home = self._engine
        now, count = home.loop.time(), place.asks + len(place.woken)
        since = min(since, now)
        floods = now - place.last < _FLOOD_SECONDS
        if floods and count != seen and now - since < _FLOOD_SECONDS:
            home.loop.call_later(_EBB_SECONDS, self._gather, place, since, count, context=home.base_context)
            return
        place.called = False  # first: who calls from now on is not seen below
        woken, place.woken = place.woken, []
        asked, place.asks = place.asks, 0
        if woken:
            woken[0].run.take_up([each.run for each in woken])
        if asked and place.needed:
            place.version = None
            self._look_at(place, pulse=False)
        place.last = home.loop.time()

    def release_left(self, store: Store) -> None:
        """Let go of what could not be let go before, or raise why not; from any thread."""
        if (place := self._place(store)).unreleased:
            self._release(place)

    # --- on the loop --------------------------------------------------------------------------------------------------

    def enter(self, execution: Execution) -> None:
        """A run is at work."""
        place = self._place(execution.store)
        if not place.runs:
            place.renewed = self._engine.loop.time()  # whoever claims a run is registered afresh
            place.version = None
        place.runs[execution.run_id] = execution
        if not place.asked:
            place.asked = True
            home = self._engine
            home.loop.call_later(LOOK_SECONDS, self._catch_up, place.store, context=home.base_context)
        place.resting.pop(execution.run_id, None)
        if self._timer is None:
            self._arm()

    def _catch_up(self, store: Store) -> None:
        """Start what other processes should have started because of how runs ended, and died before they could."""
        with contextlib.suppress(StoreError):  # it is locked, or closed: the next process looks again
            if store.error_calls() or store.status_calls():
                answer_soon(self._engine, store)
            if store.next_notice() is not None:
                deliver_soon(self._engine, store)

    def leave(self, execution: Execution) -> None:
        """It ended, rests, or was lost."""
        place = self._places.get(id(execution.store))
        if place is not None and place.runs.get(execution.run_id) is execution:
            del place.runs[execution.run_id]

    def let_go(self, execution: Execution) -> None:
        """Others may have its run; where the store can't be written, as soon as it can."""
        place = self._place(execution.store)
        place.unreleased.append(execution.lease)
        with contextlib.suppress(StoreError):
            self._release(place)
        self._arm()

    def _release(self, place: _Place) -> None:
        while place.unreleased:
            lease = place.unreleased.popleft()
            try:
                place.store.release(lease)
            except StoreError:
                place.unreleased.append(lease)
                raise

    def _place(self, store: Store) -> _Place:
        place = self._places.get(id(store))
        if place is None:
            self._places[id(store)] = place = _Place(store)
            for other in list(self._places.values()):
                if other.store.url == store.url and getattr(other.store, "closed", False):
                    place.unreleased += other.unreleased  # the same place, opened again
                    other.unreleased.clear()
        return place

    def _arm(self) -> None:
        if self._timer is None:
            home = self._engine
            self._timer = home.loop.call_later(LOOK_SECONDS, self._keep, context=home.base_context)

    def _keep(self) -> None:
        self._timer = None
        self._looks += 1
        pulse = self._looks % _PULSE == 0
        for key, place in list(self._places.items()):
            if getattr(place.store, "closed", False):
                if not place.unreleased:
                    del self._places[key]
            elif place.needed:
                self._arm()
                self._look_at(place, pulse=pulse)

    def _look_at(self, place: _Place, *, pulse: bool) -> None:
        try:
            if place.runs:
                self._renew(place)
            version = place.store.version()
            changed = version != place.version
            if changed and (place.runs or place.resting):
                self._take_commands(place)
            place.version = version
        except StoreError:
            # It is locked for a moment, or gone: a commit meets the same fault and says it.
            place.version = None
            changed = False
        if place.resting:
            self._carry_on_late(place)
        if pulse and place.unreleased:
            with contextlib.suppress(StoreError):
                self._release(place)
        if changed or pulse:
            for look in list(place.watchers.values()):
                look(changed)

    def _renew(self, place: _Place) -> None:
        now = self._engine.loop.time()
        since = now - place.renewed
        if since < self._renew_seconds or place.owner is None:
            return
        place.store.renew(place.owner.id)
        place.renewed = now
        # A lease that was renewed in time is still ours. One that was not, as where the process stood still, may have
        # been taken; and one with a partner, where that has died.
        if since >= self._lease_seconds or place.owner.partner_pid:
            held = place.store.held(place.owner.id)
            for execution in list(place.runs.values()):
                if execution.lease.owner == place.owner.id and held.get(execution.run_id) != execution.lease.fence:
                    self._engine.lose(execution, refusals.fenced(place.store.url, [execution.run_id]))

    def _take_commands(self, place: _Place) -> None:
        waiting = place.store.waiting()
        if not waiting:
            return
        mine = [run for run in waiting if run in place.runs]
        for message in place.store.receive(mine) if mine else ():
            execution = place.runs.get(message.run)
            if execution is not None:
                obey(execution, message.command)
        self._carry_on(place, [run for run in waiting if run in place.resting])

    def _carry_on_late(self, place: _Place) -> None:
        """Let the runs go on that have waited long enough."""
        now, resting = self._engine.now(), list(place.resting.items())
        self._carry_on(place, [run for run, (_, until) in resting if until is not None and until <= now])

    def _carry_on(self, place: _Place, runs: Iterable[str]) -> None:
        found = [place.resting.pop(run, None) for run in runs]
        rested = [each.run for each in found if each is not None]
        if rested:
            rested[0].take_up(rested)
