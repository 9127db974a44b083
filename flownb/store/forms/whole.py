"""A whole value: walked through, checked, and where it is large put away; or transient, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import FlownbError, StoreError
from flownb.store.forms.decoder import Decoder
from flownb.store.forms.encoder import Encoder
from flownb.store.forms.refused import Refused, text_of, type_name
from flownb.store.forms.same import difference
from flownb.store.forms.summary import text_of_plain

if TYPE_CHECKING:
    from flownb.store.artifacts import ArtifactStore

    #: Plain form, whether it is transient, digest, size.
    Parts = tuple[Any, bool, str | None, int]

_SHOWN: Final = 500
_encode: Final = msgspec.json.Encoder().encode


def store(value: Any, artifacts: ArtifactStore, most_inline: int) -> Parts:
    """The plain form of any value; JSON of more than `most_inline` bytes becomes an artifact.

    Raises:
        StoreError: an artifact can't be written.
    """
    try:
        try:
            return _attempt(value, Encoder(artifacts), most_inline)
        except UnicodeEncodeError:  # somewhere is text that is no Unicode
            return _attempt(value, Encoder(artifacts, careful=True), most_inline)
    except StoreError:
        raise
    except Refused as error:
        refused = error
    except Exception as error:  # noqa: BLE001  whatever a strange value does, the run goes on
        refused = Refused(f"raised {type(error).__name__} when it was looked at: {text_of(error)}")
    return _transient(value, refused)


def load(plain: Any, artifacts: ArtifactStore) -> Any:
    """The value of any plain form.

    Raises:
        StoreError: it can't be restored.
        NotFound: its artifact is gone.
    """
    return Decoder(artifacts).decode(plain)


def _attempt(value: Any, encoder: Encoder, most_inline: int) -> Parts:
    plain = encoder.encode(value)
    data = _encode(plain)
    if encoder.doubtful:
        _check(value, plain, encoder)
    reference = plain.get("$artifact") if type(plain) is dict else None
    if reference is not None:
        return plain, False, reference["digest"], reference["size"]
    if len(data) <= most_inline:
        return plain, False, None, len(data)
    return _as_file(value, plain, data, encoder)


def _check(value: Any, plain: Any, encoder: Encoder) -> None:
    """Restore what needs a class of the user's, and compare."""
    try:
        found = difference(value, encoder.decoder().decode(plain))
    except FlownbError as error:
        raise Refused(f"does not come back ({error})") from error
    if found is not None:
        raise Refused("does not come back equal").under(found)


def _as_file(value: Any, plain: Any, data: bytes, encoder: Encoder) -> Parts:
    """The plain form itself as an artifact; the artifacts that it names are named again beside it, under `parts`."""
    reference: dict[str, Any] = {
        "digest": encoder.artifacts.put(data, ".json"),
        "form": "json",
        "size": len(data),
        "type": type_name(type(value)),
        "preview": {"text": text_of_plain(plain, _SHOWN)},
    }
    if type(value) in (list, tuple, dict, set, frozenset):
        reference["preview"]["length"] = len(value)
    if encoder.parts:
        reference["parts"] = [{"$artifact": {"digest": part}} for part in encoder.parts]
    return {"$artifact": reference}, False, reference["digest"], len(data)


def _transient(value: Any, refused: Refused) -> Parts:
    note = {"type": type_name(type(value)), "reason": refused.sentence(), "text": text_of(value)}
    if refused.png is not None:
        note["png"] = refused.png
    plain = {"$transient": note}
    return plain, True, None, len(_encode(plain))
