"""How a node's value is stored and restored: what is accepted comes back equal, type included; the rest is transient.

The *plain form* of a value is JSON data. None, bool, int, finite float and str stand for themselves, and so do lists,
and dicts whose keys are text that doesn't begin with `$`. Everything else is a dict with one key that does:
`{"$tuple": […]}`, `{"$datetime": "…"}`, `{"$dataclass": {…}}` (see `forms/`), of which two are special:

* `{"$artifact": {"digest", "form", "size", "type", "preview"}}`: the value lies in an artifact, of the form `parquet`,
  `npy`, `png`, `json` or `bytes`; the digest names it.
* `{"$transient": {"type", "reason", "text"}}`: there is no form that restores it equal. It is known in memory only.
  `png` may be the digest of a picture of it.

Nothing is pickled, and no code of a journal's choice runs when a value is restored.
"""

from __future__ import annotations

import hashlib
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import FlownbError, StoreError
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from flownb.services.masking import Masker
    from flownb.store.artifacts.contract import ArtifactStore

#: More JSON than this goes to an artifact, in bytes.
MOST_INLINE: Final = 256 * 1024
_ATOMS: Final = frozenset({str, int, float, bool, type(None)})
_STR: Final = frozenset({str})
_SMALL: Final = 64
_SHORT: Final = 100_000
_LEAST_INT: Final = -(2**63)
_MOST_INT: Final = 2**64

_encode: Final = msgspec.json.Encoder().encode


class Stored(msgspec.Struct, frozen=True, gc=False):
    """What became of a value."""

    #: Its plain form; nobody changes it.
    plain: Any
    #: Whether it can't be restored from that.
    transient: bool
    #: The artifact that holds the whole of it, where one does.
    digest: str | None
    #: Bytes of the JSON, or of that artifact.
    size: int
    #: Bytes in artifacts, of the whole or of what is inside it; such a value can be let go of and loaded again.
    held: int = 0


def store(value: Any, artifacts: ArtifactStore) -> Stored:
    """Make the plain form of a value; what is large goes to `artifacts`.

    A value that can't be restored equal is transient, whatever its own methods do. Secrets are masked in it.

    Raises:
        StoreError: an artifact can't be written, as on a full disk.
    """
    if masking.known is not None:
        return _store_masked(value, artifacts, masking.known)
    return _store(value, artifacts)


def _store(value: Any, artifacts: ArtifactStore) -> Stored:
    plain = _simple(value)
    if plain is not None or value is None:
        try:
            size = len(_encode(plain))
        except UnicodeEncodeError:
            pass
        else:
            if size <= MOST_INLINE:
                return Stored(plain, False, None, size)
    return Stored(*_whole().store(value, artifacts, MOST_INLINE))


def _store_masked(value: Any, artifacts: ArtifactStore, masker: Masker) -> Stored:
    from flownb.services.cleaning import clean

    stored = _store(clean(value, masker), artifacts)
    plain = masker.plain(stored.plain)  # what is written about a value: its text, its preview
    return stored if plain is stored.plain else msgspec.structs.replace(stored, plain=plain)


def load(plain: Any, artifacts: ArtifactStore) -> Any:
    """The value of a plain form, made afresh each time.

    Raises:
        StoreError: it can't be restored: it was transient, its class is missing or has changed, or it is damaged.
        NotFound: its artifact is gone.
    """
    cls = type(plain)
    if cls in _ATOMS:
        return plain
    if cls is dict and len(plain) <= _SMALL and _ATOMS.issuperset(map(type, plain.values())) and _is_named(plain):
        return plain.copy()
    try:
        return _whole().load(plain, artifacts)
    except FlownbError:
        raise
    except Exception as error:
        raise StoreError(f"A stored value can't be restored: {type(error).__name__} while it was read.") from error


def is_transient(plain: Any) -> bool:
    """Whether this is the plain form of a value that is known in memory only."""
    return type(plain) is dict and len(plain) == 1 and "$transient" in plain


