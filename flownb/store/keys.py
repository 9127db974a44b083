"""The keys of a store: one in hexadecimal a line, the newest first; what is sealed by an older one stays valid."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from flownb.errors import StoreReadOnly

if TYPE_CHECKING:
    from pathlib import Path


def key_id(key: bytes) -> str:
    """What an entry says of the key that sealed it."""
    return hashlib.sha256(key).hexdigest()[:12]


class Keys:
    """The keys in a file, read when they are needed; without a file, one that lives as long as this object."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._known: dict[str, bytes] = {}

    def newest(self) -> tuple[str, bytes]:
        """The key that seals what is new, with its id; made where there is none.

        Raises:
            StoreReadOnly: there is none, and none can be made.
        """
        if not self._known:
            self._read()
        if not self._known:
            self._make()
        return next(iter(self._known.items()))

    def all(self) -> dict[str, bytes]:
        """Every key, by its id; empty where there is none."""
        self._read()
        return self._known

    def _read(self) -> None:
        if self.path is None:
            return
        try:
            lines = self.path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            lines = []
        known = {}
        for each in lines:
            with contextlib.suppress(ValueError):
                key = bytes.fromhex(each)
                known[key_id(key)] = key
        self._known = known

    def _make(self) -> None:
        key = os.urandom(32)
        if self.path is None:
            self._known = {key_id(key): key}
            return
        temporary = self.path.with_name(f".{self.path.name}-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{key.hex()}\n")
            try:
                self.path.hardlink_to(temporary)
            except FileExistsError:
                pass  # another process was faster: its key is the key
            except OSError:  # a file system without hard links
                if not self.path.exists():
                    temporary.replace(self.path)
            temporary.unlink(missing_ok=True)
        except OSError as error:
            raise StoreReadOnly(
                f"The key that seals the audit log can't be written to {self.path}: {error.strerror}.",
                place=str(self.path),
            ) from error
        self._read()
        if not self._known:
            raise StoreReadOnly(
                f"{self.path} holds no key: it should have one in hexadecimal a line. Move it away, and a new one is "
                "made; what was sealed before can't be verified then.",
                place=str(self.path),
            )
