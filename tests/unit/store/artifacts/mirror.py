"""What the tests of artifacts share: a codec that hides nothing, and reading at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flownb.store.artifacts.contract import ArtifactStore


class Mirror:
    """A codec that anybody can see through, but no plain text search."""

    def __init__(self, key: int = 0xA5) -> None:
        self._key = key

    def encode(self, data: bytes) -> bytes:
        return bytes([self._key]) + bytes(byte ^ self._key for byte in data)

    def decode(self, data: bytes) -> bytes:
        if data[0] != self._key:
            raise ValueError("another key")
        return bytes(byte ^ self._key for byte in data[1:])


def read(store: ArtifactStore, digest: str) -> bytes:
    with store.open(digest) as file:
        return file.read()
