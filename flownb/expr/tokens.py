"""Text to tokens: names, keys, literals, operators and brackets, each with its place.

This is where an expression differs from Python: `a.0.b` is a path, a word after a dot may be any word (`mail.from`),
`x|f(y)` is a pipe, `true`, `false` and `null` are literals beside Python's. Text that reaches Python's parser later is
made from these tokens; nothing of the user's own spelling gets there.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from flownb.expr import limits
from flownb.expr.refusal import Refusal


class Kind(StrEnum):
    """What a token is."""

    NAME = "name"
    #: The word after a dot.
    KEY = "key"
    #: The function after a `|`.
    PIPE = "pipe"
    LITERAL = "literal"
    OPERATOR = "operator"


class Mode(StrEnum):
    """Where an expression stands, which says what double braces mean."""

    #: A bare expression: there are none.
    BARE = "bare"
    #: Inside a template: `}}` ends it.
    TEMPLATE = "template"
    #: A condition: `{{ x }}` is `(x)`.
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `value` is the word, the decoded literal or the operator as Python spells it."""

    kind: Kind
    value: Any
    position: int


_BLANK: Final = re.compile(r"[ \t\r\n]+")
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_STRING: Final = {
    '"': re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL),
    "'": re.compile(r"'([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL),
}
_OPERATOR: Final = re.compile(r"\*\*|//|===?|!==?|<=|>=|<<|>>|&&|\|\||:=|->|[-+*/%<>()\[\]{},:.|]|[=!?;@&^~`$#\\]")
_ESCAPE: Final = re.compile(r"\\(?:([\\'\"nrt])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2}))")
# Control characters hide what is there; lone surrogates can't be written to any file.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SIMPLE: Final = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}

_CONSTANTS: Final[dict[str, Any]] = {
    "True": True,
    "False": False,
    "None": None,
    "true": True,
    "false": False,
    "none": None,
    "null": None,
}
_WORD_OPERATORS: Final = frozenset({"and", "or", "not", "in", "is", "if", "else"})
_OPERATORS: Final = frozenset({"+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", ",", ":"})
_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "{{": "}}"}
_INSTEAD: Final = {
    "**": "There are no powers in expressions; use a node with code.",
    "=": "Use == to compare; an expression can't assign.",
    ":=": "An expression can't assign.",
    "===": "Use ==.",
    "!==": "Use !=.",
    "&&": "Use `and`.",
    "||": "Use `or`.",
    "!": "Use `not`.",
    "?": "Use `a if condition else b`.",
    "`": "Use ' or \" around text.",
    "#": "There are no comments in expressions.",
    "$": "Names stand without $.",
}


