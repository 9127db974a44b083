"""Values as text: inside a template, as JSON, and numbers read from text."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from flownb.expr.access import SCALARS, subject
from flownb.expr.limits import BITS, Work, spend, spend_text
from flownb.expr.plain import copy
from flownb.expr.refusal import Refusal

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,80}")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]{1,80}\.?[0-9]{0,80}|\.[0-9]{1,80})(?:[eE][+-]?[0-9]{1,4})?")


def to_text(value: Any, work: Work) -> str:
    """A settled value as it stands inside other text: none is empty, lists and dictionaries are JSON."""
    kind = type(value)
    if kind is str:
        spend_text(work, len(value))
        return value  # type: ignore[no-any-return]  # it is a str, exactly
    if value is None:
        return ""
    return to_json(value, work)


def to_json(value: Any, work: Work) -> str:
    """A settled value as JSON; what JSON can't say (nan, infinity) is null.

    Raises:
        Refusal: too large, or not plain.
    """
    if type(value) in SCALARS:
        return _scalar(value, work)
    whole = copy(value, work)
    _prepare(whole, work)
    return json.dumps(whole, ensure_ascii=False)


def _scalar(value: Any, work: Work) -> str:
    if type(value) is str:
        spend_text(work, 6 * len(value))
        return json.dumps(value, ensure_ascii=False)
    if type(value) is float:
        return repr(value)
    check_number(value)
    return "null" if value is None else str(value).lower()


def _prepare(value: Any, work: Work) -> None:
    """Make our own copy fit for JSON and charge for its text: a control character takes six."""
    pairs = enumerate(value) if type(value) is list else list(value.items())
    spend(work, 4 * len(value))
    characters = 0
    for key, each in pairs:
        kind = type(each)
        if type(key) is str:
            characters += len(key)
        if kind is str:
            characters += len(each)
        elif kind is list or kind is dict:
            _prepare(each, work)
        elif kind is int:
            check_number(each)
        elif kind is float and not math.isfinite(each):
            value[key] = None
    spend_text(work, 6 * characters)


def check_number(value: Any) -> None:
    """Refuse whole numbers beyond `BITS`: making text of them takes long, and Python refuses it too."""
    if isinstance(value, int) and value.bit_length() > BITS:
        raise Refusal("This number is too large for an expression.")


def to_number(value: Any) -> int | float:
    """A number, or the number that a text spells; none that an expression couldn't hold.

    Raises:
        Refusal: neither.
    """
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]  # it is a number, exactly
    if kind is bool:
        return int(value)
    text = value.strip() if kind is str and len(value) <= 200 else ""  # noqa: PLR2004  # no number that we take is longer
    if _WHOLE.fullmatch(text):
        check_number(whole := int(text))
        return whole
    if _DECIMAL.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            return number
    raise Refusal(f"{subject(value)} is no number.")


def is_number_text(value: Any) -> bool:
    """Whether a text spells a number that `to_number` takes."""
    try:
        to_number(value)
    except Refusal:
        return False
    return True
