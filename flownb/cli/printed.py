"""What nodes print, as whole lines: it is journaled in pieces, and a progress bar in many of its states."""

from __future__ import annotations

from flownb.run.output.held import settled
from flownb.services.harmless import block


class Printed:
    """Joins the pieces of each node until a line is whole."""

    def __init__(self) -> None:
        self._rest: dict[str, str] = {}

    def add(self, node: str, text: str) -> list[str]:
        """The lines that a piece makes whole, made harmless."""
        whole, newline, rest = (self._rest.pop(node, "") + text).rpartition("\n")
        if rest:
            self._rest[node] = rest
        return block(settled(whole)).split("\n") if newline else []

    def end(self, node: str) -> list[str]:
        """What a node printed last, without a newline behind it."""
        rest = self._rest.pop(node, "")
        return block(settled(rest)).split("\n") if rest else []

    def nodes(self) -> list[str]:
        """The nodes of which something is left."""
        return list(self._rest)
