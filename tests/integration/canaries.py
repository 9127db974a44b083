"""Secrets that must be found nowhere: ten kinds of them, and a search for them in every byte that was written."""

from __future__ import annotations

import base64
import html
import json
import random
import string
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import apsw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LETTERS = string.ascii_letters + string.digits


def make(seed: int) -> dict[str, bytes]:
    """The canaries by name, the same for the same seed."""
    chance = random.Random(seed)

    def letters(count: int, alphabet: str = _LETTERS) -> str:
        return "".join(chance.choice(alphabet) for _ in range(count))

    def key() -> str:
        lines = "\n".join(letters(64, _LETTERS + "+/") for _ in range(6))
        return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"

    api_key = f"sk-live-{letters(32)}"
    account = {"type": "service_account", "private_key": key(), "client_secret": letters(30), "project": "demo"}
    texts = {
        "api_key": api_key,
        "password": f"p\"a's<s>&{letters(6)} %w/{letters(6)}\\o+r=d;#{letters(4)}",
        "key": key(),
        "document": json.dumps(account),
        "url": f"postgresql://svc:{quote(letters(12) + '/@' + letters(8), safe='')}@db.internal:5432/prod",
        "unicode": f"пароль-{letters(8)}-密码-🔑-{letters(8)}é",
        "base64ish": base64.b64encode(chance.randbytes(33)).decode(),
        "long": letters(4096, _LETTERS + "-_.~"),
        "container": f"id={api_key};sig={letters(24)}",
    }
    return {name: text.encode() for name, text in texts.items()} | {"binary": b"\xff\xfe\x00" + chance.randbytes(45)}


def spellings(value: bytes) -> Iterator[bytes]:
    """How a canary may have been written, by code that has nothing in common with what masks it."""
    yield value
    yield value.strip()
    for before in (b"", b"x", b"xx"):
        for coded in (base64.b64encode(before + value), base64.urlsafe_b64encode(before + value)):
            yield coded[len(before) and 4 : -4]
    yield from (value.hex().encode(), value.hex().upper().encode(), value.hex(":").encode())
    yield from (quote(value).encode(), quote(value, safe="").encode(), quote_plus(value).encode())
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
        yield text.encode()
        yield repr(value)[2:-1].encode()
    for form in (text, repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (form.encode(), json.dumps(form)[1:-1].encode(), html.escape(form).encode())
    yield from (text.encode("utf-16-le"), text.encode("utf-32-le"))


def pieces(name: str, value: bytes) -> Iterator[bytes]:
    """Twelve bytes in a row of what is secret in it: half a secret is a leak too."""
    secret = [value]
    if name == "key":
        secret = value.splitlines()[1:-1]
    elif name == "document":
        account = json.loads(value)
        secret = [*account["private_key"].encode().splitlines()[1:-1], account["client_secret"].encode()]
    elif name == "url":
        secret = [value.partition(b":")[2].partition(b":")[2].partition(b"@")[0]]
    for each in secret:
        for place in range(0, max(1, len(each) - 11), 5 if len(each) < 200 else 97):
            yield each[place : place + 12]


def found_in(data: bytes, canaries: dict[str, bytes]) -> list[str]:
    """Which canaries are in it, and how."""
    found = []
    for name, value in canaries.items():
        for spelled in {*spellings(value), *pieces(name, value)}:
            if spelled in data:
                place = data.index(spelled)
                found.append(f"{name} as {spelled[:24]!r} in {data[max(0, place - 60) : place + 20]!r}")
                break
    return found


def search(folder: Path, canaries: dict[str, bytes]) -> list[str]:
    """Every file of a folder, byte by byte; what is packed is looked at unpacked as well."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found += [f"{path.relative_to(folder)}: {each}" for each in found_in(path.read_bytes(), canaries)]
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            whole = pq.ParquetFile(path)
            text = f"{whole.read().to_pydict()} {whole.schema_arrow.metadata}"
            found += [f"{path.name}, unpacked: {each}" for each in found_in(text.encode(), canaries)]
        if path.suffix == ".db":
            found += [f"{path.name}, as rows: {each}" for each in found_in(rows_of(path), canaries)]
    return found


def rows_of(path: Path) -> bytes:
    """Everything in a database, each cell in one piece: pages cut long ones."""
    parts = []
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            parts += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    connection.close()
    return b"\0".join(parts)
