"""What is kept in memory, and the lock that guards it."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from flownb.store import refusals
from flownb.store.keys import Keys
from flownb.store.lease import Liveness

if TYPE_CHECKING:
    from flownb.model import events as ev
    from flownb.store.artifacts.contract import ArtifactStore
    from flownb.store.contract import Inbox, Owner, Program, VariableRow
    from flownb.store.lease import Stamp
    from flownb.store.memory.run import KeptRun


class Table:
    """What every part of the store stands on."""

    def __init__(self, artifacts: ArtifactStore | None = None, *, liveness: Liveness | None = None) -> None:
        self.url = "memory:"
        self.durable = False
        #: What seals the audit log; as short-lived as the rest.
        self.keys = Keys()
        self._given_artifacts = artifacts
        self._liveness = liveness or Liveness()
        self._lock = threading.RLock()
        self.closed = False
        self._version = 0
        self._runs: dict[str, KeptRun] = {}
        self._keys: dict[str, str] = {}
        self._owners: dict[str, tuple[Owner, Stamp]] = {}
        self._inbox: list[Inbox] = []
        self._sent = 0
        self._definitions: dict[str, str] = {}
        self._programs: dict[str, Program] = {}
        self._put_at: dict[str, float] = {}
        self._cached: dict[str, tuple[str, str, int]] = {}
        self._variables: dict[tuple[str, str], VariableRow] = {}
        self._forks: dict[str, ev.RunForked] = {}

    @functools.cached_property
    def artifacts(self) -> ArtifactStore:
        """Where large values lie; in memory as well, unless others were given."""
        if self._given_artifacts is not None:
            return self._given_artifacts
        from flownb.store.artifacts.memory import MemoryArtifacts

        return MemoryArtifacts()

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self.closed = True
            for kept in (self._runs, self._keys, self._owners, self._definitions, self._programs):
                kept.clear()
            self._inbox.clear()

    def _open(self) -> None:
        if self.closed:
            raise refusals.closed(self.url)

    def _changing(self) -> None:
        if self.closed:
            raise refusals.closed(self.url)
        self._version += 1

    def _run(self, run: str) -> KeptRun:
        kept = self._runs.get(run)
        if kept is None:
            raise refusals.no_such_run(self.url, run, self._runs)
        return kept
