"""Why an expression can't be read or evaluated, on its way to becoming an `ExpressionError`.

Inside the package a refusal is light: nothing is formatted and no near name is looked for, because `default(x, 0)`
catches and drops it. At the edge `as_error` makes the public error of it, with the text and the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import ExpressionError, near_names

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN = 60


class Refusal(Exception):
    """One clear sentence, and the place: a 0-based offset in the text, where it is known already."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        #: The text that the position is in, where it isn't the one that is being evaluated.
        self.text: str | None = None

    def sentence(self) -> str:
        """The whole message."""
        return self.message


class Missing(Refusal):
    """A name, key or index that the data doesn't have: what `default`, `exists` and `coalesce` forgive.

    `known` lists the names that there are; it is only called when the error is shown.
    """

    def __init__(
        self, message: str, position: int | None = None, *, name: str = "", known: Callable[[], list[str]] | None = None
    ) -> None:
        super().__init__(message, position)
        self._name = name
        self._known = known

    def sentence(self) -> str:
        """The message and the near names."""
        return self.message + (near_names(self._name, self._known()) if self._known else "")


def as_error(refusal: Refusal, text: str) -> ExpressionError:
    """The public error for a refusal in `text`."""
    if refusal.text is not None:
        text = refusal.text
    position = min(refusal.position or 0, len(text))
    return ExpressionError(f"{refusal.sentence()} (In {excerpt(text, position)}.)", text=text, position=position)


def from_exception(error: Exception, text: str) -> ExpressionError:
    """The public error for whatever else Python raised while `text` was read or evaluated."""
    if isinstance(error, RecursionError):
        message = "This is nested too deeply for an expression."
    elif isinstance(error, MemoryError):
        message = "This needs more memory than an expression may use."
    else:
        message = f"This can't be evaluated: {type(error).__name__}."
    return as_error(Refusal(message), text)


def excerpt(text: str, position: int) -> str:
    """The text around `position`, short, in quotes, for the end of a message."""
    if len(text) <= _SHOWN:
        return f"{text!r}, at {position}"
    first = max(0, position - _SHOWN // 2)
    last = min(len(text), first + _SHOWN)
    shown = ("…" if first else "") + text[first:last] + ("…" if last < len(text) else "")
    return f"{shown!r}, at {position}"
