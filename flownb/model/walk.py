"""A walk over plain data: where it is, what it found, and how it says so.

The checks themselves are `checker.py`'s; dialects walk foreign documents with it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from flownb.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: How deep lists and objects may lie in one another.
MAX_DEPTH: Final = 100
#: How many problems are reported; a document with more has one cause.
MAX_PROBLEMS: Final = 500
#: How many lists and objects free data may have; shared parts count each time they are met.
MAX_CONTAINERS: Final = 1_000_000
#: Whole numbers beyond these can't be written by every JSON tool, nor kept in the journal.
SMALLEST: Final = -(2**63)
LARGEST: Final = 2**63 - 1


#: What a check gives instead of a value, after reporting why.
INVALID: Final = object()


class Strange:
    """A number of a JSON text that can't be kept: `NaN`, `Infinity`, or one of too many digits."""

    def __init__(self, text: str) -> None:
        self.text = text


class Doubled(dict[str, Any]):
    """An object of a JSON text in which keys came twice; the last value counts, as in every JSON reader."""

    def __init__(self, values: dict[str, Any], doubled: Sequence[str]) -> None:
        super().__init__(values)
        self.doubled = doubled


class Walk:
    """One pass over a document, with where it is and what it found."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.path: list[str | int] = []
        self.problems: list[Problem] = []
        self.containers = 0

    @property
    def full(self) -> bool:
        """Whether enough was found, or seen, to stop."""
        return len(self.problems) >= MAX_PROBLEMS or self.containers > MAX_CONTAINERS

    def report(self, message: str, *, code: str, at: str | int | None = None, hint: str = "") -> Any:
        """Note a problem at this place, or at one of its members; returns INVALID."""
        path = self.path if at is None else [*self.path, at]
        if len(self.problems) < MAX_PROBLEMS - 1:
            node = self._node()
            self.problems.append(Problem(message, node=node, place=place(path), hint=hint, code=code))
        elif len(self.problems) == MAX_PROBLEMS - 1:
            self.problems.append(
                Problem(f"There are more; these are the first {MAX_PROBLEMS - 1}.", place="document", code="too_many")
            )
        return INVALID

    def wrong(self, value: Any, expected: str) -> Any:
        """Report a value of the wrong type; returns INVALID."""
        if isinstance(value, Strange):
            return self.number(value)
        return self.report(f"Expected {expected}, found {shown(value)}.", code="wrong_type")

    def number(self, value: Strange | float) -> Any:
        """Report a number that can't be kept; returns INVALID."""
        text = value.text if isinstance(value, Strange) else ""
        if isinstance(value, float) or (text and not text.lstrip("-").isdigit()):
            return self.report(f"{text or value} is no number that a document can keep.", code="not_finite")
        # Not by str(): Python refuses to write numbers of more than 4,300 digits.
        digits = len(text.lstrip("-")) if isinstance(value, Strange) else int(value.bit_length() * math.log10(2)) + 1
        message = f"A whole number of {digits:,} digits is too large."
        return self.report(message, code="big_integer", hint="Write it as a text.")

    def doubled(self, value: Doubled) -> None:
        """Report the keys of an object that came twice."""
        for key in value.doubled:
            message = f"The key {shown(key, bare=True)} is there twice; which one is meant?"
            self.report(message, code="duplicate_key", at=key)

    def keys(self, value: dict[Any, Any]) -> None:
        """Report the keys of an object that came twice, are no texts, or can't be written."""
        if isinstance(value, Doubled):
            self.doubled(value)
        for key in value:
            if type(key) is not str and not isinstance(key, str):
                self.report(f"Keys are texts, found {shown(key)}.", code="wrong_type")
            elif not key.isascii() and has_surrogate(key):
                self.report(f"The key {shown(key, bare=True)} has half a character in it.", code="encoding")

    def _node(self) -> str | None:
        if len(self.path) > 1 and self.path[0] == "nodes":
            try:
                name = self.root["nodes"][self.path[1]]["id"]
            except (KeyError, IndexError, TypeError):
                return None
            return name if isinstance(name, str) and name.isidentifier() else None
        return None


def place(path: Iterable[str | int]) -> str:
    """A place as people write it: `nodes[3].config.seconds`; the whole is `document`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier() and part == _short(part)[1:-1]:
            text += f".{part}" if text else part
        else:
            text += f"[{_short(part)}]"
    return text or "document"


def shown(value: Any, *, bare: bool = False) -> str:
    """What was found, in words, short enough for a line and without anything a terminal would act on."""
    if isinstance(value, str):
        return _short(value) if bare else f"the text {_short(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return f"the number {int(value)}" if SMALLEST <= value <= LARGEST else "a very large number"
    if isinstance(value, float):
        return f"the number {float(value)}"
    known = {dict: "an object", list: "a list", tuple: "a list"}
    return next((name for kind, name in known.items() if isinstance(value, kind)), f"a Python {type(value).__name__}")


def _short(text: str, most: int = 40) -> str:
    return repr(str.__str__(text if len(text) <= most else text[: most - 3] + "..."))


def has_surrogate(text: str) -> bool:
    """Whether a text can't be written as UTF-8, because it has half a character in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
