"""What every place for large values promises, and what is written to one."""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from flownb.errors import UsageError
from flownb.ids import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_SUFFIX: Final = re.compile(r"(\.[a-z0-9]{1,12})?")


class ArtifactStore(Protocol):
    """Where large values lie. All methods may be called from any thread, and raise `StoreError` or one of its kinds."""

    def put(self, data: bytes | memoryview, suffix: str) -> Digest:
        """Keep `data`; writing the same twice is free. `suffix` is for people, as `.png`."""
        ...

    def put_file(self, path: Path, suffix: str) -> Digest:
        """Keep the content of a file, of any size, without reading it into memory at once."""
        ...

    def create(self, suffix: str) -> AbstractContextManager[NewArtifact]:
        """A file to write to; it is kept, and its `digest` known, when the block ends without an error."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """The content, to be read from any place.

        Raises:
            NotFound: there is none of that digest.
        """
        ...

    def path(self, digest: str) -> Path | None:
        """A file with the content, for readers that want one; None where there is no such file."""
        ...

    def digests(self) -> Iterator[str]:
        """Every digest that there is."""
        ...

    def delete(self, digest: str) -> None:
        """Forget a content; none of that digest is no error."""
        ...

    def delete_if_older(self, digest: str, moment: float) -> int:
        """Forget a content that was last put before a moment; returns its bytes, 0 where it stays.

        Whoever puts it again meanwhile, in whatever process, has it.
        """
        ...

    def size(self, digest: str) -> int:
        """How many bytes the content has.

        Raises:
            NotFound: there is none of that digest.
        """
        ...

    def written_at(self, digest: str) -> float:
        """When it was last put, in seconds since 1970: what was put again is young again.

        Raises:
            NotFound: there is none of that digest.
        """
        ...


def is_digest(text: object) -> bool:
    """Whether this can be the name of an artifact."""
    return type(text) is str and _DIGEST.fullmatch(text) is not None


def check_suffix(suffix: str) -> None:
    """A suffix is for people, and part of a name.

    Raises:
        UsageError: it is not a short word.
    """
    if not _SUFFIX.fullmatch(suffix):
        raise UsageError(f"An artifact's suffix is a dot and letters or digits, as `.png`, not {suffix!r}.")


class NewArtifact(io.RawIOBase):
    """A file that is being written; counts and hashes what goes through it."""

    def __init__(self, sink: Callable[[memoryview], Any]) -> None:
        self._sink: Final = sink
        self._hash: Final = hashlib.sha256()
        self._length = 0
        #: Known when the block of `create` has ended.
        self.digest = Digest("")

    def writable(self) -> bool:
        """It can only be written."""
        return True

    def write(self, data: Any, /) -> int:
        """Take all of `data`.

        Raises:
            StoreError: the disk is full, or the like.
        """
        view = memoryview(data).cast("B")
        self._hash.update(view)
        self._sink(view)
        self._length += len(view)
        return len(view)

    def tell(self) -> int:
        """How much was written."""
        return self._length

    def name(self) -> Digest:
        """The digest of what was written so far."""
        return Digest(self._hash.hexdigest())
