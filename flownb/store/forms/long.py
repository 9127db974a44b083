"""Plain data that is too long for the journal, written to its artifact piece by piece.

Neither the whole plain form nor the whole JSON is ever in memory beside the value: a list is taken some items at a
time, so is a table, and what lies a few levels inside one is looked at in the same way. What comes out is byte for
byte the JSON of the whole plain form.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import FlownbError
from flownb.store.forms.refused import Refused, step
from flownb.store.forms.same import difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.store.artifacts.contract import NewArtifact
    from flownb.store.forms.encoder import Encoder

_encode: Final = msgspec.json.Encoder().encode
#: About how many bytes of JSON are made at once.
_PIECE: Final = 1024 * 1024
#: How many items the first piece of a container has; later ones are made longer or shorter, by what came of it.
_FIRST: Final = 64
#: Containers of up to so many items are looked into, as many levels deep; all others are taken in pieces.
_FEW: Final = 16
_DEEP: Final = 4


def write(encoder: Encoder, value: Any, file: NewArtifact) -> None:
    """Write the JSON of a value's plain form.

    Raises:
        Refused: it has none, or one that doesn't come back equal.
        StoreError: the artifact can't be written.
    """
    for data in _pieces(encoder, value, _DEEP):
        file.write(data)


def _pieces(encoder: Encoder, value: Any, depth: int) -> Iterator[bytes]:
    cls = type(value)
    if depth and cls in (list, tuple):
        with encoder.inside(value):
            yield b'{"$tuple":[' if cls is tuple else b"["
            yield from _items(encoder, value, depth)
            yield b"]}" if cls is tuple else b"]"
    elif depth and cls is dict and encoder.is_table(value):
        with encoder.inside(value):
            yield b"{"
            yield from _fields(encoder, value, depth)
            yield b"}"
    else:
        yield _encode(_checked(encoder, value, encoder.encode(value)))


def _items(encoder: Encoder, values: list[Any] | tuple[Any, ...], depth: int) -> Iterator[bytes]:
    if len(values) <= _FEW:
        for place, each in enumerate(values):
            if place:
                yield b","
            try:
                yield from _pieces(encoder, each, depth - 1)
            except Refused as refused:
                raise refused.under(f"[{place}]") from None
        return
    start, count = 0, _FIRST
    while start < len(values):
        some = list(values[start : start + count])
        plain = _checked(encoder, some, encoder.items(some, start), start)
        data = _encode(plain)
        yield (b"," if start else b"") + data[1:-1]
        start += len(some)
        count = _next(count, len(data))


def _fields(encoder: Encoder, table: dict[str, Any], depth: int) -> Iterator[bytes]:
    if len(table) <= _FEW:
        for place, (key, each) in enumerate(table.items()):
            yield (b"," if place else b"") + _encode(key) + b":"
            try:
                yield from _pieces(encoder, each, depth - 1)
            except Refused as refused:
                raise refused.under(step(key)) from None
        return
    rest, count = iter(table.items()), _FIRST
    begun = False
    while some := dict(islice(rest, count)):
        plain = _checked(encoder, some, encoder.fields(some))
        data = _encode(plain)
        yield (b"," if begun else b"") + data[1:-1]
        begun = True
        count = _next(count, len(data))


def _next(count: int, size: int) -> int:
    if size < _PIECE // 2:
        return count * 2
    return max(1, count // 2) if size > 2 * _PIECE else count


def _checked(encoder: Encoder, value: Any, plain: Any, first: int = 0) -> Any:
    """The plain form of a part, once what needs a class of the user's was restored and compared."""
    if encoder.doubtful:
        encoder.doubtful = False
        check(encoder, value, plain, first)
    return plain


def check(encoder: Encoder, value: Any, plain: Any, first: int = 0) -> None:
    """Restore a plain form, and compare; `first` is what the first item of a list counts as.

    Raises:
        Refused: it does not come back equal.
    """
    try:
        found = difference(value, encoder.decoder().decode(plain))
    except FlownbError as error:
        raise Refused(f"does not come back ({error})") from error
    if found is None:
        return
    if first and found.startswith("["):
        number, _, rest = found[1:].partition("]")
        found = f"[{int(number) + first}]{rest}"
    raise Refused("does not come back equal").under(found)
