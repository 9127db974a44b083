"""Templates: text with `{{ expressions }}` in it.

A template that is nothing but one `{{ x }}` keeps the type of x; in any other text every value becomes text. A literal
`{{` is written `{{ "{{" }}`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import ExpressionError
from flownb.expr import limits
from flownb.expr.access import SCALARS
from flownb.expr.compile import Compiled, compile_tree
from flownb.expr.expression import REMEMBERED, REMEMBERED_TEXT, Data, as_roots, as_text, missing_paths, reading
from flownb.expr.limits import Work, new_work
from flownb.expr.parse import Tree
from flownb.expr.plain import copy
from flownb.expr.refusal import Refusal, as_error, from_exception
from flownb.expr.text import to_text
from flownb.expr.tokens import Mode, Scanner

if TYPE_CHECKING:
    from flownb.expr.paths import Closure

_OPEN: Final = "{{"
_CLOSE: Final = "}}"


class Template:
    """A compiled template.

    `names` are all root names that it reads, `optional` those of them that stand only inside `default`, `exists` or
    `coalesce`; `lone` is the name, if the template is nothing but `{{ name }}`; `constant` says that there is no
    expression in it, and its value is the text itself.
    """

    __slots__ = ("_compiled", "_parts", "lone", "names", "optional", "run", "text")

    def __init__(self, text: str, parts: list[str | Compiled]) -> None:
        self.text = text
        self._compiled = [part for part in parts if isinstance(part, Compiled)]
        self.names = frozenset[str]().union(*(each.names for each in self._compiled))
        needed = frozenset[str]().union(*(each.names - each.optional for each in self._compiled))
        self.optional = self.names - needed
        single = self._compiled[0] if len(parts) == 1 and self._compiled else None
        self.lone = single.lone if single else None
        #: Gives the settled value, and refuses with a place in the whole text.
        self.run: Closure = single.run if single else self._join
        self._parts: list[str | Closure] = [part.run if isinstance(part, Compiled) else part for part in parts]

    @property
    def required(self) -> frozenset[str]:
        """The names that the data must have."""
        return self.names - self.optional

    @property
    def constant(self) -> bool:
        """Whether there is no expression in it."""
        return not self._compiled

    def evaluate(self, data: Data) -> Any:
        """The value: text, or for a single `{{ x }}` what x is (a copy in plain data; a lone name's very value).

        Raises:
            ExpressionError: whatever the reason; `.position` is the place in `.text`, the whole template.
        """
        try:
            roots: Any = data if type(data) is dict else as_roots(data, self.names)
            if self.lone is not None and self.lone in roots:
                return roots[self.lone]
            work = new_work()
            value = self.run(roots, work)
            return value if type(value) in SCALARS else copy(value, work)
        except Refusal as refusal:
            raise as_error(refusal, self.text) from None
        except ExpressionError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the data does, one kind of error leaves
            raise from_exception(error, self.text) from None

    def _join(self, roots: dict[str, Any], work: Work) -> str:
        pieces = [each if isinstance(each, str) else to_text(each(roots, work), work) for each in self._parts]
        if sum(map(len, pieces)) > limits.RENDERED:
            raise Refusal(f"This would make a text of more than {limits.RENDERED:,} characters.")
        return "".join(pieces)

    @property
    def paths(self) -> tuple[Closure, ...]:
        """Closures of the paths that must be there."""
        return tuple(path for each in self._compiled for path in each.paths)

    def problems(self, data: Data) -> list[ExpressionError]:
        """What is wrong with the template on this data: each missing path, else why it can't be evaluated."""
        found = missing_paths(self._compiled, self.text, data)
        if not found:
            try:
                self.evaluate(data)
            except ExpressionError as error:
                found.append(error)
        return found

    def __repr__(self) -> str:
        return f"Template({self.text!r})"


def compile_template(text: str) -> Template:
    """Read a template; what was read lately is remembered, unless it is long.

    Raises:
        ExpressionError: an expression in it can't be read, or its braces don't match.
    """
    text = as_text(text, limits.TEMPLATE)
    return _remembered(text) if len(text) <= REMEMBERED_TEXT else _read(text)


def _read(text: str) -> Template:
    return Template(text, reading(text, lambda: _parts(text)))


_remembered = lru_cache(REMEMBERED)(_read)


def _parts(text: str) -> list[str | Compiled]:
    parts: list[str | Compiled] = []
    end = expressions = 0
    while True:
        start = text.find(_OPEN, end)
        before = text[end:] if start < 0 else text[end:start]
        if (stray := before.find(_CLOSE)) >= 0:
            raise Refusal('This `}}` closes no `{{`; as plain text it is written {{ "}}" }}.', end + stray)
        if before:
            parts.append(before)
        if start < 0:
            return parts
        scanner = Scanner(text, start + len(_OPEN), Mode.TEMPLATE)
        parts.append(compile_tree(Tree(scanner.scan(), start)))
        end = scanner.end
        expressions += end - start
        if expressions > limits.TEMPLATE_EXPRESSIONS:
            most = limits.TEMPLATE_EXPRESSIONS
            raise Refusal(f"The expressions of a template may have {most:,} characters together.", start)


def render(template: str, data: Data) -> Any:
    """The value of a template on data, which is a mapping of root names to values.

    Raises:
        ExpressionError: whatever the template and the data.
    """
    return compile_template(template).evaluate(data)
