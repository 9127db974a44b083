"""The walk over a plain form that makes the value again. What it reads may be hostile, and runs no code."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import FlownbError
from flownb.store.artifacts.contract import is_digest
from flownb.store.artifacts.sealed import CHUNK
from flownb.store.forms import arrays, classes, containers, frames, images, pandas_scalars, scalars, times
from flownb.store.forms.refused import broken, expect, fields, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.errors import StoreError
    from flownb.store.artifacts.contract import ArtifactStore

    Restore = Callable[["Decoder", Any], Any]

#: Deeper than what is stored, so that everything that was stored is read.
_MOST_DEPTH: Final = 150
_ATOMS: Final = frozenset({type(None), bool, int, float, str})

_TAGS: Final[dict[str, Restore]] = (
    scalars.TAGS | times.TAGS | containers.TAGS | classes.TAGS | arrays.TAGS | pandas_scalars.TAGS
)
#: How the value of an artifact is read, by its form: decoder, digest, what the reference says.
_FORMS: Final[dict[str, Callable[[Decoder, str, dict[str, Any]], Any]]] = {}


class Decoder:
    """Restores plain forms; one for each value.

    `originals` gives the values of artifacts that are at hand, by the id of their plain form: they are taken as they
    are, so that checking what was just stored doesn't read it a second time.
    """

    def __init__(self, artifacts: ArtifactStore, originals: dict[int, tuple[Any, Any]] | None = None) -> None:
        self.artifacts: Final = artifacts
        self._originals: Final = originals or {}
        self._depth = 0

    def decode(self, plain: Any) -> Any:
        """The value of a plain form.

        Raises:
            StoreError: it can't be restored.
            NotFound: an artifact is gone.
        """
        cls = type(plain)
        if cls in _ATOMS:
            return plain
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise broken("it is nested too deep")
        try:
            if cls is list:
                return self.items(plain)
            if cls is dict:
                return self._dict(plain)
        finally:
            self._depth -= 1
        raise broken(f"it holds a {cls.__name__}, which is no JSON data")

    def items(self, plain: list[Any]) -> list[Any]:
        """The values of the items of a list."""
        decode = self.decode
        return [each if type(each) in _ATOMS else decode(each) for each in plain]

    def items_of(self, payload: Any, tag: str, count: int, kind: type) -> list[Any]:
        """The values of a list of exactly so many items, all exactly of one type.

        Raises:
            StoreError: it is none.
        """
        values = self.items(expect(payload, list, tag))
        if len(values) != count:
            raise broken(f"{tag} holds {len(values)} items where {count} are expected")
        return [expect(value, kind, tag) for value in values]

    def exactly(self, plain: Any, kind: type, tag: str) -> Any:
        """The value of a plain form, if it is exactly of that type.

        Raises:
            StoreError: it is not.
        """
        return expect(self.decode(plain), kind, tag)

    def pairs(self, payload: Any, tag: str) -> list[tuple[Any, Any]]:
        """Keys and values from a list of pairs."""
        pairs = []
        for pair in expect(payload, list, tag):
            if type(pair) is not list or len(pair) != 2:  # noqa: PLR2004  a key and a value
                raise broken(f"{tag} holds something else than pairs")
            pairs.append((self.decode(pair[0]), self.decode(pair[1])))
        return pairs

    def named(self, payload: Any, tag: str) -> dict[str, Any]:
        """Attributes by name."""
        state: dict[str, Any] = expect(payload, dict, tag)
        return {expect(name, str, tag): self.decode(each) for name, each in state.items()}

    def read(self, digest: str) -> bytes:
        """The whole content of an artifact, which must be what its name says."""
        with self.artifacts.open(digest) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != digest:
            raise _damaged(digest)
        return data

    def check(self, digest: str) -> None:
        """Compare the content of an artifact with its name, piece by piece.

        Raises:
            StoreError: it is another content.
        """
        found = hashlib.sha256()
        with self.artifacts.open(digest) as file:
            while piece := file.read(CHUNK):
                found.update(piece)
        if found.hexdigest() != digest:
            raise _damaged(digest)

    def _dict(self, plain: dict[Any, Any]) -> Any:
        if len(plain) == 1:
            (tag,) = plain
            if type(tag) is str and tag.startswith("$"):
                return self._tagged(tag, plain)
        decode = self.decode
        value = {}
        for key, each in plain.items():
            if type(key) is not str or key.startswith("$"):
                raise broken(f"it holds the key {shorten(repr(key), 40)} where a name is expected")
            value[key] = each if type(each) in _ATOMS else decode(each)
        return value

    def _tagged(self, tag: str, plain: dict[str, Any]) -> Any:
        payload = plain[tag]
        if tag == "$artifact":
            return self._artifact(plain, payload)
        if tag == "$transient":
            kind = payload.get("type") if type(payload) is dict else None
            raise broken(f"it was kept in memory only, because a {kind or 'value'} has no stored form")
        restore = _TAGS.get(tag)
        if restore is None:
            raise broken(f"{shorten(tag, 40)} is no form that this version knows")
        try:
            return restore(self, payload)
        except FlownbError:
            raise
        except Exception as error:
            raise broken(f"{tag} can't be read ({type(error).__name__}: {shorten(str(error))})") from error

    def _artifact(self, plain: dict[str, Any], payload: Any) -> Any:
        if (original := self._originals.get(id(plain))) is not None:
            return original[0]
        digest, form = fields(payload, "$artifact", "digest", "form")
        if not is_digest(digest):
            raise broken(f"{shorten(repr(digest), 40)} is no digest of an artifact")
        read = _FORMS.get(form) if type(form) is str else None
        if read is None:
            raise broken(f"{shorten(repr(form), 40)} is no form of an artifact that this version knows")
        size = self.artifacts.size(digest)
        if size != payload.get("size"):
            raise broken(f"artifact {digest[:12]} has {size:,} bytes where {payload.get('size')!r} are expected")
        try:
            return read(self, digest, payload)
        except FlownbError:
            raise
        except Exception as error:
            what = f"artifact {digest[:12]} can't be read as {form} ({type(error).__name__}: {shorten(str(error))})"
            raise broken(what) from error


def _damaged(digest: str) -> StoreError:
    return broken(f"the content of artifact {digest[:12]} is damaged")


def _json(decoder: Decoder, digest: str, _: dict[str, Any]) -> Any:
    return decoder.decode(msgspec.json.decode(decoder.read(digest)))


def _bytes(decoder: Decoder, digest: str, payload: dict[str, Any]) -> Any:
    return scalars.from_file(payload.get("type"), decoder.read(digest))


_FORMS.update(json=_json, bytes=_bytes, npy=arrays.from_file, parquet=frames.from_file, png=images.from_file)
