"""Artifacts in the memory of this process."""

from __future__ import annotations

import hashlib
import io
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from flownb import faults
from flownb.ids import Digest
from flownb.store.artifacts.contract import NewArtifact, check_suffix
from flownb.store.artifacts.faults import missing, reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class MemoryArtifacts:
    """Artifacts that die with the process."""

    def __init__(self) -> None:
        self._kept: Final[dict[str, bytes]] = {}
        self._times: Final[dict[str, float]] = {}

    def put(self, data: bytes | memoryview, suffix: str) -> Digest:
        """Keep `data`; writing the same twice is free."""
        check_suffix(suffix)
        digest = Digest(hashlib.sha256(data).hexdigest())
        self._times[digest] = time.time()
        if digest not in self._kept:
            self._kept[digest] = bytes(data)
            faults.reach("artifact.written")
        return digest

    def put_file(self, path: Path, suffix: str) -> Digest:
        """Keep the content of a file."""
        with reading(path) as file:
            return self.put(file.read(), suffix)

    @contextmanager
    def create(self, suffix: str) -> Iterator[NewArtifact]:
        """A file to write to; it is kept when the block ends without an error."""
        buffer = io.BytesIO()
        new = NewArtifact(buffer.write)
        yield new
        new.digest = self.put(buffer.getbuffer(), suffix)

    def open(self, digest: str) -> BinaryIO:
        """The content."""
        return io.BytesIO(self._content(digest))

    def path(self, digest: str) -> Path | None:  # noqa: ARG002  the contract's parameter
        """There are no files."""
        return None

    def digests(self) -> Iterator[str]:
        """Every digest that there is."""
        yield from list(self._kept)

    def delete(self, digest: str) -> None:
        """Forget a content."""
        self._kept.pop(digest, None)
        self._times.pop(digest, None)

    def delete_if_older(self, digest: str, moment: float) -> int:
        """Forget a content that was last put before a moment."""
        if digest not in self._kept or self._times[digest] >= moment:
            return 0
        size = len(self._kept[digest])
        self.delete(digest)
        return size

    def size(self, digest: str) -> int:
        """How many bytes the content has."""
        return len(self._content(digest))

    def written_at(self, digest: str) -> float:
        """When it was last put."""
        self._content(digest)
        return self._times[digest]

    def _content(self, digest: str) -> bytes:
        try:
            return self._kept[digest]
        except KeyError:
            raise missing(digest, "memory") from None
