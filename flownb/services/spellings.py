"""How the value of a secret may be written: as it is, escaped in all the usual ways, in base64 and in hexadecimal.

A *spelling* is a sequence of units, and a unit the ways in which that piece may be written, each a text of bytes:
`p&q` is `p`, then one of `&`, `%26`, `&amp;`, then `q`. So a text that escapes some letters and not others is
matched as well, and no list of all combinations is needed.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Unit = tuple[bytes, ...]
Spelling = tuple[Unit, ...]

#: Shorter values are masked as whole words only: as a part of other words they would be found everywhere.
SHORT: Final = 8
#: A line of a value, or a field of a JSON value, of at least this length is a secret of its own.
_LONG_PART: Final = 12
#: What every escape leaves alone.
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_ASCII: Final = 0x80
_LAST_BMP: Final = 0xFFFF
_LAST_LATIN: Final = 0xFF
_ESCAPES: Final = {
    "\n": (b"\\n", b"\\\\n", b"\r\n", b"\\r\\n"),
    "\r": (b"\\r", b"\\\\r"),
    "\t": (b"\\t", b"\\\\t"),
    '"': (b'\\"', b'\\\\\\"', b"&quot;", b"&#34;"),
    "'": (b"\\'", b"&#x27;", b"&#39;", b"'\"'\"'"),
    "\\": (b"\\\\", b"\\\\\\\\"),
    "/": (b"\\/",),
    "&": (b"&amp;",),
    "<": (b"&lt;",),
    ">": (b"&gt;",),
    " ": (b"+",),
}
#: The lengths at which base64 is broken into lines, by MIME and by PEM.
_LINES: Final = (76, 64)
_FOR_URLS: Final = bytes.maketrans(b"+/", b"-_")
_SECRET_WORDS: Final = ("key", "token", "secret", "password", "passwd", "passphrase", "credential", "private")


def spellings(value: bytes) -> Iterator[Spelling]:
    """Every spelling of a value of at least `SHORT` bytes, and of its parts that are secrets of their own."""
    for part in dict.fromkeys([value, *parts(value)]):
        yield as_written(part)
        yield from _base64(part)
        yield tuple(_hexadecimal(byte, first=not place) for place, byte in enumerate(part))
        text = _text(part)
        if text is not None:
            for encoding in ("utf-16-le", "utf-16-be"):
                yield ((text.encode(encoding, "surrogatepass"),),)


def as_written(value: bytes) -> Spelling:
    """A value as text: as it is, or with any of its letters escaped."""
    text = _text(value)
    units = [_letter(letter) for letter in text] if text is not None else [_byte(byte) for byte in value]
    return tuple(_joined(units))


def parts(value: bytes) -> Iterator[bytes]:
    """What of a value is a secret by itself: the lines of a key, the fields of a JSON document, a URL's password."""
    text = _text(value)
    if text is None:
        return
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) > 1:
        yield from (line.encode() for line in lines if len(line) >= _LONG_PART and not line.startswith("-----"))
    yield from (each.encode() for each in _fields(text))
    if "://" in text:
        try:
            password = urlsplit(text.strip()).password
        except ValueError:
            return
        if password is not None:
            yield from (each.encode() for each in (password, unquote(password)) if len(each) >= SHORT)


def _fields(text: str) -> Iterator[str]:
    if not text.lstrip().startswith(("{", "[")):
        return
    try:
        todo = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while todo:
        name, each = todo.pop()
        if isinstance(each, dict):
            todo += each.items()
        elif isinstance(each, list):
            todo += [(name, item) for item in each]
        elif isinstance(each, str) and len(each) >= SHORT and any(word in name.lower() for word in _SECRET_WORDS):
            yield each
            yield from (line for line in each.splitlines() if len(line) >= _LONG_PART and not line.startswith("-----"))


