"""Names for things: the NewTypes, how a run gets its id, and how a name becomes an identifier."""

from __future__ import annotations

import keyword
import os
import re
import time
import unicodedata
from typing import NewType

RunId = NewType("RunId", str)
NodeId = NewType("NodeId", str)
NodePath = NewType("NodePath", str)
ApprovalId = NewType("ApprovalId", str)
OwnerId = NewType("OwnerId", str)
Digest = NewType("Digest", str)

# Crockford's base 32 in lower case: no i, l, o, u, so an id survives being read aloud.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def _base32(number: int, length: int) -> str:
    pairs = [_PAIRS[number >> shift & 1023] for shift in range((length - 1) // 2 * 10, -1, -10)]
    return "".join(pairs)[-length:]


def _random_bits(count: int) -> int:
    # As `secrets` does it; that takes 5 ms to import.
    return int.from_bytes(os.urandom((count + 7) // 8)) & ((1 << count) - 1)


def new_run_id() -> RunId:
    """A new run id: 7 characters of time (seconds, so ids sort by age) and 8 random ones; no dots, no blanks."""
    return RunId(_base32(int(time.time()), 7) + _base32(_random_bits(40), 8))


def new_owner_id() -> OwnerId:
    """An id for one engine in one process; random, because process ids come again."""
    return OwnerId(_base32(_random_bits(60), 12))


def slug(name: str) -> NodeId:
    """The Python identifier nearest to a name: `Load data (2)` becomes `load_data_2`.

    A name that already is an identifier stays as it is. An empty or hopeless name becomes `node`.
    """
    if name.isidentifier() and not keyword.iskeyword(name):
        return NodeId(name)
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"\W+", "_", text).strip("_").lower() or "node"
    if text[0].isdigit() or keyword.iskeyword(text):
        text = f"n_{text}"
    return NodeId(text)


def attempt_key(run: str, path: str) -> str:
    """The idempotency key of a node in a run: the same over retries and crashes, no blanks."""
    return f"{run}:{path}"


def step_key(run: str, path: str, name: str) -> str:
    """The idempotency key of a step inside a node; what is special in its name is written as in an address."""
    if not name.isidentifier():
        from urllib.parse import quote  # for names that need it

        name = quote(name, safe="", errors="backslashreplace")
    return f"{attempt_key(run, path)}:{name}"