class Scanner:
    """Reads one expression out of `text`, from `start` on.

    After `scan`, `end` is the offset behind the expression: behind its `}}` inside a template.
    """

    def __init__(self, text: str, start: int = 0, mode: Mode = Mode.BARE) -> None:
        self.end = start
        self._text = text
        self._start = start
        self._mode = mode
        self._tokens: list[Token] = []
        self._open: list[tuple[str, int]] = []
        self._unary = 0
        self._branches = 0

    def scan(self) -> list[Token]:
        """The tokens of the expression.

        Raises:
            Refusal: something that no expression can hold, with its place.
        """
        text, size = self._text, len(self._text)
        while True:
            if blank := _BLANK.match(text, self.end):
                self.end = blank.end()
            if self.end - self._start > limits.TEXT:
                raise Refusal(f"An expression may have {limits.TEXT:,} characters.", self._start)
            if self.end >= size:
                break
            if self._mode is Mode.TEMPLATE and not self._open and text.startswith("}}", self.end):
                self.end += 2
                return self._tokens
            self._next(text[self.end])
            if len(self._tokens) > limits.TOKENS:
                raise Refusal(f"An expression may have {limits.TOKENS:,} words and signs.", self._start)
        if self._open:
            bracket, position = self._open[-1]
            raise Refusal(f"{bracket!r} is never closed.", position)
        if self._mode is Mode.TEMPLATE:
            raise Refusal("`{{` is never closed by `}}`.", max(self._start - 2, 0))
        return self._tokens

    def _next(self, first: str) -> None:
        position = self.end
        if first in "\"'":
            self._string(position, raw=False)
        elif word := _WORD.match(self._text, position):
            if "0" <= first <= "9":
                self._number(position)
            else:
                self._word(word.group(), position)
        elif first == "." and not self._after_operand() and _NUMBER.match(self._text, position):
            self._number(position)
        else:
            self._sign(position)

    def _add(self, kind: Kind, value: Any, position: int, end: int) -> None:
        self._tokens.append(Token(kind, value, position))
        self.end = end

    def _after_operand(self) -> bool:
        if not self._tokens:
            return False
        last = self._tokens[-1]
        return last.kind is not Kind.OPERATOR or last.value in (")", "]", "}")

    # --- operands ---------------------------------------------------------------------------------------------------

    def _word(self, word: str, position: int) -> None:
        end = position + len(word)
        if word in ("r", "R") and self._text[end : end + 1] in ("'", '"'):
            self._string(end, raw=True)
        elif self._text[end : end + 1] in ("'", '"') and word.lower() in ("f", "b", "u", "rb", "br", "fr", "rf", "t"):
            raise Refusal(f"There is no {word}'…' text in expressions; write it without the {word!r}.", position)
        elif word in _CONSTANTS:
            self._add(Kind.LITERAL, _CONSTANTS[word], position, end)
        elif word in _WORD_OPERATORS:
            self._count_nesting(word, position)
            self._add(Kind.OPERATOR, word, position, end)
        elif keyword.iskeyword(word):
            raise Refusal(f"An expression can't use {word!r}.", position)
        else:
            self._add(Kind.NAME, _checked_name(word, position), position, end)

    def _number(self, position: int) -> None:
        match = _NUMBER.match(self._text, position)
        assert match is not None
        digits, end = match.group(), match.end()
        if word := _WORD.match(self._text, end):
            raise Refusal(f"{digits + word.group()!r} is neither a number nor a name.", position)
        whole = digits.isdecimal()
        if whole and len(digits) > 1 and digits[0] == "0":
            raise Refusal(f"{digits!r} is no number; put it in quotes if it is text.", position)
        value: int | float = int(digits[: limits.BITS]) if whole else float(digits)
        if value.bit_length() > limits.BITS if isinstance(value, int) else value == float("inf"):
            raise Refusal("This number is too large for an expression.", position)
        self._add(Kind.LITERAL, value, position, end)

    def _string(self, position: int, *, raw: bool) -> None:
        match = _STRING[self._text[position]].match(self._text, position)
        if match is None:
            raise Refusal("The text in quotes is never closed.", position)
        inside = match.group(1)
        if bad := _FORBIDDEN.search(inside):
            raise Refusal(_unexpected(bad.group()), match.start(1) + bad.start())
        if self._mode is Mode.CONDITION and "{{" in inside and "}}" in inside:
            raise Refusal("Leave out the quotes around {{ }}: inside quotes it is only text.", position)
        start = position - 1 if raw else position
        self._add(Kind.LITERAL, inside if raw else _unescaped(inside, position), start, match.end())

    # --- operators and brackets -------------------------------------------------------------------------------------

    def _sign(self, position: int) -> None:
        match = _OPERATOR.match(self._text, position)
        if match is None:
            raise Refusal(_unexpected(self._text[position]), position)
        sign = match.group()
        if sign in "([{":
            self._bracket(sign, position)
        elif sign in ")]}":
            self._close(sign, position)
        elif sign == ".":
            self._key(position)
        elif sign == "|":
            self._pipe(position)
        elif sign in _OPERATORS:
            self._count_nesting(sign, position)
            self._add(Kind.OPERATOR, sign, position, match.end())
        else:
            raise Refusal(_INSTEAD.get(sign, f"{sign!r} has no meaning in an expression."), position)

    def _bracket(self, sign: str, position: int) -> None:
        if sign == "{" and self._text.startswith("{{", position):
            if self._mode is not Mode.CONDITION:
                raise Refusal("`{{` can't stand inside an expression; put it in quotes if it is text.", position)
            sign = "{{"
        if len(self._open) >= limits.BRACKETS:
            raise Refusal("This is nested too deeply for an expression.", position)
        self._open.append((sign, position))
        self._unary = 0
        self._add(Kind.OPERATOR, "(" if sign == "{{" else sign, position, position + len(sign))

    def _close(self, sign: str, position: int) -> None:
        if not self._open:
            if sign == "}" and self._mode is Mode.TEMPLATE:
                raise Refusal("`{{` is closed by `}}`, not by a single `}`.", position)
            raise Refusal(f"There is a {sign!r} too many.", position)
        bracket, opened = self._open.pop()
        wanted = _CLOSING[bracket]
        if not self._text.startswith(wanted, position):
            raise Refusal(f"{bracket!r} is closed by {sign!r} instead of {wanted!r}.", opened)
        self._add(Kind.OPERATOR, ")" if wanted == "}}" else wanted, position, position + len(wanted))

    def _key(self, position: int) -> None:
        start = position + 1
        if blank := _BLANK.match(self._text, start):
            start = blank.end()
        word = _WORD.match(self._text, start)
        if word is None or not self._after_operand():
            raise Refusal("A dot stands between a name and a key or a number, as in `order.lines.0`.", position)
        self._add(Kind.KEY, _checked_name(word.group(), start), start, word.end())

    def _pipe(self, position: int) -> None:
        start = position + 1
        if blank := _BLANK.match(self._text, start):
            start = blank.end()
        word = _WORD.match(self._text, start)
        if word is None or not self._after_operand():
            raise Refusal("A | stands between a value and a function, as in `name|upper`.", position)
        self._add(Kind.PIPE, word.group(), start, word.end())

    def _count_nesting(self, sign: str, position: int) -> None:
        """Bound what Python's parser would recurse into without a bracket: chains of signs, and of `if … else`."""
        if sign == "else":
            self._branches += 1
        elif self._after_operand():
            self._unary = 0
        elif sign in ("+", "-", "not"):
            self._unary += 1
        if max(self._unary, self._branches) > limits.BRACKETS:
            raise Refusal("This is nested too deeply for an expression.", position)


def _checked_name(word: str, position: int) -> str:
    """The word itself, if it reads as what it is: letters that only look alike are refused."""
    if not word.isascii() and unicodedata.normalize("NFKC", word) != word:
        normal = unicodedata.normalize("NFKC", word)
        raise Refusal(f"{word!r} looks like {normal!r} but is not; write the plain letters, or use quotes.", position)
    return word


def _unescaped(inside: str, position: int) -> str:
    r"""Resolve `\\`, `\'`, `\"`, `\n`, `\r`, `\t`, `\xHH`, `\uHHHH`; other backslashes stay, as patterns need them."""
    if "\\" not in inside:
        return inside

    def char(match: re.Match[str]) -> str:
        simple, four, eight, two = match.groups()
        if simple:
            return _SIMPLE[simple]
        code = int(four or eight or two, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  # Unicode's own bounds
            raise Refusal(f"{match.group()!r} is no character.", position + 1 + match.start())
        return chr(code)

    return _ESCAPE.sub(char, inside)


def _unexpected(char: str) -> str:
    name = unicodedata.name(char, "a control character")
    shown = f"{char!r} " if char.isprintable() else ""
    return f"The character {shown}(U+{ord(char):04X}, {name}) has no meaning in an expression."
