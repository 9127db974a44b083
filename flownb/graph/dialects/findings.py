"""What is said of a document in another form, and from where in it each part of ours came."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model.problem import Problem, Severity
from flownb.model.walk import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

#: More warnings than these say nothing new.
MAX_WARNINGS: Final = 500
_SHORT: Final = 40


class Findings:
    """The warnings of one translation, and the origins by which errors find their place in the original."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        #: Our place on the left, the place in the original on the right; the longest that fits counts.
        self.origins: dict[str, str] = {}

    def warn(self, place: str, message: str, *, code: str, hint: str = "", node: str | None = None) -> None:
        """Say what was left out, changed or guessed."""
        if len(self.problems) < MAX_WARNINGS:
            self.problems.append(Problem(message, Severity.WARNING, node=node, place=place, hint=hint, code=code))

    def unknown(self, place: str, keys: Iterable[str]) -> None:
        """Warn of fields that nothing here has a place for; `place` is empty for the whole document."""
        for key in keys:
            self.warn(
                f"{place}.{key}".lstrip(".") if key.isidentifier() and len(key) <= _SHORT else place or "document",
                f"The field {shown(key, bare=True)} is not known here and was left out.",
                code="unknown_field",
            )

    def at_its_origin(self, problem: Problem) -> Problem:
        """A problem of our form, with its place in the original."""
        place = problem.place or ""
        ends = [len(place), *sorted((match.start() for match in re.finditer(r"[.\[]", place)), reverse=True)]
        for end in ends:
            if (origin := self.origins.get(place[:end])) is not None:
                return msgspec.structs.replace(problem, place=origin + place[end:])
        return problem
