"""Who owns which run; taken by one conditional update, guarded by a fence that only grows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.store import refusals
from flownb.store.contract import Lease, Owner
from flownb.store.lease import Stamp
from flownb.store.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection

    from flownb.errors import NotFound
    from flownb.store.sqlite.transaction import Cursor

_FIELDS: Final = Owner.__struct_fields__
_STAMP: Final = """
INSERT INTO owners (id, host, boot, pid_namespace, pid, pid_started, partner_pid, partner_started, renewed_monotonic,
    renewed_wall)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET renewed_monotonic = excluded.renewed_monotonic, renewed_wall = excluded.renewed_wall
"""
_RENEW: Final = "UPDATE owners SET renewed_monotonic = ?2, renewed_wall = ?3 WHERE id = ?1 RETURNING id"
_HOLDERS: Final = """
SELECT runs.id, runs.fence, runs.owner, renewed_monotonic, renewed_wall, owners.*
FROM runs LEFT JOIN owners ON owners.id = runs.owner
"""
_HOLDER: Final = f"{_HOLDERS} WHERE runs.id = ?"
_ACTIVE: Final = f"{_HOLDERS} WHERE runs.status IN ('pending', 'running') ORDER BY runs.id"
_IDLE: Final = """
SELECT renewed_monotonic, renewed_wall, owners.* FROM owners
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.owner = owners.id)
"""
#: Owner, fence and last renewal must be what they were when the holder was judged; the renewal of one who hands over
#: doesn't matter.
_CLAIM: Final = """
UPDATE runs SET owner = ?1, fence = fence + 1
WHERE id = ?2 AND owner IS ?3 AND fence = ?4
    AND (?6 OR (SELECT renewed_monotonic FROM owners WHERE owners.id = runs.owner) IS ?5)
RETURNING fence
"""
#: Needs the owner, and the runs as JSON.
_CLAIM_FREE: Final = """
UPDATE runs SET owner = ?1, fence = fence + 1
WHERE owner IS NULL AND id IN (SELECT value FROM json_each(?2)) RETURNING id, fence
"""


class Holder(msgspec.Struct, frozen=True):
    """How a run is held: what a claim judges, and what must still be so when it is made."""

    run: str
    fence: int
    #: The id in the run's row; None where nobody has it.
    owner_id: str | None
    #: None where nobody has it, and where its owner is not known any more.
    owner: Owner | None
    renewed: Stamp | None


class Leases(Table):
    """Registering owners, and claiming and releasing runs."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        #: The owners that were registered here: one that others forgot while it slept can be made known again.
        self._registered: dict[str, Owner] = {}

    def _stamp(self, cursor: Cursor, owner: Owner) -> None:
        """Write the owner down with a fresh lease: whoever acts lives."""
        self._registered[owner.id] = owner
        cursor.execute(_STAMP, (*msgspec.structs.astuple(owner), *self._liveness.now()))

    def register(self, owner: Owner) -> None:
        """Make an owner known, with a fresh lease time."""
        with self._db.writing() as cursor:
            self._stamp(cursor, owner)

    def renew(self, owner_id: str) -> None:
        """Say that the owner lives; every few seconds. Notices a file that went away, too."""
        self._db.look()
        with self._db.writing() as cursor:
            if cursor.execute(_RENEW, (owner_id, *self._liveness.now())).fetchall():
                return
            owner = self._registered.get(owner_id)
            if owner is None:
                raise refusals.unknown_owner(self.url, owner_id)
            self._stamp(cursor, owner)

    def retire(self, owner_id: str) -> None:
        """The owner ends in order: all its runs are free at once."""
        self._registered.pop(owner_id, None)
        with self._db.writing() as cursor:
            cursor.execute("UPDATE runs SET owner = NULL WHERE owner = ?", (owner_id,))
            cursor.execute("DELETE FROM owners WHERE id = ?", (owner_id,))

    def held(self, owner_id: str) -> dict[str, int]:
        """The runs that an owner has, with the fence of each."""
        with self._db.reading() as cursor:
            return dict(cursor.execute("SELECT id, fence FROM runs WHERE owner = ?", (owner_id,)).fetchall())

    def owner_of(self, run: str) -> tuple[Owner, bool] | None:
        """Who has the run, and whether that owner lives; None where nobody has it."""
        holder = self._holder(run)
        if holder is None or holder.owner is None:
            return None
        return holder.owner, self._lives(holder)

    def claim(self, run: str, owner: Owner, *, expect: Lease | None = None) -> Lease | None:
        """Take a run that nobody has, or whose owner is dead or hands it over."""
        holder = self._holder(run)
        if holder is None:
            raise self._unknown(run)
        handed_over = expect is not None and (holder.owner_id, holder.fence) == (expect.owner, expect.fence)
        if not handed_over and self._lives(holder):
            return None
        renewed = None if holder.renewed is None else holder.renewed.monotonic
        with self._db.writing() as cursor:
            seen = (holder.owner_id, holder.fence, renewed, handed_over)
            found = cursor.execute(_CLAIM, (owner.id, run, *seen)).fetchall()
            if not found:
                return None
            self._stamp(cursor, owner)
        return Lease(run, owner.id, found[0][0])

    def claim_free(self, runs: Collection[str], owner: Owner) -> list[Lease]:
        """Take those of the runs that nobody has, at once."""
        if not runs:
            return []
        with self._db.writing() as cursor:
            found = cursor.execute(_CLAIM_FREE, (owner.id, json.dumps(list(runs)))).fetchall()
            if found:
                self._stamp(cursor, owner)
        return [Lease(run, owner.id, fence) for run, fence in found]

    def release(self, lease: Lease) -> bool:
        """Let a run go without an event; False where the lease was lost before."""
        query = "UPDATE runs SET owner = NULL WHERE id = ? AND owner = ? AND fence = ? RETURNING id"
        with self._db.writing() as cursor:
            return bool(cursor.execute(query, (lease.run, lease.owner, lease.fence)).fetchall())

    def orphans(self) -> list[str]:
        """Runs that are unfinished, not paused, and whose owner is dead or missing."""
        with self._db.reading() as cursor:
            holders = [_holder(each) for each in cursor.execute(_ACTIVE).fetchall()]
        judged: dict[str | None, bool] = {}
        for holder in holders:
            if holder.owner_id not in judged:
                judged[holder.owner_id] = self._lives(holder)
        return [holder.run for holder in holders if not judged[holder.owner_id]]

    def _holder(self, run: str) -> Holder | None:
        with self._db.reading() as cursor:
            found = cursor.execute(_HOLDER, (run,)).fetchall()
        return _holder(found[0]) if found else None

    def _lives(self, holder: Holder) -> bool:
        if holder.owner is None or holder.renewed is None:
            return False
        return not self._liveness.is_dead(holder.owner, holder.renewed)

    def _unknown(self, run: str) -> NotFound:
        return refusals.no_such_run(self.url, run, ())


def idle_owners(cursor: Cursor) -> list[tuple[Owner, Stamp]]:
    """Owners that have no run, with their last renewal."""
    found = cursor.execute(_IDLE).fetchall()
    return [
        (Owner(**dict(zip(_FIELDS, fields, strict=False))), Stamp(monotonic, wall))
        for monotonic, wall, *fields in found
    ]


def _holder(columns: tuple[Any, ...]) -> Holder:
    run, fence, owner_id, monotonic, wall, *fields = columns
    if fields[0] is None:
        return Holder(run, fence, owner_id, None, None)
    owner = Owner(**dict(zip(_FIELDS, fields, strict=False)))
    return Holder(run, fence, owner_id, owner, Stamp(monotonic, wall))
