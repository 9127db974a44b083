"""A clock that is moved by hand, and artifacts in a dict."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any, BinaryIO

from flownb.errors import NotFound
from flownb.ids import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class FakeClock:
    """Both clocks stand still until somebody moves them."""

    def __init__(self) -> None:
        self._monotonic = 500.0
        self._wall = 1_790_000_000.0

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._wall

    def pass_time(self, seconds: float) -> None:
        self._monotonic += seconds
        self._wall += seconds

    def suspend(self, seconds: float) -> None:
        """The machine sleeps, or somebody sets its clock."""
        self._wall += seconds


class FakeArtifacts:
    """Artifacts in memory, with a clock's times."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[bytes, float]] = {}

    def put(self, data: bytes | memoryview, suffix: str) -> Digest:
        digest = Digest(hashlib.sha256(data).hexdigest())
        self._kept[digest] = (bytes(data), self._clock.wall())
        return digest

    def put_file(self, path: Path, suffix: str) -> Digest:
        return self.put(path.read_bytes(), suffix)

    def create(self, suffix: str) -> Any:
        raise NotImplementedError(suffix)

    def open(self, digest: str) -> BinaryIO:
        return io.BytesIO(self._kept[digest][0])

    def path(self, digest: str) -> Path | None:
        return None

    def digests(self) -> Iterator[str]:
        yield from list(self._kept)

    def delete(self, digest: str) -> None:
        self._kept.pop(digest, None)

    def delete_if_older(self, digest: str, moment: float) -> int:
        if digest not in self._kept or self._kept[digest][1] >= moment:
            return 0
        return len(self._kept.pop(digest)[0])

    def size(self, digest: str) -> int:
        return len(self._kept[digest][0])

    def written_at(self, digest: str) -> float:
        if digest not in self._kept:
            raise NotFound(digest)
        return self._kept[digest][1]
