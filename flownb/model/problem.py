"""A problem of a definition: what the checker, the validator and the dialects report."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """Whether a problem stops a run."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong, where it is, and the way out."""

    message: str
    severity: Severity = Severity.ERROR
    #: The id of the node that it concerns, where there is one.
    node: str | None = None
    port: str | None = None
    #: The place in the document, as `nodes[3].config.seconds`.
    place: str | None = None
    hint: str = ""
    #: A short stable word for programs, as `cycle` or `unknown_type`.
    code: str = "invalid"

    def __str__(self) -> str:
        """One line for a terminal."""
        where = self.place or (f"{self.node}.{self.port}" if self.node and self.port else self.node)
        return f"{self.severity}: {f'{where}: ' if where else ''}{self.message}{f' {self.hint}' if self.hint else ''}"
