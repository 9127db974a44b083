"""Conditions: text, or objects as a form makes them.

An object names an operator and its sides: `{"type": "equals", "left": "{{ order.total }}", "right": 5}`. A side is a
template, or any other plain value as it is. Groups are `{"and": […]}`, `{"or": […]}` and `{"not": …}`; a text among
them is a condition in text.

| `type` | Holds when |
|---|---|
| `equals`, `not_equals` | left is (not) right |
| `greater_than`, `greater_than_or_equal` | so by order; text that spells a number counts as the number |
| `less_than`, `less_than_or_equal` | likewise |
| `between` | `low` ≤ left ≤ `high`, or right is `[low, high]` |
| `in`, `not_in` | left is (not) in right: an entry of a list, a part of a text, a key of an object |
| `contains`, `not_contains` | the other way round |
| `starts_with`, `ends_with`, `matches` | the text left does so with the text right |
| `exists`, `not_exists` | left is there and not none |
| `empty`, `not_empty` | left is missing, none, or has no characters or entries |
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import near_names
from flownb.expr import limits, operators
from flownb.expr.access import Live, describe, settle
from flownb.expr.closures import constant
from flownb.expr.compile import Compiled
from flownb.expr.expression import Condition, compile_condition_text, reading
from flownb.expr.frame import Frame, Rows
from flownb.expr.functions import TABLE
from flownb.expr.limits import Work, new_work
from flownb.expr.plain import copy, equal, truth
from flownb.expr.refusal import Missing, Refusal, as_error, from_exception
from flownb.expr.template import compile_template
from flownb.expr.text import is_number_text, to_json, to_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.expr.paths import Closure

    Test = Callable[[Any, Any, Work], bool]

_SIDES: Final = {"left": ("left", "text"), "right": ("right", "search")}


def _order(compare: Callable[[Any, Any], Any]) -> Test:
    def test(left: Any, right: Any, work: Work) -> bool:
        if is_number_text(left) and is_number_text(right):
            left, right = to_number(left), to_number(right)
        return operators.ordered(compare, left, right, work)

    return test


_less_or_equal: Final = _order(operator.le)


def _between(left: Any, right: Any, work: Work) -> bool:
    if type(right) is not list or len(right) != 2:  # noqa: PLR2004  # a low and a high end
        raise Refusal(f"between needs `low` and `high`, or a list of both; this is {describe(right)}.")
    return _less_or_equal(right[0], left, work) and _less_or_equal(left, right[1], work)


def _by_function(name: str) -> Test:
    call = TABLE[name].call
    assert call is not None
    return lambda left, right, work: bool(call(work, left, right))


_TESTS: Final[dict[str, Test]] = {
    "equals": equal,
    "not_equals": lambda left, right, work: not equal(left, right, work),
    "greater_than": _order(operator.gt),
    "greater_than_or_equal": _order(operator.ge),
    "less_than": _order(operator.lt),
    "less_than_or_equal": _less_or_equal,
    "between": _between,
    "in": lambda left, right, work: operators.contains(right, left, work),
    "not_in": lambda left, right, work: not operators.contains(right, left, work),
    "contains": operators.contains,
    "not_contains": lambda left, right, work: not operators.contains(left, right, work),
    "starts_with": _by_function("startswith"),
    "ends_with": _by_function("endswith"),
    "matches": _by_function("matches"),
}


def _is_there(value: Any) -> bool:
    return value is not None


def _has_content(value: Any) -> bool:
    return len(value) > 0 if type(value) in (str, list, dict, Rows, Frame) else value is not None


#: What is asked of one side, which may be missing, and what the answer must be.
_QUESTIONS: Final[dict[str, tuple[Callable[[Any], bool], bool]]] = {
    "exists": (_is_there, True),
    "not_exists": (_is_there, False),
    "empty": (_has_content, False),
    "not_empty": (_has_content, True),
}


def compile_condition(condition: Any) -> Condition:
    """Read a condition: text, `true` or `false`, or an object.

    The `.text` of an error in an object is the text of the side where it happened, else the object as JSON.

    Raises:
        ExpressionError: it can't be read.
    """
    if issubclass(type(condition), str):
        return compile_condition_text(condition)
    try:
        whole = copy(settle(condition, work := new_work(), "the condition"), work)
        text = to_json(whole, work)
    except Refusal as refusal:
        raise as_error(refusal, "") from None
    except Exception as error:  # noqa: BLE001  # whatever is handed in, one kind of error leaves
        raise from_exception(error, "") from None
    return Condition(text, reading(text, lambda: _Reader().read(whole)))


class _Reader:
    def __init__(self) -> None:
        self._count = 0
        self._depth = 0

    def read(self, condition: Any) -> Compiled:
        """One condition of any form.

        Raises:
            Refusal: it is none.
        """
        self._count += 1
        if self._count > limits.CONDITIONS:
            raise Refusal(f"A condition may have {limits.CONDITIONS} parts.")
        if type(condition) is bool:
            return _fixed(condition)
        if type(condition) is str:
            return _text(condition)
        if type(condition) is not dict:
            raise Refusal(f"A condition is text or an object with a `type`; this is {describe(condition)}.")
        self._depth += 1
        if self._depth > limits.BRACKETS:
            raise Refusal("These conditions are nested too deeply.")
        read = self._group(condition) if "type" not in condition else _leaf(condition)
        self._depth -= 1
        return read

    def _group(self, condition: dict[str, Any]) -> Compiled:
        if len(condition) != 1 or (word := next(iter(condition))) not in ("and", "or", "not"):
            found = ", ".join(str(key)[:20] for key in list(condition)[:5]) or "nothing"
            raise Refusal(f"A condition has a `type`, or is a group `and`, `or` or `not`; this one has {found}.")
        inside = condition[word]
        if word == "not":
            return _negated(self.read(inside))
        if type(inside) is not list or not inside:
            found = "this list is empty" if inside == [] else f"this is {describe(inside)}"
            raise Refusal(f"The group {word!r} needs a list of conditions; {found}.")
        return _joined([self.read(each) for each in inside], stop=word == "or")


def _leaf(condition: dict[str, Any]) -> Compiled:
    name = condition["type"]
    question = _QUESTIONS.get(name) if type(name) is str else None
    test = _TESTS.get(name) if type(name) is str else None
    if question is None and test is None:
        shown = name[:40] if type(name) is str else describe(name)
        near = near_names(shown, [*_TESTS, *_QUESTIONS])
        raise Refusal(f"There is no condition of type {shown!r}.{near}")
    known = {"type", "left", "text"} if question else {"type", "left", "text", "right", "search"}
    if name == "between":
        known |= {"low", "high"}
    if unknown := [str(key)[:40] for key in condition if key not in known]:
        raise Refusal(f"A condition {name!r} has no {unknown[0]!r}.{near_names(unknown[0], known)}")
    if question is not None:
        return _asking(_side(condition, "left"), *question)
    assert test is not None
    if name == "between" and "low" in condition and "high" in condition:
        return _testing(test, _side(condition, "left"), _value([condition["low"], condition["high"]]))
    return _testing(test, _side(condition, "left"), _side(condition, "right"))


def _side(condition: dict[str, Any], side: str) -> Compiled:
    for key in _SIDES[side]:
        if key in condition:
            return _value(condition[key])
    raise Refusal(f"A condition {condition['type']!r} needs a {side!r}.")


# --- closures -------------------------------------------------------------------------------------------------------


def _united(run: Closure, parts: list[Compiled]) -> Compiled:
    needed = frozenset[str]().union(*(each.names - each.optional for each in parts))
    optional = frozenset[str]().union(*(each.optional for each in parts)) - needed
    return Compiled(run, needed | optional, optional, None, tuple(path for each in parts for path in each.paths))


def _fixed(value: Any) -> Compiled:
    return Compiled(constant(value), frozenset(), frozenset())


def _text(text: str) -> Compiled:
    condition = compile_condition_text(text)
    return replace(condition.compiled, run=_named(condition.compiled.run, text))


def _value(value: Any) -> Compiled:
    """A side: a template where it is text, also inside lists and objects; else the value as it is."""
    if type(value) is str:
        template = compile_template(value)
        return Compiled(_named(template.run, value), template.names, template.optional, template.lone, template.paths)
    if type(value) is list:
        parts = [_value(each) for each in value]
        return _united(lambda roots, work: [each.run(roots, work) for each in parts], parts)
    if type(value) is dict:
        pairs = {key: _value(each) for key, each in value.items()}
        return _united(
            lambda roots, work: {key: each.run(roots, work) for key, each in pairs.items()}, list(pairs.values())
        )
    return _fixed(value)


def _named(run: Closure, text: str) -> Closure:
    """The closure, whose refusals say that they belong to this text; a missing value stays what it is."""

    def read(roots: dict[str, Any], work: Work) -> Any:
        try:
            return run(roots, work)
        except Refusal as refusal:
            refusal.text = text
            raise

    return read


def _negated(inside: Compiled) -> Compiled:
    return _united(lambda roots, work: not truth(inside.run(roots, work)), [inside])


def _joined(parts: list[Compiled], *, stop: bool) -> Compiled:
    def run(roots: dict[str, Any], work: Work) -> bool:
        return any(truth(each.run(roots, work)) is stop for each in parts) is stop

    return _united(run, parts)


def _testing(test: Test, left: Compiled, right: Compiled) -> Compiled:
    return _united(lambda roots, work: test(left.run(roots, work), right.run(roots, work), work), [left, right])


def _asking(side: Compiled, ask: Callable[[Any], bool], wanted: bool) -> Compiled:
    def run(roots: dict[str, Any], work: Work) -> bool:
        try:
            value = side.run(roots, work)
        except Missing:
            value = None
        except Live:
            # An object that is no data is there, and has content.
            return wanted
        return ask(value) is wanted

    return Compiled(run, side.names, side.names)
