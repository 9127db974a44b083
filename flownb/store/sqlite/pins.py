"""Definitions and programs that runs are pinned to, kept by digest."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from flownb.model.fingerprint import digest_of
from flownb.store.contract import Program
from flownb.store.sqlite import meaning
from flownb.store.sqlite.table import Table

_PUT_DEFINITION: Final = """
INSERT INTO definitions (digest, document, put_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET put_at = excluded.put_at
"""
_PUT_PROGRAM: Final = """
INSERT INTO programs (digest, body, put_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET put_at = excluded.put_at
"""
#: `collect` spares what was put within the last hour; what is put again and again is written down anew after this.
_FRESH_SECONDS: Final = 600.0


class Pins(Table):
    """What runs are started again from."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        #: When this process last put which digest.
        self._put_at: dict[str, float] = {}

    def put_definition(self, digest: str, document: str) -> None:
        """Keep a definition by its hash; free where it is there."""
        self._put(_PUT_DEFINITION, digest, document)

    def definition(self, digest: str) -> str | None:
        """The JSON document of a definition."""
        with self._db.reading() as cursor:
            found = cursor.execute("SELECT document FROM definitions WHERE digest = ?", (digest,)).fetchall()
        return str(found[0][0]) if found else None

    def put_program(self, program: Program) -> str:
        """Keep a program; returns its digest."""
        digest = digest_of(program)
        self._put(_PUT_PROGRAM, digest, msgspec.json.encode(program))
        return digest

    def program(self, digest: str) -> Program | None:
        """The program again."""
        with self._db.reading() as cursor:
            found = cursor.execute("SELECT body FROM programs WHERE digest = ?", (digest,)).fetchall()
        if not found:
            return None
        try:
            return msgspec.json.decode(found[0][0], type=Program)
        except msgspec.MsgspecError as error:
            raise meaning.corrupt(self.url, f"the program {digest} can't be read: {error}") from error

    def _put(self, query: str, digest: str, kept: str | bytes) -> None:
        now = self._liveness.clock.wall()
        if abs(now - self._put_at.get(digest, 0.0)) < _FRESH_SECONDS:
            return
        with self._db.writing() as cursor:
            cursor.execute(query, (digest, kept, now))
        self._put_at[digest] = now
