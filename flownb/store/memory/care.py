"""Housekeeping: what is deleted, and what nothing names any more."""

from __future__ import annotations

import msgspec

from flownb.model import events as ev
from flownb.store import refusals
from flownb.store.memory.shared import Shared
from flownb.store.references import GRACE_SECONDS, artifacts_named, is_older


class Care(Shared):
    """Deleting runs, and collecting what they leave."""

    def delete_run(self, run: str) -> None:
        """Forget a run and everything beneath it."""
        with self._lock:
            self._changing()
            self._run(run)
            doomed = self._beneath(run)
            for each in doomed:
                owner = self.owner_of(each)
                if owner is not None and owner[1]:
                    raise refusals.owned(self.url, each, f"process {owner[0].pid} on {owner[0].host}")
            self._forget(doomed)

    def _beneath(self, run: str) -> list[str]:
        found = [run]
        for each in found:
            found += [kept.row.id for kept in self._runs.values() if kept.row.group == each]
        return found

    def _forget(self, doomed: list[str]) -> None:
        gone = frozenset(doomed)
        self._cached = {key: each for key, each in self._cached.items() if each[0] not in gone}
        for run in doomed:
            key = self._runs.pop(run).row.key
            self._forks.pop(run, None)
            if key is not None:
                del self._keys[key]
        self._inbox = [each for each in self._inbox if each.run in self._runs]

    def collect(self, *, older: float | None = None, dry_run: bool = False) -> tuple[int, int]:
        """Delete ended runs older than `older` seconds, and artifacts, definitions and programs that nothing names.

        The bytes are those of artifacts: events, definitions and programs are objects here.
        """
        now = self._liveness.clock.wall()
        with self._lock:
            self._changing()
            doomed = [] if older is None else self._old(now - older)
            if not dry_run:
                self._forget(doomed)
            artifacts, definitions, programs = self._named(frozenset(doomed))
            if dry_run:
                unnamed = [each for each in self.artifacts.digests() if each not in artifacts]
                going = [each for each in unnamed if is_older(self.artifacts, each, now - GRACE_SECONDS)]
                return len(doomed), sum(map(self.artifacts.size, going))
            for kept, named in ((self._definitions, definitions), (self._programs, programs)):
                for digest in [each for each in kept if each not in named and self._put_at[each] < now - GRACE_SECONDS]:
                    del kept[digest]
        size = 0
        for digest in list(self.artifacts.digests()):
            if digest not in artifacts:
                size += self.artifacts.delete_if_older(digest, now - GRACE_SECONDS)
        return len(doomed), size

    def _old(self, before: float) -> list[str]:
        found: list[str] = []
        for run, kept in self._runs.items():
            if kept.row.group in self._runs or not self._may_go(run, before):
                continue
            doomed = self._beneath(run)
            if all(self._may_go(each) for each in doomed):
                found += doomed
        return found

    def _may_go(self, run: str, before: float = float("inf")) -> bool:
        finished, holder = self._runs[run].row.finished_at, self.owner_of(run)
        return finished is not None and finished < before and (holder is None or not holder[1])

    def _named(self, without: frozenset[str] = frozenset()) -> tuple[set[str], set[str], set[str]]:
        definitions = {kept.row.definition for kept in self._runs.values()}
        programs = {kept.row.program for kept in self._runs.values()}
        artifacts: set[str] = set()
        for run, kept in self._runs.items():
            for event in kept.events if run not in without else ():
                artifacts.update(artifacts_named(msgspec.to_builtins(event)))
                if isinstance(event, (ev.RunStarted, ev.RunResumed)):
                    definitions.add(event.definition)
        for row in self._variables.values():
            artifacts.update(artifacts_named(row.event.value))
        for message in self._inbox:
            artifacts.update(artifacts_named(msgspec.to_builtins(message.command)))
        for document in self._definitions.values():
            artifacts.update(artifacts_named(msgspec.json.decode(document)))
        for program in self._programs.values():
            artifacts.update(artifacts_named(msgspec.to_builtins(program)))
        return artifacts, definitions, programs

    def check(self) -> list[str]:
        """Memory is healthy as long as it is there."""
        self._open()
        return []
