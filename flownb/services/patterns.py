"""Finding secrets in bytes: one automaton for many spellings, and what a text that goes on might still become."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from flownb.services.spellings import SHORT, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flownb.services.spellings import Spelling

    Span = tuple[int, int]

#: Bytes that the automaton may take; it is built as far as texts need it.
_MOST_MEMORY: Final = 1 << 27
#: A spelling is looked for by so many of its first bytes.
_HEAD: Final = 3
#: Places whose secrets are named.
_MOST_NAMED: Final = 20
#: More of a text is never held back.
_MOST_HELD: Final = 65_536


class Pattern:
    """A few secrets, by name, each at least four bytes long."""

    def __init__(self, secrets: Sequence[tuple[str, bytes]]) -> None:
        self._values = [(name, value) for name, value in secrets if len(value) >= SHORT]
        self._short = [(name, value) for name, value in secrets if len(value) < SHORT]

    def find(self, data: bytes, *, words: bool) -> list[Span]:
        """Where they are; two places may overlap.

        Args:
            data: where to look.
            words: short secrets are found as whole words; else only where they are all there is.
        """
        found: list[Span] = []
        if self._values:
            search, place = self._automaton.search, 0
            while (match := search(data, place)) is not None:
                start, end = match.span()
                found.append((start, end))
                place = start + 1  # another may begin inside
        if self._short and words:
            found += [match.span() for match in self._words.finditer(data)]
        elif self._short and any(data == value for _, value in self._short):
            found.append((0, len(data)))
        return found

    def names(self, data: bytes) -> set[str]:
        """Whose values are in it."""
        named = {name for name, value in self._short if _word(value).search(data)} if self._short else set[str]()
        for start, end in self.find(data, words=False)[:_MOST_NAMED]:
            piece = data[start:end]
            named |= {name for name, spelling in self._long if _walk(spelling, piece, 0) == len(piece)}
        return named

    @cached_property
    def _long(self) -> list[tuple[str, Spelling]]:
        return [(name, each) for name, value in self._values for each in spellings(value)]

    @cached_property
    def _automaton(self) -> Any:
        import re2  # 20 ms, and only processes that use secrets need it

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they mean
        options.longest_match = True
        options.max_mem = _MOST_MEMORY
        options.log_errors = False
        texts = dict.fromkeys(_regular(spelling) for _, spelling in self._long)
        return re2.compile(b"|".join(texts), options)

    @cached_property
    def _words(self) -> re.Pattern[bytes]:
        return re.compile(b"|".join(_word(value).pattern for _, value in self._short))

    # --- what goes on -------------------------------------------------------------------------------------------------

    def held(self, data: bytes) -> int:
        """From where on the end of `data` might be the beginning of a secret; its length, where it is not."""
        heads, ends = self._heads
        size = len(data)
        for place in range(max(0, size - self._longest), size):
            head = data[place : place + _HEAD]
            if len(head) < _HEAD:
                if head in ends:
                    return place
                continue
            if any(_walk(spelling, data, place) == _OPEN for spelling in heads.get(head, ())):
                return place
        return size

    @cached_property
    def _longest(self) -> int:
        spelled = [spelling for _, spelling in self._long] + [((value,),) for _, value in self._short]
        return min(_MOST_HELD, max(sum(max(map(len, unit)) for unit in each) for each in spelled))

    @cached_property
    def _heads(self) -> tuple[dict[bytes, list[Spelling]], set[bytes]]:
        heads: dict[bytes, list[Spelling]] = {}
        ends: set[bytes] = set()
        spelled = [spelling for _, spelling in self._long] + [((value,),) for _, value in self._short]
        for spelling in dict.fromkeys(spelled):
            for head in _beginnings(spelling):
                heads.setdefault(head, []).append(spelling)
                ends.update(head[:length] for length in range(1, _HEAD))
        return heads, ends


_OPEN: Final = -1
_FAILED: Final = -2


def _walk(spelling: Spelling, data: bytes, place: int) -> int:
    """Where the longest writing of a spelling that begins at a place ends; `_OPEN` where the data ends before it."""
    places = {place}
    for unit in spelling:
        reached: set[int] = set()
        for each in places:
            for way in unit:
                if data.startswith(way, each):
                    reached.add(each + len(way))
                elif len(data) - each < len(way) and way.startswith(data[each:]):
                    return _OPEN
        if not reached:
            return _FAILED
        places = reached
    return max(places)


def _beginnings(spelling: Spelling) -> set[bytes]:
    """The first bytes of every writing."""
    done: set[bytes] = set()
    made = {b""}
    for unit in spelling:
        made = {(before + way)[:_HEAD] for before in made for way in unit}
        done |= {each for each in made if len(each) == _HEAD}
        made = {each for each in made if len(each) < _HEAD}
        if not made:
            break
    return done


def _regular(spelling: Spelling) -> bytes:
    return b"".join(_group(unit) for unit in spelling)


def _group(unit: Iterable[bytes]) -> bytes:
    ways = [_escaped(way) for way in unit]
    return ways[0] if len(ways) == 1 else b"(?:" + b"|".join(ways) + b")"


def _escaped(way: bytes) -> bytes:
    return b"".join(bytes([each]) if each in _WORD else b"\\x%02x" % each for each in way)


_WORD: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


def _word(value: bytes) -> re.Pattern[bytes]:
    """A short value where it is a whole word."""
    return re.compile(rb"(?<![0-9A-Za-z_])" + re.escape(value) + rb"(?![0-9A-Za-z_])")