def artifact_of(plain: Any) -> str | None:
    """The digest of the artifact that holds the whole value; None where its plain form is all there is."""
    if type(plain) is not dict or len(plain) != 1 or type(payload := plain.get("$artifact")) is not dict:
        return None
    digest = payload.get("digest")
    return digest if type(digest) is str else None


def artifacts_in(plain: Any) -> set[str]:
    """Every digest that a plain form names, however deep: what must be kept as long as it is."""
    found: set[str] = set()
    todo = [plain]
    while todo:
        each = todo.pop()
        if type(each) is list:
            todo += each
        elif type(each) is dict:
            for tag, payload in each.items():
                if tag in ("$artifact", "$transient") and type(payload) is dict:
                    found.update(text for key in ("digest", "png") if type(text := payload.get(key)) is str)
                    made = payload.get("preview")
                    if type(made) is dict and type(text := made.get("thumbnail")) is str:
                        found.add(text)
                    todo += [payload.get("parts"), payload.get("info")]
                else:
                    todo.append(payload)
    return found


def preview(plain: Any, limit: int = 2000) -> str:
    """A value as people read it in a terminal or a report, of at most `limit` characters; nothing is loaded."""
    from flownb.store.forms.summary import text_of_plain

    return text_of_plain(plain, limit)


def lost_sentence(path: str, plain: Any) -> str:
    """What people are told where a transient result is needed and its process is gone."""
    kind = plain["$transient"].get("type") if is_transient(plain) else ""
    return f"{path} has ended, but its result ({kind or 'a value'}) was in memory only and is gone, and is needed."


def preview_of(plain: Any) -> dict[str, Any]:
    """What views show of a stored value, as data: `store/forms/preview.py` tells its shape. Nothing is loaded."""
    from flownb.store.forms.preview import preview_of as of_plain

    return of_plain(plain)


def digest_of(plain: Any) -> str | None:
    """A digest of the value itself, the same wherever it is stored; None for what is known in memory only.

    Two values have the same if they are equal, type and order included. Previews are left out. Made when asked.
    """
    if is_transient(plain):
        return None
    return hashlib.sha256(_encode(_bare(plain))).hexdigest()


def _bare(plain: Any) -> Any:
    """A plain form without what is only said about a value."""
    if type(plain) is list:
        return [_bare(each) for each in plain]
    if type(plain) is not dict:
        return plain
    if (digest := artifact_of(plain)) is not None:
        payload = plain["$artifact"]
        return {"$artifact": [digest, payload.get("form"), payload.get("type"), _bare(payload.get("info"))]}
    return {key: _bare(each) for key, each in plain.items()}


def _simple(value: Any) -> Any:
    """The plain form of a short scalar, or of a small dict or list of them; None for everything else."""
    cls = type(value)
    if cls is dict:
        return value.copy() if len(value) <= _SMALL and _are_atoms(value.values()) and _is_named(value) else None
    if cls is list:
        return value.copy() if len(value) <= _SMALL and _are_atoms(value) else None
    if cls is str:
        return value if len(value) < _SHORT else None
    if cls is int:
        return value if _LEAST_INT <= value < _MOST_INT else None
    if cls is float:
        return value if isfinite(value) else None
    return value if cls is bool else None


def _are_atoms(values: Iterable[Any]) -> bool:
    """Whether all stand for themselves in JSON."""
    for value in values:
        cls = type(value)
        if (
            cls is not str
            and not (cls is int and _LEAST_INT <= value < _MOST_INT)
            and not (cls is float and isfinite(value))
            and cls is not bool
            and value is not None
        ):
            return False
    return True


def _is_named(mapping: dict[Any, Any]) -> bool:
    """Whether all keys are text without a `$`; one with it inside takes the long way, to the same end."""
    return _STR.issuperset(map(type, mapping)) and "$" not in "".join(mapping)


@cache
def _whole() -> ModuleType:
    """What walks through values and forms; imported with the first that needs it."""
    from flownb.store.forms import whole

    return whole
