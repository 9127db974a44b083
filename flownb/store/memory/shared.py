"""What runs leave for others: results for the cache, variables of their workflow, what was forked from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model import events as ev
from flownb.model.events import Record
from flownb.model.status import VariableScope
from flownb.store.contract import VariableRow
from flownb.store.letters import DeadLetter, ErrorCall, StatusCall
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

    def dead_letters(self, run: str | None = None) -> list[DeadLetter]:
        """Nodes that failed and that nobody has taken care of, oldest first."""
        with self._lock:
            self._open()
            found = [
                DeadLetter(run=name, workflow=kept.row.workflow, event=event)
                for name, kept in self._runs.items()
                if run in (None, name)
                for event in kept.letters.values()
            ]
        return sorted(found, key=lambda each: (each.event.at, each.run, each.node))

    def error_calls(self) -> list[ErrorCall]:
        """Workflows that are to be started because a run failed, oldest first."""
        with self._lock:
            self._open()
            found = [
                ErrorCall(run=name, workflow=kept.row.workflow, event=kept.call)
                for name, kept in self._runs.items()
                if kept.call is not None
            ]
        return sorted(found, key=lambda each: (each.event.at, each.run))

    def status_calls(self) -> list[StatusCall]:
        """Workflows that are to be started because a run has a status now, oldest first."""
        with self._lock:
            self._open()
            found = [
                StatusCall(run=name, workflow=kept.row.workflow, event=event)
                for name, kept in self._runs.items()
                for event in kept.told.values()
            ]
        return sorted(found, key=lambda each: (each.event.at, each.run, each.status))

    def answer_call(self, call: ErrorCall | StatusCall) -> bool:
        """A workflow was started because of a failure or a status; False where somebody has said so before."""
        with self._lock:
            self._changing()
            kept = self._runs.get(call.run)
            if isinstance(call, StatusCall):
                return kept is not None and kept.told.pop((call.event.at, call.status), None) is not None
            if kept is None or kept.call is None or kept.call.at != call.event.at:
                return False
            kept.call = None
            return True
