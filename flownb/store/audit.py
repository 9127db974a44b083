"""The audit log of a run: each entry is sealed together with the seal of the entry before (HMAC-SHA256).

So nobody without the key can change, remove or move an entry unseen; what was cut off at the end shows against a head
that was put down elsewhere, as in the output notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flownb.store.requests import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flownb.store.keys import Keys


class Head(NamedTuple):
    """How a log stood at a moment: how many entries it had, and the seal of the last."""

    entries: int
    seal: str


def next_entry(keys: Keys, run: str, last: Head, body: bytes) -> AuditEntry:
    """The entry that follows."""
    name, key = keys.newest()
    place = last.entries + 1
    return AuditEntry(
        run=run,
        place=place,
        key=name,
        previous=last.seal,
        body=body,
        seal=seal(key, run, place, last.seal, body),
    )


def seal(key: bytes, run: str, place: int, previous: str, body: bytes) -> str:
    """The seal of an entry, in hexadecimal."""
    import hmac

    head = f"flownb-audit-1\n{len(run)}:{run}\n{place}\n{previous}\n{len(body)}\n".encode()
    return hmac.digest(key, head + body, "sha256").hex()


def head_of(entries: Sequence[AuditEntry]) -> Head:
    """How the log stands."""
    return Head(entries[-1].place, entries[-1].seal) if entries else Head(0, "")


def faults_of(
    run: str,
    entries: Sequence[AuditEntry],
    keys: Mapping[str, bytes],
    name: Callable[[AuditEntry], str],
    head: Head | None = None,
) -> list[str]:
    """What is wrong with a log, a sentence each; empty where every entry is what and where it was.

    Args:
        run: whose log it is.
        entries: as they are now, in order.
        keys: by their id.
        name: an entry in words.
        head: how the log stood once, as it was put down elsewhere.
    """
    found: list[str] = []
    previous = ""
    for place, entry in enumerate(entries, 1):
        fault = _fault(entry, place, previous, keys, name(entry))
        if fault:
            found.append(fault)
        previous = entry.seal
    if head is not None and head.entries:
        if len(entries) < head.entries:
            missing = f"entry {len(entries) + 1}" if len(entries) + 1 == head.entries else "entries"
            span = "" if len(entries) + 1 == head.entries else f" {len(entries) + 1} to {head.entries}"
            found.append(
                f"The end of the log is cut off: it had {head.entries} entries once and has {len(entries)} now; "
                f"{missing}{span} of run {run} {'is' if not span else 'are'} gone."
            )
        elif entries[head.entries - 1].seal != head.seal:
            found.append(
                f"Entry {head.entries} of run {run} is not the one that was last when the head was put down: the log "
                "was written anew."
            )
    return found


def _fault(entry: AuditEntry, place: int, previous: str, keys: Mapping[str, bytes], name: str) -> str:
    run = entry.run
    what = f"Entry {entry.place} of run {run} ({name})"
    if entry.place != place:
        return f"Entry {place} of run {run} is missing: after entry {place - 1} comes entry {entry.place}."
    key = keys.get(entry.key)
    if key is None:
        return f"{what} can't be verified: it was sealed by the key {entry.key}, which is not among the store's keys."
    if entry.seal != seal(key, run, place, entry.previous, entry.body):
        for other in range(1, place + 1000):
            if other != place and entry.seal == seal(key, run, other, entry.previous, entry.body):
                return f"{what} was moved: it was written as entry {other}."
        return f"{what} was altered: its seal does not fit it."
    if entry.previous != previous:
        return f"{what} does not follow the entry before it: one was altered, removed or moved there."
    return ""
