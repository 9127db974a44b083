"""What runs leave for others: results for the cache, variables of their workflow, what was forked from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model import events as ev
from flownb.model.events import Record
from flownb.model.status import VariableScope
from flownb.store.contract import VariableRow
from flownb.store.memory.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.model.events import Event
    from flownb.store.memory.run import KeptRun


class Shared(Leases):
    """What is known beyond single runs."""

    def _share(self, kept: KeptRun, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case ev.ResultCached():
                    self._cached[event.key] = (kept.row.id, event.node, event.seq)
                case ev.VariableSet(scope=VariableScope.WORKFLOW):
                    key = (kept.row.workflow, event.name)
                    self._variables[key] = VariableRow(workflow=key[0], run=kept.row.id, event=event)
                case ev.RunForked():
                    self._forks[kept.row.id] = event
                case _:
                    pass

    def cached(self, key: str) -> Record | None:
        """The newest `node_completed` whose result was cached under a key."""
        with self._lock:
            self._open()
            if key not in self._cached:
                return None
            run, _, seq = self._cached[key]
            return Record(run, seq, self._runs[run].events[seq - 1])

    def forget_cached(self, workflow: str | None = None, node: str | None = None) -> int:
        """Let cached results be used no more; returns how many."""
        with self._lock:
            self._changing()
            kept = {
                key: (run, path, seq)
                for key, (run, path, seq) in self._cached.items()
                if (workflow not in (None, self._runs[run].row.workflow)) or node not in (None, path)
            }
            gone, self._cached = len(self._cached) - len(kept), kept
            return gone

    def variables(self, workflow: str | None = None) -> list[VariableRow]:
        """The variables of a workflow, or of all, by workflow and name."""
        with self._lock:
            self._open()
            return [row for key, row in sorted(self._variables.items()) if workflow in (None, key[0])]

    def set_variable(self, workflow: str, event: ev.VariableSet) -> None:
        """Give a workflow's variable a value from outside of any run."""
        with self._lock:
            self._changing()
            self._variables[workflow, event.name] = VariableRow(workflow=workflow, run=None, event=event)

    def unset_variable(self, workflow: str, name: str) -> bool:
        """Forget a workflow's variable; False where there was none of that name."""
        with self._lock:
            self._changing()
            return self._variables.pop((workflow, name), None) is not None

    def forks(self, run: str) -> dict[str, int]:
        """The runs that were forked from a run, with the event up to which they share its history."""
        with self._lock:
            self._open()
            return {fork: event.seq for fork, event in self._forks.items() if event.source == run}
