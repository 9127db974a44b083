"""Commands that one process leaves for the owner of a run in another."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model import commands
from flownb.store.contract import Inbox
from flownb.store.sqlite.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.model.commands import Command

_log = logging.getLogger(__name__)

#: Needs the run, the time and the command.
SEND: Final = """
INSERT INTO commands (run_id, sent_at, body) SELECT id, ?2, ?3 FROM runs WHERE id = ?1 RETURNING id
"""
_WAITING: Final = "SELECT EXISTS (SELECT 1 FROM commands)"
_TAKE: Final = """
DELETE FROM commands WHERE run_id IN (SELECT value FROM json_each(?)) RETURNING id, run_id, body
"""


class Commands(Leases):
    """The inbox of runs."""

    def send(self, run: str, command: Command) -> None:
        """Leave a command for whoever owns the run."""
        body = commands.encode(command)
        with self._db.writing() as cursor:
            if not cursor.execute(SEND, (run, self._liveness.clock.wall(), body)).fetchall():
                raise self._unknown(run)

    def receive(self, runs: Iterable[str]) -> list[Inbox]:
        """Take the commands that were left for these runs, oldest first; each is handed out once."""
        wanted = list(runs)
        with self._db.reading() as cursor:  # this is asked ten times a second, and there is nearly never one
            if not wanted or not cursor.execute(_WAITING).fetchall()[0][0]:
                return []
        with self._db.writing() as cursor:
            taken = sorted(cursor.execute(_TAKE, (json.dumps(wanted),)).fetchall())
        return [message for each in taken if (message := _read(*each)) is not None]

    def waiting(self) -> set[str]:
        """The runs for which commands were left; as cheap as there are few."""
        with self._db.reading() as cursor:
            return {run for (run,) in cursor.execute("SELECT DISTINCT run_id FROM commands").fetchall()}

    def version(self) -> int:
        """A number that changes when another connection has written; cheap enough to ask ten times a second."""
        return self._db.version()


def _read(number: int, run: str, body: Any) -> Inbox | None:
    try:
        return Inbox(number, run, commands.decode(body))
    except msgspec.MsgspecError as error:
        _log.warning("Command %d for run %s can't be read and was dropped: %s", number, run, error)
        return None
