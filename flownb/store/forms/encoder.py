"""The walk over a value that makes its plain form, part by part."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import StoreError
from flownb.store.forms import arrays, classes, containers, frames, images, pandas_scalars, scalars, times
from flownb.store.forms.decoder import Decoder
from flownb.store.forms.reasons import why_not
from flownb.store.forms.refused import Refused, step, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flownb.ids import Digest
    from flownb.store.artifacts.contract import ArtifactStore

    Form = Callable[["Encoder", Any], Any]

#: How deep containers may lie in one another.
MOST_DEPTH: Final = 100
#: About how many bytes of JSON one value may become.
MOST_BYTES: Final = 1_000_000_000
#: How many artifacts one value may hold.
MOST_PARTS: Final = 2_000
#: How often containers may be met that were met before.
MOST_AGAIN: Final = 500_000
_CIRCLE: Final = "holds itself: a circle has no plain form"
#: From so many containers on it is counted.
_MANY: Final = 100_000
_MOST_INT: Final = 2**64
_LEAST_INT: Final = -(2**63)
#: From this length on it pays to look at the types of a list as a whole.
_LONG: Final = 16

#: What holds nothing else, by exact type.
_LEAVES: Final[dict[type, Form]] = scalars.FORMS | times.FORMS
#: What holds other values, by exact type.
_CONTAINERS: Final[dict[type, Form]] = containers.FORMS
#: Who knows the types of a package; asked only where the value's type comes from there.
_PACKAGES: Final[dict[str, tuple[Callable[[Encoder, Any, type], Any], ...]]] = {}


class Long(Exception):
    """The plain form of a value grows too long to be made at once."""


class Encoder:
    """Makes plain forms; one for each value.

    `inline` keeps everything in the JSON, as the cells of a frame need it; `careful` looks for text that is no Unicode;
    from about `most` bytes of JSON on, `Long` is raised.
    """

    __slots__ = (
        "_again",
        "_made",
        "_open",
        "_seen",
        "_visits",
        "_weight",
        "artifacts",
        "careful",
        "doubtful",
        "inline",
        "most",
        "originals",
        "parts",
    )

    def __init__(
        self, artifacts: ArtifactStore, *, careful: bool = False, inline: bool = False, most: int | None = None
    ) -> None:
        self.artifacts: Final = artifacts
        self.most = MOST_BYTES if most is None else most
        self.careful: Final = careful
        self.inline: Final = inline
        #: Whether there is something that only loading it shows to come back equal.
        self.doubtful = False
        #: The digests of all artifacts so far, in order, each once, with their sizes.
        self.parts: Final[dict[str, int]] = {}
        #: What an artifact was made of, by the id of its plain form; both are kept alive here.
        self.originals: Final[dict[int, tuple[Any, Any]]] = {}
        self._made: Final[dict[int, tuple[Any, Any]]] = {}
        self._open: Final[set[int]] = set()
        self._weight = self._visits = self._again = 0
        self._seen: Final[set[int]] = set()

    def begin_again(self) -> None:
        """After a `Long`: as a new encoder without `most`, but for the artifacts that are made already."""
        self.most, self.doubtful = MOST_BYTES, False
        self._open.clear()
        self._seen.clear()
        self._weight = self._visits = self._again = 0

    def encode(self, value: Any) -> Any:
        """The plain form of a value.

        Raises:
            Refused: it has none.
            StoreError: an artifact can't be written.
        """
        cls = type(value)
        if cls is str:
            return self._text(value)
        if cls is int:
            return value if _LEAST_INT <= value < _MOST_INT else scalars.large(value)
        if cls is float:
            return value if isfinite(value) else scalars.infinite(value)
        if cls is bool or value is None:
            return value
        leaf = _LEAVES.get(cls)
        return leaf(self, value) if leaf is not None else self._nested(value, cls)

    def items(self, values: Sequence[Any], first: int = 0) -> list[Any]:
        """The plain forms of the items of a list, or of some of them, from number `first` on."""
        if len(values) >= _LONG and (plain := self._alike(values)) is not None:
            return plain
        self.weigh(len(values))
        plain = []
        try:
            for value in values:
                plain.append(self.encode(value))
        except Refused as refused:
            raise refused.under(f"[{first + len(plain)}]") from None
        return plain

    def pairs(self, items: Iterable[tuple[Any, Any]]) -> list[Any]:
        """The plain forms of keys and values, as a list of pairs."""
        plain: list[Any] = []
        for key, value in items:
            try:
                name = self.encode(key)
            except Refused as refused:
                raise refused.under(f" (key {len(plain)})") from None
            try:
                plain.append([name, self.encode(value)])
            except Refused as refused:
                raise refused.under(step(key)) from None
        self.weigh(2 * len(plain))
        return plain

    def is_table(self, value: dict[Any, Any]) -> bool:
        """Whether a dict stands for itself in JSON, as far as its keys go."""
        return all(
            type(key) is str and not key.startswith("$") and (not self.careful or key.isascii()) for key in value
        )

    def fields(self, table: dict[str, Any]) -> dict[str, Any]:
        """The plain forms of what a table holds, or a part of it."""
        plain = {}
        encode = self.encode
        key = ""
        try:
            for key, each in table.items():
                plain[key] = encode(each)
        except Refused as refused:
            raise refused.under(step(key)) from None
        self.weigh(sum(map(len, plain)))
        return plain

    @contextmanager
    def inside(self, value: Any) -> Iterator[None]:
        """Walk through a container apart from `encode`; a circle is noticed all the same."""
        key = id(value)
        if key in self._open:
            raise Refused(_CIRCLE)
        self._open.add(key)
        try:
            yield
        finally:
            self._open.discard(key)

    def named(self, state: dict[str, Any]) -> dict[str, Any]:
        """The plain forms of attributes by name; no name begins with `$`."""
        plain = {}
        for name, value in state.items():
            try:
                plain[name] = self.encode(value)
            except Refused as refused:
                raise refused.under(f".{name}") from None
        self.weigh(sum(map(len, plain)))
        return plain

    def weigh(self, size: int) -> None:
        """Count `size` bytes; the same object counts each time that it is met."""
        self._weight += size
        if self._weight > self.most:
            if self.most < MOST_BYTES:
                raise Long
            raise Refused("is more than 1 GB of plain data: return a DataFrame, an array, or the path of a file")

    def artifact(self, value: Any, digest: Digest, form: str, **details: Any) -> dict[str, Any]:
        """The plain form of what went to an artifact; `details` go in as they are."""
        size = self.artifacts.size(digest)
        plain = {"$artifact": {"digest": digest, "form": form, "size": size, **details}}
        self.parts[digest] = size
        if len(self.parts) > MOST_PARTS:
            raise Refused(f"holds more than {MOST_PARTS:,} frames, arrays and files: join them, or return their paths")
        self.originals[id(plain)] = self._made[id(value)] = (value, plain)
        return plain

    def made(self, value: Any) -> Any:
        """The plain form of this very object, if it went to an artifact before; else None."""
        known = self._made.get(id(value))
        return None if known is None else known[1]

    def cells(self) -> Encoder:
        """An encoder for values that must stay whole, as the cells of a frame."""
        return Encoder(self.artifacts, careful=True, inline=True)

    def decoder(self) -> Decoder:
        """What restores the forms that this encoder made."""
        return Decoder(self.artifacts, self.originals)

    def _text(self, value: str) -> Any:
        size = len(value)
        if size > scalars.MOST_TEXT or (self.careful and not value.isascii()):
            return scalars.long_text(self, value)
        self._weight += size
        if self._weight > self.most:
            self.weigh(0)
        return value

    def _alike(self, values: Sequence[Any]) -> list[Any] | None:
        kinds = set(map(type, values))
        if len(kinds) != 1:
            return None
        (kind,) = kinds
        if kind is int:
            plain = min(values) >= _LEAST_INT and max(values) < _MOST_INT
        elif kind is float:
            plain = all(map(isfinite, values))
        elif kind is str:
            plain = not self.careful and max(map(len, values)) <= scalars.MOST_TEXT
        else:
            plain = kind is bool
        if not plain:
            return None
        self.weigh(sum(map(len, values)) if kind is str else 4 * len(values))
        return list(values)

    def _nested(self, value: Any, cls: type) -> Any:
        """The plain form of what may hold other values, or itself."""
        key = id(value)
        if key in self._made:
            return self._made[key][1]
        if key in self._open:
            raise Refused(_CIRCLE)
        if len(self._open) >= MOST_DEPTH:
            raise Refused(f"is nested more than {MOST_DEPTH} levels deep")
        self._visits += 1
        if self._visits > _MANY:
            self._count_again(key)
        self._open.add(key)
        try:
            form = _CONTAINERS.get(cls)
            return form(self, value) if form is not None else self._other(value, cls)
        finally:
            self._open.discard(key)

    def _count_again(self, key: int) -> None:
        """Notice what is small in memory and endless in JSON: few containers that hold each other many times."""
        if key in self._seen:
            self._again += 1
            if self._again > MOST_AGAIN:
                raise Refused("holds the same few objects hundreds of thousands of times")
        elif len(self._seen) < _MANY:
            self._seen.add(key)

    def _other(self, value: Any, cls: type) -> Any:
        """The plain form of a value whose type has to be looked at."""
        try:
            package = cls.__module__.partition(".")[0]
            for ask in _PACKAGES.get(package, ()) if package in sys.modules else ():
                if (plain := ask(self, value, cls)) is not NotImplemented:
                    return plain
            if (plain := classes.encode(self, value, cls)) is not NotImplemented:
                return plain
            reason = why_not(cls)
        except (Refused, Long, StoreError, UnicodeEncodeError):
            raise
        except Exception as error:  # a strange object's own code may raise anything
            raise Refused(f"raised {type(error).__name__} when it was looked at: {text_of(error)}") from error
        raise Refused(reason)


_PACKAGES.update(
    numpy=(arrays.encode,),
    pandas=(frames.encode, pandas_scalars.encode),
    PIL=(images.encode,),
    matplotlib=(images.encode_figure,),
)
