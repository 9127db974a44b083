"""What every part of the SQLite store stands on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flownb.model.journal import JsonCodec

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.model.journal import EventCodec
    from flownb.store.artifacts.contract import ArtifactStore
    from flownb.store.keys import Keys
    from flownb.store.lease import Liveness
    from flownb.store.sqlite.connections import Connections


class Table:
    """The file, the codec of its bodies, the judge of its owners, and what lies beside it."""

    def __init__(
        self,
        db: Connections,
        *,
        liveness: Liveness,
        codec: EventCodec | None = None,
        artifacts: ArtifactStore | None = None,
    ) -> None:
        self.url = db.url
        self._db = db
        self._liveness = liveness
        self._codec: EventCodec = codec or JsonCodec()
        self._given_artifacts = artifacts
        #: The last event of runs that were written here; a hint that saves a search, never the truth.
        self._last: dict[str, int] = {}

    @functools.cached_property
    def artifacts(self) -> ArtifactStore:
        """Where large values lie: in a directory beside the file, unless another place was given."""
        if self._given_artifacts is not None:
            return self._given_artifacts
        from flownb.store.artifacts.files import FileArtifacts

        return FileArtifacts(artifacts_beside(self._db.path))

    @property
    def codec(self) -> EventCodec:
        """How bodies are written and read."""
        return self._codec

    @functools.cached_property
    def keys(self) -> Keys:
        """What seals the audit log: `keys` in a `.flownb`, else a file named after the store's."""
        from flownb.store.keys import Keys

        return Keys(keys_beside(self._db.path))


def keys_beside(path: Path) -> Path:
    """The file of a store's keys."""
    return path.parent / "keys" if path.parent.name == ".flownb" else path.with_suffix(".keys")


def artifacts_beside(path: Path) -> Path:
    """The directory of a file's artifacts: `artifacts` in a `.flownb`, else one named after the file."""
    return path.parent / "artifacts" if path.parent.name == ".flownb" else path.with_suffix(".artifacts")
