"""Near names among many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.errors import near_names

if TYPE_CHECKING:
    from collections.abc import Sequence


class NearNames:
    """Near names among many, for the first faults only: the search is slow and nobody reads the hundredth."""

    _MOST: Final = 20
    _FEW: Final = 300

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known
        self._found: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The end of a sentence about an unknown name, as `errors.near_names` gives it; empty once there were many."""
        if name not in self._found:
            if len(self._found) >= self._MOST:
                return ""
            known = self._known
            if len(known) > self._FEW:
                known = [
                    each
                    for each in known
                    if abs(len(each) - len(name)) <= 2 and (each[:1], each[-1:]) == (name[:1], name[-1:])  # noqa: PLR2004  a slip of the finger
                ][: self._FEW]
            self._found[name] = near_names(name, known)
        return self._found[name]
