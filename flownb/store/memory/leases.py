"""Who owns which run, and the commands that are left for owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model.status import RunStatus
from flownb.store import refusals
from flownb.store.contract import Inbox, Lease
from flownb.store.memory.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from flownb.model.commands import Command
    from flownb.store.contract import Owner

_UNFINISHED: Final = (RunStatus.PENDING, RunStatus.RUNNING)


class Leases(Table):
    """Ownership and messages."""

    def register(self, owner: Owner) -> None:
        """Make an owner known, with a fresh lease time."""
        with self._lock:
            self._changing()
            self._owners[owner.id] = (owner, self._liveness.now())

    def renew(self, owner_id: str) -> None:
        """Say that the owner lives."""
        with self._lock:
            self._open()
            known = self._owners.get(owner_id)
            if known is None:
                raise refusals.unknown_owner(self.url, owner_id)
            self._owners[owner_id] = (known[0], self._liveness.now())

    def retire(self, owner_id: str) -> None:
        """The owner ends in order: all its runs are free at once."""
        with self._lock:
            self._changing()
            self._owners.pop(owner_id, None)
            for kept in self._runs.values():
                if kept.owner == owner_id:
                    kept.owner = None

    def held(self, owner_id: str) -> dict[str, int]:
        """The runs that an owner has, with the fence of each."""
        with self._lock:
            self._open()
            return {run: kept.fence for run, kept in self._runs.items() if kept.owner == owner_id}

    def owner_of(self, run: str) -> tuple[Owner, bool] | None:
        """Who has the run, and whether that owner lives."""
        with self._lock:
            self._open()
            kept = self._runs.get(run)
            known = self._owners.get(kept.owner) if kept is not None and kept.owner is not None else None
            return None if known is None else (known[0], not self._liveness.is_dead(*known))

    def claim(self, run: str, owner: Owner, *, expect: Lease | None = None) -> Lease | None:
        """Take a run that nobody has, or whose owner is dead, or hands it over."""
        with self._lock:
            self._changing()
            kept = self._run(run)
            holder = self.owner_of(run)
            handed_over = expect is not None and (kept.owner, kept.fence) == (expect.owner, expect.fence)
            if holder is not None and holder[1] and not handed_over:
                return None
            self._owners[owner.id] = (owner, self._liveness.now())
            kept.owner = owner.id
            kept.fence += 1
            return Lease(run, owner.id, kept.fence)

    def claim_free(self, runs: Collection[str], owner: Owner) -> list[Lease]:
        """Take those of the runs that nobody has, at once."""
        taken = []
        with self._lock:
            self._changing()
            for run in runs:
                kept = self._runs.get(run)
                if kept is not None and kept.owner is None:
                    self._owners[owner.id] = (owner, self._liveness.now())
                    kept.owner = owner.id
                    kept.fence += 1
                    taken.append(Lease(run, owner.id, kept.fence))
        return taken

    def release(self, lease: Lease) -> bool:
        """Let a run go without an event."""
        with self._lock:
            self._changing()
            kept = self._runs.get(lease.run)
            if kept is None or (kept.owner, kept.fence) != (lease.owner, lease.fence):
                return False
            kept.owner = None
            return True

    def orphans(self) -> list[str]:
        """Runs that are unfinished, not paused, and whose owner is dead or missing."""
        with self._lock:
            self._open()
            found = []
            for run, kept in self._runs.items():
                if kept.row.status in _UNFINISHED:
                    holder = self.owner_of(run)
                    if holder is None or not holder[1]:
                        found.append(run)
            return sorted(found)

    # --- messages

    def send(self, run: str, command: Command) -> None:
        """Leave a command for whoever owns the run."""
        with self._lock:
            self._changing()
            self._run(run)
            self._sent += 1
            self._inbox.append(Inbox(self._sent, run, command))

    def receive(self, runs: Iterable[str]) -> list[Inbox]:
        """Take the commands that were left for these runs."""
        wanted = frozenset(runs)
        with self._lock:
            self._open()
            taken = [each for each in self._inbox if each.run in wanted]
            if taken:
                self._inbox = [each for each in self._inbox if each.run not in wanted]
            return taken

    def waiting(self) -> set[str]:
        """The runs for which commands were left."""
        with self._lock:
            self._open()
            return {each.run for each in self._inbox}
