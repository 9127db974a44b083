"""Runs on their way into an engine: about to be claimed, or claimed and not at work yet.

The store knows who owns a run; only the engine knows whether it really has it. Between the two lie calls that may fail
after they did their work: then the process would own a run for ever that nobody in it works on, and whoever asks for
that run would wait for it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from typing import TYPE_CHECKING

from flownb.errors import StoreError
from flownb.store.contract import Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flownb.run.engine import Engine
    from flownb.run.executor import Execution
    from flownb.store.contract import Store


class Arrivals:
    """Of one engine; from any thread, but for `arrived`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._coming: Counter[str] = Counter()
        #: Runs that were handed to the engine, which has not taken them in yet.
        self._handed: dict[str, Execution] = {}

    @contextlib.contextmanager
    def claiming(self, store: Store, run: str, *, expect: Lease | None = None) -> Iterator[Lease | None]:
        """Claim a run, to hand it to the engine within this `with`; None where another owner, or this engine, has it.

        Whatever goes wrong before it is handed over, the run is let go.
        """
        with self.beginning(store, run):
            yield self._claim(store, run, expect)

    @contextlib.contextmanager
    def beginning(self, store: Store, run: str) -> Iterator[None]:
        """Make a run that is this engine's from the start, and hand it to the engine within this `with`."""
        self._count(run, 1)
        try:
            yield
        except BaseException:
            # Where that fails too, this engine finds it the next time, and others do when this process has ended.
            with contextlib.suppress(StoreError):
                self._let_go(store, run)
            raise
        finally:
            self._count(run, -1)

    @contextlib.contextmanager
    def claiming_free(self, store: Store, runs: Collection[str]) -> Iterator[list[Lease]]:
        """As `claiming`, of all of the runs that nobody has; the leases of those."""
        for run in runs:
            self._count(run, 1)
        try:
            owner = self._engine.owner(store)
            self._engine.house.release_left(store)
            yield store.claim_free(runs, owner)
        except BaseException:
            for run in runs:
                with contextlib.suppress(StoreError):
                    self._let_go(store, run)
            raise
        finally:
            for run in runs:
                self._count(run, -1)

    def hand(self, execution: Execution) -> None:
        """Give a claimed run to the engine."""
        run = execution.run_id
        self._count(run, 1)
        self._handed[run] = execution
        self._engine.call(self._engine.add, execution)

    def arrived(self, execution: Execution) -> None:
        """The engine has it."""
        self._handed.pop(execution.run_id, None)
        self._count(execution.run_id, -1)

    def at_work(self, store: Store, run: str) -> Execution | None:
        """The execution of a run that is at work here, or about to be."""
        found = self._handed.get(run) or self._engine.executions.get(run)
        return found if found is not None and found.store is store else None

    def _claim(self, store: Store, run: str, expect: Lease | None) -> Lease | None:
        owner = self._engine.owner(store)
        self._engine.house.release_left(store)
        lease = store.claim(run, owner, expect=expect)
        if lease is not None or expect is not None:
            return lease
        mine = self._unattended(store, run)
        return None if mine is None else store.claim(run, owner, expect=mine)

    def _let_go(self, store: Store, run: str) -> None:
        mine = self._unattended(store, run)
        if mine is not None:
            store.release(mine)

    def _unattended(self, store: Store, run: str) -> Lease | None:
        """The lease of a run that is this engine's by the store's word, and that nobody here works on or begins."""
        # In this order: who takes it in counts until after the engine has it.
        if self._coming[run] > 1 or run in self._handed or run in self._engine.executions:
            return None
        row = store.row(run)
        if row is None or row.owner != self._engine.owner(store).id:
            return None
        return Lease(run, row.owner, row.fence)

    def _count(self, run: str, more: int) -> None:
        with self._lock:
            self._coming[run] += more
            if not self._coming[run]:
                del self._coming[run]