def written_whole(value: bytes) -> Iterator[bytes]:
    """The usual ways to write all of a value, each in one piece; of one that is made of parts, of these alone.

    What the whole has in common with others is no secret, as the beginning of a URL.
    """
    for part in tuple(parts(value)) or (value,):
        text = _text(part)
        yield part
        if text is not None:
            yield from (json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode())
            yield repr(text)[1:-1].encode()
        else:
            yield from (repr(part)[2:-1].encode(), part.decode("latin-1").encode())
        yield quote(part, safe="").encode()
        yield from (part.hex().encode(), part.hex().upper().encode())
        for before in range(3):
            coded = base64.b64encode(bytes(before) + part)
            sure = coded[(0, 2, 3)[before] : (before + len(part)) * 8 // 6]
            yield from (sure, sure.translate(_FOR_URLS))


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _letter(letter: str) -> Unit:
    raw = letter.encode()
    code = ord(letter)
    if code < _ASCII and code in _UNRESERVED:
        return (raw,)
    ways = [raw, *_percent(raw), *_ESCAPES.get(letter, ())]
    if code >= _ASCII:
        utf16 = letter.encode("utf-16-be")
        pairs = [utf16[place : place + 2].hex() for place in range(0, len(utf16), 2)]
        ways += _both_cases("".join(f"\\u{pair}" for pair in pairs), "\\u")
        ways += _both_cases(f"\\U{code:08x}", "\\U") if code > _LAST_BMP else []
        ways += _both_cases(f"\\x{code:02x}", "\\x") if code <= _LAST_LATIN else []
        ways += _both_cases("".join(f"\\x{byte:02x}" for byte in raw), "\\x")
        if code <= _LAST_LATIN:
            ways.append(bytes([code]))
    elif not letter.isprintable():
        ways += [*_both_cases(f"\\u{code:04x}", "\\u"), *_both_cases(f"\\x{code:02x}", "\\x")]
    elif letter in "<>&'":
        ways += _both_cases(f"\\u{code:04x}", "\\u")  # as JSON inside HTML is written
    return tuple(dict.fromkeys(ways))


def _byte(byte: int) -> Unit:
    """A byte of a value that is no text."""
    if byte < _ASCII:
        return _letter(chr(byte))
    raw = bytes([byte])
    escaped = _both_cases(f"\\x{byte:02x}", "\\x") + _both_cases(f"\\u{byte:04x}", "\\u")
    surrogate = chr(0xDC00 + byte)  # what `surrogateescape` makes of it
    ways = [raw, *_percent(raw), *escaped, chr(byte).encode(), surrogate.encode("utf-8", "surrogatepass")]
    ways += [*_both_cases(f"\\udc{byte:02x}", "\\u"), "\ufffd".encode()]
    return tuple(dict.fromkeys(ways))


def _percent(raw: bytes) -> list[bytes]:
    lower = b"".join(b"%%%02x" % byte for byte in raw)
    return list(dict.fromkeys([lower.upper(), lower]))


def _both_cases(escape: str, prefix: str) -> list[bytes]:
    """An escape with its digits in lower and upper case, and as it is in JSON inside JSON."""
    lower = escape.encode()
    upper = escape.upper().replace(prefix.upper(), prefix).encode()
    once = [lower] if lower == upper else [lower, upper]
    return once + [each.replace(b"\\", b"\\\\") for each in once]


def _joined(units: Iterable[Unit]) -> Iterator[Unit]:
    """The same with neighbours that are written in one way only put together."""
    plain = b""
    for unit in units:
        if len(unit) == 1:
            plain += unit[0]
            continue
        if plain:
            yield (plain,)
            plain = b""
        yield unit
    if plain:
        yield (plain,)


def _hexadecimal(byte: int, *, first: bool) -> Unit:
    lower, upper = b"%02x" % byte, b"%02X" % byte
    ways = [before + digits for before in (b"", b":", b" ")[: 1 if first else 3] for digits in (lower, upper)]
    return tuple(dict.fromkeys(ways))


def _base64(value: bytes) -> Iterator[Spelling]:
    """What is sure to stand in the base64 of anything that has the value in it: in the three ways it may lie."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + value)
        first = (0, 2, 3)[before]  # letters that the bytes before it have a part in
        last = (before + len(value)) * 8 // 6  # those that the bytes after it have no part in
        sure = coded[first:last]
        for each in dict.fromkeys([sure, sure.translate(_FOR_URLS)]):
            yield tuple(_joined(_letter(chr(letter)) for letter in each))
        if not before:
            yield from _lines_of(sure)


def _lines_of(coded: bytes) -> Iterator[Spelling]:
    for most in _LINES:
        if len(coded) > most:
            pieces = [coded[place : place + most] for place in range(0, len(coded), most)]
            yield from (((piece,),) for piece in pieces if len(piece) >= SHORT)
