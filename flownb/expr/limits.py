"""How large and how long anything in an expression may be; together they keep one evaluation under 50 ms and 20 MB.

The language has no loops, so the work of an expression is bounded by its text as soon as every operation on data is
bounded. Operations whose cost grows with the data take it from a budget of *steps* first (one step is about a tenth of
a microsecond) and are refused when it is used up.
"""

from __future__ import annotations

from typing import Final

from flownb.expr.refusal import Refusal

#: Characters of one expression.
TEXT: Final = 2_000
#: Characters of a template in all, and of the expressions in it together.
TEMPLATE: Final = 200_000
TEMPLATE_EXPRESSIONS: Final = 6_000
#: Tokens of one expression.
TOKENS: Final = 1_000
#: Brackets inside brackets, and operations inside operations.
BRACKETS: Final = 30
DEPTH: Final = 60
#: Levels of nested lists and dictionaries in data and results.
DATA_DEPTH: Final = 100
#: Bits of a whole number that arithmetic takes or makes (about 77 digits).
BITS: Final = 256
#: Characters of a text that an operation makes.
STRING: Final = 100_000
#: Characters of a rendered template.
RENDERED: Final = 1_000_000
#: Entries of a list that an operation makes.
LIST: Final = 100_000
#: Steps of one evaluation.
STEPS: Final = 300_000
#: Characters of a pattern, and bytes that its compiled form may use.
PATTERN: Final = 500
PATTERN_MEMORY: Final = 256 * 1024
#: Conditions in a group of conditions, all levels together.
CONDITIONS: Final = 200

#: What is left of the steps of one evaluation: a list of one number, because closures share and change it.
Work = list[int]


def new_work() -> Work:
    """The budget of one evaluation."""
    return [STEPS]


def spend(work: Work, steps: int) -> None:
    """Take `steps` from the budget.

    Raises:
        Refusal: the budget is used up.
    """
    work[0] = left = work[0] - steps
    if left < 0:
        raise Refusal(
            "This is too much work for an expression. For data of this size hand on the whole value, by a lone "
            "{{ name }}, and use a node with code."
        )


def spend_text(work: Work, length: int) -> None:
    """Take what reading or writing `length` characters costs.

    Raises:
        Refusal: the budget is used up.
    """
    spend(work, 1 + (length >> 4))


def check_string(length: int) -> None:
    """Refuse to make a text of more than `STRING` characters."""
    if length > STRING:
        raise Refusal(f"This would make a text of {_counted(length)} characters; an expression may make {STRING:,}.")


def check_list(length: int) -> None:
    """Refuse to make a list of more than `LIST` entries."""
    if length > LIST:
        raise Refusal(f"This would make a list of {_counted(length)} entries; an expression may make {LIST:,}.")


def _counted(length: int) -> str:
    # Python refuses to write out numbers of thousands of digits.
    return f"{length:,}" if length.bit_length() <= BITS else "far too many"
