"""A whole value: walked through, checked, and where it is large put away; or transient, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import StoreError
from flownb.store.forms import long
from flownb.store.forms.decoder import Decoder
from flownb.store.forms.encoder import Encoder, Long
from flownb.store.forms.preview import of_items
from flownb.store.forms.refused import Refused, text_of, type_name

if TYPE_CHECKING:
    from flownb.store.artifacts.contract import ArtifactStore

    #: Plain form, whether it is transient, digest, size, bytes in artifacts.
    Parts = tuple[Any, bool, str | None, int, int]

#: About how many bytes of JSON are made in memory at most; what is longer is made again, and written piece by piece.
_MOST_AT_ONCE: Final = 2 * 1024 * 1024
_encode: Final = msgspec.json.Encoder().encode


def store(value: Any, artifacts: ArtifactStore, most_inline: int) -> Parts:
    """The plain form of any value; JSON of more than `most_inline` bytes becomes an artifact.

    Raises:
        StoreError: an artifact can't be written.
    """
    try:
        try:
            return _attempt(value, artifacts, most_inline)
        except UnicodeEncodeError:  # somewhere is text that is no Unicode
            return _attempt(value, artifacts, most_inline, careful=True)
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


def _attempt(value: Any, artifacts: ArtifactStore, most_inline: int, *, careful: bool = False) -> Parts:
    encoder = Encoder(artifacts, careful=careful, most=_MOST_AT_ONCE)
    try:
        plain = encoder.encode(value)
    except Long:
        return _as_file(value, encoder)
    data = _encode(plain)
    if encoder.doubtful:
        long.check(encoder, value, plain)
    reference = plain.get("$artifact") if type(plain) is dict else None
    if reference is not None:
        return plain, False, reference["digest"], reference["size"], reference["size"]
    if len(data) <= most_inline:
        return plain, False, None, len(data), sum(encoder.parts.values())
    return _as_file(value, encoder)


def _as_file(value: Any, encoder: Encoder) -> Parts:
    """The plain form itself as an artifact; the artifacts that it names are named again beside it, under `parts`."""
    encoder.begin_again()
    with encoder.artifacts.create(".json") as new:
        long.write(encoder, value, new)
        size = new.tell()
    reference: dict[str, Any] = {
        "digest": new.digest,
        "form": "json",
        "size": size,
        "type": type_name(type(value)),
        "preview": of_items(value, encoder.cells().encode),
    }
    if encoder.parts:
        reference["parts"] = [{"$artifact": {"digest": part}} for part in encoder.parts]
    return {"$artifact": reference}, False, new.digest, size, size + sum(encoder.parts.values())


def _transient(value: Any, refused: Refused) -> Parts:
    note = {"type": type_name(type(value)), "reason": refused.sentence(), "text": text_of(value)}
    if refused.png is not None:
        note["png"] = refused.png
    plain = {"$transient": note}
    return plain, True, None, len(_encode(plain)), 0
