"""Numbers, text, bytes, ids and paths: what holds no other value."""

from __future__ import annotations

import base64
import pathlib
import uuid
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.preview import of_bytes, of_text
from flownb.store.forms.refused import Refused, broken, expect, fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

#: Longer text, in characters, is an artifact of its own.
MOST_TEXT: Final = 1_000_000
#: Longer bytes are an artifact.
MOST_BYTES: Final = 64 * 1024
_CHUNK: Final = 1_000_000

_PATHS: Final[dict[str, type[pathlib.PurePath]]] = {
    cls.__name__: cls
    for cls in (
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        pathlib.PosixPath,
        pathlib.WindowsPath,
    )
}
_BYTES: Final[dict[str, Callable[[bytes], Any]]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview of bytearray": lambda data: memoryview(bytearray(data)),
    "str": lambda data: data.decode("utf-8", "surrogatepass"),
}


# --- numbers ----------------------------------------------------------------------------------------------------------


def large(value: int) -> dict[str, str]:
    """An int beyond 64 bits, in hexadecimal, which takes linear time and has no limit of digits."""
    return {"$int": hex(value)}


def infinite(value: float) -> dict[str, str]:
    """A float that JSON has no number for: `nan`, `inf`, `-inf`."""
    return {"$float": repr(value)}


def _int(_: Decoder, payload: Any) -> int:
    text = expect(payload, str, "$int")
    if not text.removeprefix("-").startswith("0x"):
        raise broken(f"$int holds {text[:40]!r} and no hexadecimal number")
    return int(text, 16)


def _float(_: Decoder, payload: Any) -> float:
    if payload not in ("nan", "inf", "-inf"):
        raise broken(f"$float holds {str(payload)[:40]!r} and not nan, inf or -inf")
    return float(payload)


def _encode_complex(encoder: Encoder, value: complex) -> dict[str, Any]:
    return {"$complex": [encoder.encode(value.real), encoder.encode(value.imag)]}


def _complex(decoder: Decoder, payload: Any) -> complex:
    real, imag = decoder.items_of(payload, "$complex", 2, float)
    return complex(real, imag)


def _encode_fraction(encoder: Encoder, value: Fraction) -> dict[str, Any]:
    return {"$fraction": [encoder.encode(value.numerator), encoder.encode(value.denominator)]}


def _fraction(decoder: Decoder, payload: Any) -> Fraction:
    numerator, denominator = decoder.items_of(payload, "$fraction", 2, int)
    return Fraction(numerator, denominator)


def _encode_range(encoder: Encoder, value: range) -> dict[str, Any]:
    return {"$range": [encoder.encode(part) for part in (value.start, value.stop, value.step)]}


def _range(decoder: Decoder, payload: Any) -> range:
    return range(*decoder.items_of(payload, "$range", 3, int))


# --- text and bytes ---------------------------------------------------------------------------------------------------


def long_text(encoder: Encoder, value: str) -> Any:
    """Text that is too long for the JSON, or may hold lone surrogates."""
    if len(value) > MOST_TEXT and not encoder.inline:
        if (made := encoder.made(value)) is not None:
            return made
        with encoder.artifacts.create(".txt") as new:
            for start in range(0, len(value), _CHUNK):
                new.write(value[start : start + _CHUNK].encode("utf-8", "surrogatepass"))
        return encoder.artifact(value, new.digest, "bytes", type="str", preview=of_text(value))
    encoder.weigh(len(value))
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"$str": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()}
    return value


def _str(_: Decoder, payload: Any) -> str:
    return unpack(payload, "$str").decode("utf-8", "surrogatepass")


def unpack(payload: Any, tag: str) -> bytes:
    """The bytes of base64 text.

    Raises:
        StoreError: it is none.
    """
    try:
        return base64.b64decode(expect(payload, str, tag), validate=True)
    except ValueError as error:
        raise broken(f"{tag} holds no base64 text") from error


def _encode_bytes(encoder: Encoder, value: bytes | bytearray) -> Any:
    return _bytes_form(encoder, value, type(value).__name__, memoryview(value))


