"""Tokens to a checked tree, by Python's own parser.

The parser gets a line of placeholders: every name and every literal is written as `n7`, every key as `.k7`, every
piped function as `.p7`, where 7 is the token's number. So nothing that a user can spell (literals, escapes, letters
that Python would normalise) reaches it; what comes back is only structure, and every node knows its token.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from flownb.expr.refusal import Refusal
from flownb.expr.tokens import Kind, Token
from flownb.model.syntax import parsed

if TYPE_CHECKING:
    import ast

_PREFIX: Final = {Kind.NAME: "n", Kind.LITERAL: "n", Kind.KEY: ".k", Kind.PIPE: ".p"}


class Tree:
    """What Python's parser made of the tokens; `compile.py` takes the node types that it knows and refuses the rest.

    Raises:
        Refusal: this is no expression; `start` is the place if there are no tokens at all.
    """

    __slots__ = ("_columns", "root", "tokens")

    def __init__(self, tokens: list[Token], start: int = 0) -> None:
        if not tokens:
            raise Refusal("There is no expression here.", start)
        self.tokens = tokens
        last = tokens[-1]
        if last.kind is Kind.OPERATOR and last.value not in (")", "]", "}"):
            raise Refusal(f"Something is missing after {last.value!r}.", last.position)
        pieces: list[str] = []
        self._columns: list[int] = []
        column = 0
        for number, token in enumerate(tokens):
            prefix = _PREFIX.get(token.kind)
            piece = f"{prefix}{number}" if prefix else token.value
            pieces.append(piece)
            self._columns.append(column)
            column += len(piece) + 1
        try:
            self.root = parsed(" ".join(pieces), "eval").body
        except SyntaxError as error:
            raise self._unexpected(error) from None
        except (RecursionError, MemoryError):
            raise Refusal("This is nested too deeply for an expression.", tokens[0].position) from None

    def token(self, placeholder: str) -> Token:
        """The token that a placeholder stands for."""
        return self.tokens[int(placeholder[1:])]

    def position(self, node: ast.expr) -> int:
        """Where in the text a node begins."""
        return self._at(node.col_offset).position

    def _at(self, column: int) -> Token:
        return self.tokens[max(bisect_right(self._columns, column) - 1, 0)]

    def _unexpected(self, error: SyntaxError) -> Refusal:
        token = self._at((error.offset or 1) - 1)
        if "'else'" in error.msg:
            return Refusal("`if` needs an `else`, as in `a if condition else b`.", token.position)
        if "comma" in error.msg:
            return Refusal("Something is missing behind this, perhaps a comma.", token.position)
        if token.kind is Kind.OPERATOR:
            shown = repr(token.value)
        elif token.kind is Kind.LITERAL:
            shown = "This value"
        else:
            shown = f"The name {token.value!r}"
        return Refusal(f"{shown} is not expected here.", token.position)
