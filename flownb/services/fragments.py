"""Pieces of secrets: whoever makes a message cuts what is long, and half a secret is still one.

Every block of six bytes of a secret, in all usual ways to write it, is known by where it comes from. A text is looked
at in blocks of six from its beginning: twelve bytes of a secret in a row have one such block in them, wherever they
lie. Around a block that is known, as much as agrees is the piece.
"""

from __future__ import annotations

from struct import iter_unpack
from typing import TYPE_CHECKING, Final

from flownb.services.spellings import written_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    Span = tuple[int, int]

_BLOCK: Final = 6
#: A block of fewer different bytes is found everywhere, as one of zeros.
_MOST_ALIKE: Final = 2
_CONTINUES, _CONTINUED = 0xC0, 0x80


class Fragments:
    """Of all secrets of a process."""

    #: So many bytes of a secret in a row are a piece of it.
    LEAST: Final = 12

    def __init__(self) -> None:
        #: Where each block comes from: a way to write a secret, and the place in it. It only ever grows.
        self._blocks: dict[bytes, tuple[tuple[bytes, int], ...]] = {}

    def add(self, value: bytes) -> None:
        """Know the pieces of a secret; one at a time."""
        blocks = self._blocks
        for written in dict.fromkeys(written_whole(value)):
            if len(written) <= self.LEAST:
                continue
            for place in range(len(written) - _BLOCK + 1):
                block = written[place : place + _BLOCK]
                if len(set(block)) > _MOST_ALIKE:
                    blocks[block] = (*blocks.get(block, ()), (written, place))

    def find(self, data: bytes, known: Sequence[Span]) -> list[Span]:
        """Where there are pieces, beside those places that are known already."""
        blocks = self._blocks
        whole = len(data) // _BLOCK * _BLOCK
        if not blocks or not whole:
            return []
        view = memoryview(data)[:whole]
        if blocks.keys().isdisjoint(block for (block,) in iter_unpack("6s", view)):
            return []
        found: list[Span] = []
        covered = [*known]
        for place, (block,) in zip(range(0, whole, _BLOCK), iter_unpack("6s", view), strict=True):
            if (sources := blocks.get(block)) is None or any(start <= place < end - _BLOCK for start, end in covered):
                continue
            start, end = max((_around(data, place, *source) for source in sources), key=_length)
            if end - start >= self.LEAST:
                covered.append((start, end))
                found.append(_of_letters(data, start, end))
        return found


def _around(data: bytes, place: int, written: bytes, at: int) -> Span:
    """How far data and secret agree around a block that they have in common."""
    start, here = place, at
    while start and here and data[start - 1] == written[here - 1]:
        start, here = start - 1, here - 1
    end, here = place + _BLOCK, at + _BLOCK
    while end < len(data) and here < len(written) and data[end] == written[here]:
        end, here = end + 1, here + 1
    return start, end


def _length(span: Span) -> int:
    return span[1] - span[0]


def _of_letters(data: bytes, start: int, end: int) -> Span:
    """The same without parts of letters at its ends."""
    while start < end and data[start] & _CONTINUES == _CONTINUED:
        start += 1
    while end > start and end < len(data) and data[end] & _CONTINUES == _CONTINUED:
        end -= 1
    return start, end
