"""What is said where an artifact can't be read or written."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from flownb.errors import NotFound, StoreError, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


def missing(digest: str, place: str) -> NotFound:
    """There is no artifact of that digest."""
    shown = digest[:12] if _DIGEST.fullmatch(str(digest)) else repr(digest)[:80]
    return NotFound(f"There is no artifact {shown} in {place}: it was deleted, or the store was moved without it.")


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """A file whose content is to be kept.

    Raises:
        StoreError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise StoreError(f"The file {path} can't be kept: {why(error)}.", place=str(path)) from error


def why(error: OSError) -> str:
    """What the system says of an error, as the end of a sentence."""
    return (error.strerror or type(error).__name__).lower()


def write_fault(error: OSError, root: Path) -> StoreError:
    """What is raised for an error of the system while an artifact was written."""
    place = str(root)
    if error.errno in _FULL:
        return StoreFull(
            f"The disk of {place} is full: nothing was kept of this value. Free some space, then resume the run.",
            place=place,
        )
    if error.errno in _REFUSED:
        return StoreReadOnly(f"Artifacts can't be written to {place}: {why(error)}.", place=place)
    return StoreError(f"An artifact can't be written to {place}: {why(error)}.", place=place)
