"""The stores that a Jupyter server answers for: those of the folder that it serves, and no others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flownb.errors import FlownbError, NotFound
from flownb.store.place import FILE, HOME, VARIABLE, open_store, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.store.contract import Store

_NONE: Final = "There is no store in {root} or above it: start a run there first."


class UnknownStore(FlownbError):
    """A store that this server has nothing to do with."""


class KnownStores:
    """What may be opened: `FLOWNB_STORE`, the nearest `.flownb/` from the root upwards, and each one below the root."""

    def __init__(self, root: str, environment: Mapping[str, str] = os.environ) -> None:
        """The stores of a folder.

        Args:
            root: what the server serves.
            environment: the server's, which its kernels inherit.
        """
        self.root = Path(root).resolve()
        self._named = environment.get(VARIABLE) or None

    def open(self, named: str | None = None) -> Store:
        """A store by its URL, or the usual one.

        Raises:
            UnknownStore: it is none of those that this server answers for.
            NotFound: there is none.
            FlownbError: it is no place of a store, or it can't be opened.
        """
        path = self._usual() if named is None else parse(named)
        if path is None or (named is not None and not self._knows(path)):
            raise UnknownStore(
                f"This server does not answer for the store {named or self._named!r:.200}: it does for those in "
                f"{HOME}/ of {self.root} and the folders in it."
            )
        return open_store(f"sqlite:///{path}", create=False)

    def _knows(self, path: Path) -> bool:
        real = path.resolve()
        if real.parent.name == HOME and real.name == FILE and real.is_relative_to(self.root):
            return True
        try:
            usual = self._usual()
        except FlownbError:
            return False
        return usual is not None and usual.resolve() == real

    def _usual(self) -> Path | None:
        if self._named is not None:
            return parse(self._named)
        for folder in (self.root, *self.root.parents):
            if (folder / HOME).is_dir():
                return folder / HOME / FILE
        raise NotFound(_NONE.format(root=self.root), name=str(self.root))