def _encode_view(encoder: Encoder, value: memoryview) -> Any:
    if value.format != "B" or value.ndim != 1 or not value.contiguous:
        raise Refused("is a memoryview of something else than plain bytes: return bytes(value)")
    return _bytes_form(encoder, value, "memoryview" if value.readonly else "memoryview of bytearray", value)


def _bytes_form(encoder: Encoder, value: Any, kind: str, data: memoryview) -> Any:
    if len(data) > MOST_BYTES and not encoder.inline:
        if (made := encoder.made(value)) is not None:
            return made
        digest = encoder.artifacts.put(data, ".bin")
        return encoder.artifact(value, digest, "bytes", type=kind, preview=of_bytes(data))
    encoder.weigh(len(data))
    text = base64.b64encode(data).decode()
    return {"$bytes": text} if kind == "bytes" else {"$bytes": [kind, text]}


def _bytes(_: Decoder, payload: Any) -> Any:
    if type(payload) is str:
        return unpack(payload, "$bytes")
    if type(payload) is not list or len(payload) != 2 or payload[0] not in ("bytearray", "memoryview", _VIEW):  # noqa: PLR2004  kind and text
        raise broken("$bytes holds neither text nor a kind and text")
    return _BYTES[payload[0]](unpack(payload[1], "$bytes"))


_VIEW: Final = "memoryview of bytearray"


def from_file(kind: Any, data: bytes) -> Any:
    """The value of an artifact of the form `bytes`.

    Raises:
        StoreError: there is no such kind.
    """
    if type(kind) is not str or kind not in _BYTES:
        raise broken(f"an artifact of bytes is of the unknown type {str(kind)[:40]!r}")
    return _BYTES[kind](data)


# --- ids and paths ----------------------------------------------------------------------------------------------------


def _encode_decimal(_: Encoder, value: Decimal) -> dict[str, str]:
    return {"$decimal": str(value)}


def _decimal(_: Decoder, payload: Any) -> Decimal:
    return Decimal(expect(payload, str, "$decimal"))


def _encode_uuid(_: Encoder, value: uuid.UUID) -> dict[str, Any]:
    if value.is_safe is uuid.SafeUUID.unknown:
        return {"$uuid": str(value)}
    return {"$uuid": [str(value), value.is_safe.name]}


def _uuid(_: Decoder, payload: Any) -> uuid.UUID:
    text, safe = payload if type(payload) is list else (payload, "unknown")
    return uuid.UUID(expect(text, str, "$uuid"), is_safe=uuid.SafeUUID[expect(safe, str, "$uuid")])


def _encode_path(encoder: Encoder, value: pathlib.PurePath) -> dict[str, Any]:
    return {"$path": {"kind": type(value).__name__, "path": encoder.encode(str(value))}}


def _path(decoder: Decoder, payload: Any) -> pathlib.PurePath:
    kind, path = fields(payload, "$path", "kind", "path")
    if type(kind) is not str or kind not in _PATHS:
        raise broken(f"$path is of the unknown kind {str(kind)[:40]!r}")
    try:
        return _PATHS[kind](decoder.exactly(path, str, "$path"))
    except NotImplementedError:
        raise broken(f"a {kind} can't be made on this system") from None


FORMS: Final[dict[type, Callable[[Encoder, Any], Any]]] = {
    complex: _encode_complex,
    Fraction: _encode_fraction,
    range: _encode_range,
    bytes: _encode_bytes,
    bytearray: _encode_bytes,
    memoryview: _encode_view,
    Decimal: _encode_decimal,
    uuid.UUID: _encode_uuid,
    **dict.fromkeys(_PATHS.values(), _encode_path),
}

TAGS: Final[dict[str, Callable[[Decoder, Any], Any]]] = {
    "$int": _int,
    "$float": _float,
    "$complex": _complex,
    "$fraction": _fraction,
    "$range": _range,
    "$str": _str,
    "$bytes": _bytes,
    "$decimal": _decimal,
    "$uuid": _uuid,
    "$path": _path,
}
