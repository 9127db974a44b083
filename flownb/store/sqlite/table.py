"""What every part of the SQLite store stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model.journal import JsonCodec

if TYPE_CHECKING:
    from flownb.model.journal import EventCodec
    from flownb.store.lease import Liveness
    from flownb.store.sqlite.connections import Connections


class Table:
    """The file, the codec of its bodies, and the judge of its owners."""

    def __init__(self, url: str, db: Connections, liveness: Liveness, codec: EventCodec | None = None) -> None:
        self.url = url
        self._db = db
        self._liveness = liveness
        self._codec: EventCodec = codec or JsonCodec()
