"""Housekeeping: deleting what nobody needs any more, and finding what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from flownb.errors import StoreCorrupt
from flownb.model import events as ev
from flownb.store.projections import run_change
from flownb.store.references import GRACE_SECONDS, artifacts_named, artifacts_needed, is_older
from flownb.store.sqlite.journal import Journal
from flownb.store.sqlite.leases import idle_owners
from flownb.store.sqlite.pins import Pins
from flownb.store.sqlite.runs import Runs, beneath, delete_traces
from flownb.store.sqlite.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.events import Event, Record
    from flownb.store.contract import RunRow

_OLD: Final = """
SELECT id FROM runs WHERE status IN ('completed', 'failed', 'cancelled') AND finished_at < ?1
    AND ("group" IS NULL OR NOT EXISTS (SELECT 1 FROM runs AS above WHERE above.id = runs."group"))
"""
_BYTES: Final = "SELECT coalesce(sum(length(body)), 0) FROM events WHERE run_id = ?"
_UNNAMED: Final = """
SELECT digest, length({body}) FROM {table}
WHERE put_at < ? AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.{column} = {table}.digest)
"""
_ENDS: Final = (ev.NodeCompleted, ev.NodeFailedEvent, ev.NodeSkipped, ev.NodeCancelled, ev.NodeWaiting)
_PAGES_AT_ONCE: Final = 1000
_EVENTS_AT_ONCE: Final = 5000


class Care(Journal, Runs, Pins, Variables):
    """`flownb gc` and `flownb doctor`."""

    def collect(self, *, older: float | None = None, dry_run: bool = False) -> tuple[int, int]:
        """Delete ended runs older than `older` seconds, and artifacts, definitions and programs that nothing names."""
        if dry_run:
            return self._would_go(older)
        runs = size = 0
        if older is not None:
            runs, size = self._delete_old(self._liveness.clock.wall() - older)
        candidates = [each for each in self.artifacts.digests() if is_older(self.artifacts, each, self._grace())]
        artifacts, definitions, before = self._named()
        for digest in candidates:
            if digest not in artifacts:
                size += self.artifacts.delete_if_older(digest, before)
        if (sweep := getattr(self.artifacts, "sweep", None)) is not None:
            sweep()  # where artifacts are files, dead processes may have left half-written ones
        size += self._delete_unnamed("definitions", "document", "definition", definitions)
        size += self._delete_unnamed("programs", "body", "program", set())
        self._forget_owners()
        self._give_back()
        return runs, size

    def _would_go(self, older: float | None) -> tuple[int, int]:
        """How many runs, and how many bytes of them and of artifacts, would be deleted now."""
        size = 0
        doomed: list[str] = []
        if older is not None:
            with self._db.reading() as cursor:
                for (run,) in cursor.execute(_OLD, (self._liveness.clock.wall() - older,)).fetchall():
                    below = beneath(cursor, run)
                    if all(self._may_go(each) for each in below):
                        doomed += below
                size = sum(cursor.execute(_BYTES, (each,)).fetchall()[0][0] for each in doomed)
        artifacts, _, before = self._named(frozenset(doomed))
        for digest in self.artifacts.digests():
            if digest not in artifacts and is_older(self.artifacts, digest, before):
                size += self.artifacts.size(digest)
        return len(doomed), size

    def _grace(self) -> float:
        return self._liveness.clock.wall() - GRACE_SECONDS

    def _delete_old(self, before: float) -> tuple[int, int]:
        runs = size = 0
        with self._db.reading() as cursor:
            old = [each for (each,) in cursor.execute(_OLD, (before,)).fetchall()]
        for run in old:
            with self._db.writing() as cursor:  # one by one, so that nobody waits long
                doomed = beneath(cursor, run)
                if not all(self._may_go(each) for each in doomed):
                    continue
                size += sum(cursor.execute(_BYTES, (each,)).fetchall()[0][0] for each in doomed)
                delete_traces(cursor, doomed)
                runs += len(doomed)
        return runs, size

    def _may_go(self, run: str) -> bool:
        row, holder = self.row(run), self.owner_of(run)
        return row is not None and row.finished_at is not None and (holder is None or not holder[1])

    def _forget_owners(self) -> None:
        """Delete long dead owners that hold nothing; one that comes back makes itself known again."""
        with self._db.writing() as cursor:
            for owner, renewed in idle_owners(cursor):
                if renewed.wall < self._grace() and self._liveness.is_dead(owner, renewed):
                    cursor.execute("DELETE FROM owners WHERE id = ?", (owner.id,))

    def _named(self, without: frozenset[str] = frozenset()) -> tuple[set[str], set[str], float]:
        """What anything in the store names: artifacts, and definitions beside the newest of each run.

        And the moment since which an artifact may be about to be named: an hour ago, or when the oldest node in flight
        of a living run began, because what it has put so far is named when it ends.
        """
        artifacts: set[str] = set()
        definitions: set[str] = set()
        before = self._grace()
        for run in self._run_ids():
            if run in without:
                continue
            flight: dict[str, float] = {}
            for record in self._all_events(run):
                event = record.event
                if isinstance(event, ev.NodeStarted):
                    flight.setdefault(event.node, event.at)
                elif isinstance(event, _ENDS):
                    flight.pop(event.node, None)
                artifacts.update(artifacts_named(msgspec.to_builtins(event)))
                if isinstance(event, (ev.RunStarted, ev.RunResumed)):
                    definitions.add(event.definition)
            if flight and (oldest := min(flight.values())) < before and self._may_be_at_work(run):
                before = oldest
        artifacts.update(self._named_beside_runs())
        return artifacts, definitions, before

    def _named_beside_runs(self) -> Iterator[str]:
        """The artifacts that are named elsewhere than in the journal of a run."""
        with self._db.reading() as cursor:
            for query in (
                "SELECT body FROM programs",
                "SELECT body FROM commands",
                "SELECT cast(document AS BLOB) FROM definitions",
            ):
                for (body,) in cursor.execute(query):
                    yield from artifacts_named(msgspec.json.decode(body))
        for row in self.variables():
            yield from artifacts_named(row.event.value)

    def _may_be_at_work(self, run: str) -> bool:
        """Whether somebody has the run whose process isn't known to be gone; its lease may have lapsed in suspend."""
        row, holder = self.row(run), self.owner_of(run)
        if row is None or row.finished_at is not None or holder is None:
            return False
        return holder[1] or not self._liveness.is_gone(holder[0])

    def _run_ids(self) -> list[str]:
        with self._db.reading() as cursor:
            return [each for (each,) in cursor.execute("SELECT DISTINCT run_id FROM events").fetchall()]

    def _all_events(self, run: str) -> Iterator[Record]:
        after = 0
        while found := self.events(run, after, _EVENTS_AT_ONCE):
            yield from found
            after = found[-1].seq

    def _delete_unnamed(self, table: str, body: str, column: str, named: set[str]) -> int:
        size = 0
        query = _UNNAMED.format(table=table, body=body, column=column)
        with self._db.writing() as cursor:
            for digest, length in cursor.execute(query, (self._grace(),)).fetchall():
                if digest not in named:
                    cursor.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))  # noqa: S608  our own names
                    self._put_at.pop(digest, None)
                    size += length
        return size

    def _give_back(self) -> None:
        """Return free pages to the disk, some at a time, so that nobody waits long."""
        before, free = -1, 0
        while free != before:
            with self._db.writing() as cursor:
                before = cursor.execute("PRAGMA freelist_count").fetchall()[0][0]
                cursor.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
                free = cursor.execute("PRAGMA freelist_count").fetchall()[0][0]

    # --- what is wrong

    def check(self) -> list[str]:
        """What is wrong with the store, a sentence each; empty when it is healthy."""
        try:
            return self._damages() or [each for run in self._run_ids() for each in self._faults(run)]
        except StoreCorrupt as error:
            return [error.message]

    def _damages(self) -> list[str]:
        with self._db.reading() as cursor:
            found = [each for (each,) in cursor.execute("PRAGMA integrity_check(20)").fetchall()]
        return [] if found == ["ok"] else [f"{self.url} is damaged: {each}." for each in found]

    def _faults(self, run: str) -> Iterator[str]:
        row = self.row(run)
        if row is None:
            yield f"There are events of run {run}, but no such run."
            return
        try:
            records = list(self._all_events(run))
        except StoreCorrupt as error:
            yield error.message
            return
        if [record.seq for record in records] != list(range(1, len(records) + 1)):
            yield f"The journal of run {run} has gaps: {len(records)} events, the last of which is number {row.seq}."
        yield from self._wrong_projection(row, [record.event for record in records])
        yield from self._missing(row, records)

    def _wrong_projection(self, row: RunRow, happened: list[Event]) -> Iterator[str]:
        change = run_change(happened)
        if change is None:
            return
        if (row.status, row.pause_reason, row.finished_at) != (change.status, change.pause_reason, change.finished_at):
            yield f"Run {row.id} is listed as {row.status}, but its events say {change.status}."

    def _missing(self, row: RunRow, records: list[Record]) -> Iterator[str]:
        if row.definition and self.definition(row.definition) is None:
            yield f"The definition {row.definition} of run {row.id} is missing."
        if row.program and self.program(row.program) is None:
            yield f"The program {row.program} of run {row.id} is missing."
        there = set(self.artifacts.digests())
        for record in records:
            for digest in artifacts_needed(msgspec.to_builtins(record.event)):
                if digest not in there:
                    yield f"The artifact {digest} is missing; event {record.seq} of run {row.id} names it."
