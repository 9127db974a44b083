"""`matches`: regular expressions in linear time, by RE2, with bounds on the pattern's size and the work."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from flownb.expr.access import describe
from flownb.expr.limits import PATTERN, PATTERN_MEMORY, Work, spend
from flownb.expr.refusal import Refusal

# Measured at this memory: compiling takes at most 6 ms, which goes with the pattern's length or the instructions that
# it makes, and the slowest search 20 ns a character and instruction.
_STEPS_A_PATTERN: Final = 500
_STEPS_A_CHARACTER: Final = 40
_STEPS_AN_INSTRUCTION: Final = 3
_SEARCHED_A_STEP: Final = 8


def matches(text: Any, pattern: Any, work: Work) -> bool:
    """Whether a pattern (RE2's syntax) is found anywhere in the text; `^` and `$` tie it to the ends.

    Raises:
        Refusal: no text, no pattern, or too much work.
    """
    if type(text) is not str or type(pattern) is not str:
        raise Refusal(f"matches needs a text and a pattern; this is {describe(text)} and {describe(pattern)}.")
    if len(pattern) > PATTERN:
        raise Refusal(f"A pattern may have {PATTERN} characters.")
    spend(work, _STEPS_A_PATTERN + _STEPS_A_CHARACTER * len(pattern))
    compiled = _compiled(pattern)
    size = compiled.programsize
    spend(work, _STEPS_AN_INSTRUCTION * size + size * len(text) // _SEARCHED_A_STEP)
    try:
        return compiled.search(text) is not None
    except UnicodeEncodeError:
        raise Refusal("matches can't read this text: it holds half a character (a lone surrogate).") from None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.max_mem = PATTERN_MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except UnicodeEncodeError:
        raise Refusal("This pattern holds half a character (a lone surrogate).") from None
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise Refusal(f"The pattern is not understood: {shown[:100]}. (The syntax is RE2's.)") from None
