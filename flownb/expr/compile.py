"""The checked tree to closures: a whitelist of node types, each with one meaning over settled values.

There is no loop in the language and no call but of the fixed functions, so a closure runs once and its work is bounded
by the tree and by the budget (`limits.py`).
"""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import near_names
from flownb.expr import closures, limits, operators
from flownb.expr.access import describe, entry, part
from flownb.expr.functions import TABLE
from flownb.expr.paths import compile_path, missing_root, shown_path
from flownb.expr.plain import equal, truth
from flownb.expr.refusal import Refusal
from flownb.expr.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.expr.limits import Work
    from flownb.expr.operators import Binary
    from flownb.expr.parse import Tree
    from flownb.expr.paths import Closure

_BINARY: Final[dict[type[ast.operator], Binary]] = {
    ast.Add: operators.add,
    ast.Sub: operators.subtract,
    ast.Mult: operators.multiply,
    ast.Div: operators.divide,
    ast.FloorDiv: operators.floor_divide,
    ast.Mod: operators.modulo,
}
_ORDER: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """What compiling gives."""

    #: Takes the roots and the budget, gives a settled value.
    run: Closure
    #: All root names that it reads.
    names: frozenset[str]
    #: Those of them that stand only inside `default`, `exists` or `coalesce`.
    optional: frozenset[str]
    #: The name, if there is nothing else.
    lone: str | None = None
    #: Closures of the paths that must be there.
    paths: tuple[Closure, ...] = ()


def compile_tree(tree: Tree) -> Compiled:
    """The closure of a tree, and what it reads.

    Raises:
        Refusal: something in it has no meaning in an expression.
    """
    compiler = _Compiler(tree)
    run = compiler.compile(tree.root)
    optional = frozenset(compiler.forgiven - compiler.needed)
    lone = tree.token(tree.root.id) if isinstance(tree.root, ast.Name) else None
    return Compiled(
        run=run,
        names=optional | compiler.needed,
        optional=optional,
        lone=lone.value if lone and lone.kind is Kind.NAME else None,
        paths=tuple(compiler.paths),
    )


class _Compiler:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.needed: set[str] = set()
        self.forgiven: set[str] = set()
        self.paths: list[Closure] = []
        self._forgiving = 0
        self._depth = 0

    def compile(self, node: ast.expr) -> Closure:
        """The closure of a node.

        Raises:
            Refusal: the node has no meaning in an expression.
        """
        self._depth += 1
        if self._depth > limits.DEPTH:
            raise Refusal("This is nested too deeply for an expression.", self.tree.position(node))
        for kind, method in _METHODS.items():
            if type(node) is kind:
                closure = method(self, node)
                self._depth -= 1
                return closure
        raise Refusal(f"This has no meaning in an expression ({type(node).__name__}).", self.tree.position(node))

    # --- names and paths --------------------------------------------------------------------------------------------

    def name(self, node: ast.Name) -> Closure:
        token = self.tree.token(node.id)
        if token.kind is Kind.LITERAL:
            return closures.constant(token.value)
        return self._path(token.value, [], [token.position])

    def _path(self, root: str, keys: list[str | int], positions: list[int]) -> Closure:
        (self.forgiven if self._forgiving else self.needed).add(root)
        closure = compile_path(root, keys, positions, self._hint(root))
        if not self._forgiving:
            self.paths.append(closure)
        return closure

    def _hint(self, root: str) -> str:
        return f" The function is called as {root}(…)." if root in TABLE else ""

    def chain(self, node: ast.Attribute | ast.Subscript) -> Closure:
        """A base and what follows it: `.key`, `[index]`, `[from:to]`, or a pipe into a function without arguments."""
        steps: list[ast.Attribute | ast.Subscript] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute | ast.Subscript) and not self._is_pipe(base):
            steps.append(base)
            base = base.value
        if isinstance(base, ast.Attribute) and not steps:
            return self._call(base.attr, [base.value], base)
        steps.reverse()
        keys: list[str | int] = []
        positions: list[int] = []
        while isinstance(base, ast.Name) and len(keys) < len(steps):
            key, position = self._fixed_key(steps[len(keys)])
            if key is None:
                break
            keys.append(key)
            positions.append(position)
        root = self.tree.token(base.id) if isinstance(base, ast.Name) else None
        if root is None or root.kind is not Kind.NAME:
            keys, closure, shown = [], self.compile(base), "this value"
        else:
            closure, shown = self._path(root.value, keys, [root.position, *positions]), shown_path(root.value, keys)
        for step in steps[len(keys) :]:
            closure = self._step(closure, step, shown)
        return closure

    def _is_pipe(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Attribute) and node.attr[0] == "p"

    def _fixed_key(self, step: ast.Attribute | ast.Subscript) -> tuple[str | int | None, int]:
        """The key of a step, if the text fixes it, and its place."""
        if isinstance(step, ast.Attribute):
            token = self.tree.token(step.attr)
            return token.value, token.position
        inner, sign = step.slice, 1
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub):
            inner, sign = inner.operand, -1
        if isinstance(inner, ast.Name):
            token = self.tree.token(inner.id)
            if token.kind is Kind.LITERAL and (type(token.value) is int or (type(token.value) is str and sign == 1)):
                return token.value * sign if sign < 0 else token.value, token.position
        return None, 0

    def _step(self, base: Closure, step: ast.Attribute | ast.Subscript, what: str) -> Closure:
        position = self.tree.position(step.slice if isinstance(step, ast.Subscript) else step)
        if isinstance(step, ast.Subscript) and isinstance(step.slice, ast.Slice):
            return self._slice(base, step.slice, what, position)
        fixed, place = self._fixed_key(step)
        key = closures.constant(fixed) if fixed is not None else self.compile(step.slice)  # type: ignore[union-attr]  # a fixed key is all that an Attribute has
        return closures.guarded(
            lambda data, work: entry(base(data, work), key(data, work), work, what), place or position
        )

    def _slice(self, base: Closure, node: ast.Slice, what: str, position: int) -> Closure:
        first, last, step = (
            closures.constant(None) if each is None else self.compile(each)
            for each in (node.lower, node.upper, node.step)
        )

        def cut(data: dict[str, Any], work: Work) -> Any:
            value = base(data, work)
            return part(value, slice(first(data, work), last(data, work), step(data, work)), work, what)

        return closures.guarded(cut, position)

    # --- functions --------------------------------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Closure:
        if node.keywords:
            raise Refusal("Arguments have no names in expressions.", self.tree.position(node.keywords[0].value))
        if isinstance(node.func, ast.Name) and self.tree.token(node.func.id).kind is Kind.NAME:
            return self._call(node.func.id, node.args, node)
        if isinstance(node.func, ast.Attribute):
            token = self.tree.token(node.func.attr)
            if token.kind is Kind.PIPE:
                return self._call(node.func.attr, [node.func.value, *node.args], node)
            way_out = f" Write {token.value}(value) instead." if token.value in TABLE else ""
            raise Refusal(f"Values have no methods in expressions.{way_out}", token.position)
        raise Refusal("Only functions can be called.", self.tree.position(node))

    def _call(self, placeholder: str, arguments: list[ast.expr], node: ast.expr) -> Closure:
        token = self.tree.token(placeholder)
        name, position = token.value, token.position
        function = TABLE.get(name)
        if function is None:
            raise Refusal(f"There is no function {name!r}.{near_names(name[:40], TABLE)}", position)
        if not function.least <= len(arguments) <= function.most:
            wanted = str(function.least)
            if function.most != function.least:
                wanted += f" to {function.most}"
            raise Refusal(f"{name} takes {wanted} arguments, not {len(arguments)}.", position)
        if any(isinstance(each, ast.Starred) for each in arguments):
            raise Refusal("Arguments can't be spread with * in expressions.", self.tree.position(node))
        if function.call is None:
            return closures.guarded(self._lazy(name, arguments), position)
        return closures.calling(function.call, [self.compile(each) for each in arguments], position)

    def _lazy(self, name: str, arguments: list[ast.expr]) -> Closure:
        if name == "type":
            return closures.kind_of(self._raw(arguments[0]))
        self._forgiving += 1
        try:
            if name == "exists":
                return closures.exists(self._raw(arguments[0]))
            parts = [self.compile(each) for each in arguments]
        finally:
            self._forgiving -= 1
        if name == "default":
            return closures.first_there(parts[:1], parts[1])
        return closures.first_there(parts, closures.constant(None))

    def _raw(self, node: ast.expr) -> Closure:
        """Like `compile`, but a lone name is read without asking whether it is plain."""
        closure = self.compile(node)
        if not isinstance(node, ast.Name) or self.tree.token(node.id).kind is Kind.LITERAL:
            return closure
        token = self.tree.token(node.id)
        root, position, hint = token.value, token.position, self._hint(token.value)

        def read(data: dict[str, Any], _work: Work) -> Any:
            if root not in data:
                raise missing_root(root, data, position, hint)
            return data[root]

        return read

    # --- operators --------------------------------------------------------------------------------------------------

    def binary(self, node: ast.BinOp) -> Closure:
        operation = _BINARY.get(type(node.op))
        if operation is None:
            raise Refusal("This operator has no meaning in an expression.", self.tree.position(node))
        left, right = self.compile(node.left), self.compile(node.right)
        return closures.operating(operation, left, right, self.tree.position(node))

    def unary(self, node: ast.UnaryOp) -> Closure:
        value, position = self.compile(node.operand), self.tree.position(node)
        if isinstance(node.op, ast.Not):
            return closures.guarded(lambda data, work: not truth(value(data, work)), position)
        operation = operators.negative if isinstance(node.op, ast.USub) else operators.positive
        return closures.guarded(lambda data, work: operation(value(data, work), work), position)

    def boolean(self, node: ast.BoolOp) -> Closure:
        parts = [self.compile(each) for each in node.values]
        return closures.joining(parts, self.tree.position(node), stop=isinstance(node.op, ast.Or))

    def conditional(self, node: ast.IfExp) -> Closure:
        test, yes, no = self.compile(node.test), self.compile(node.body), self.compile(node.orelse)
        return closures.guarded(
            lambda data, work: yes(data, work) if truth(test(data, work)) else no(data, work),
            self.tree.position(node.test),
        )

    def compare(self, node: ast.Compare) -> Closure:
        left, right, *more = [self.compile(each) for each in (node.left, *node.comparators)]
        tests = [self._comparison(each, node.comparators[number]) for number, each in enumerate(node.ops)]
        position, op = self.tree.position(node), node.ops[0]
        if more:
            return closures.chain(tests, [left, right, *more], position)
        if (order := _ORDER.get(type(op))) is not None:
            return closures.ordering(order, tests[0], left, right, position)
        if isinstance(op, ast.Eq | ast.NotEq):
            return closures.equating(tests[0], left, right, position, wanted=isinstance(op, ast.Eq))
        return closures.operating(tests[0], left, right, position)

    def _comparison(self, op: ast.cmpop, right: ast.expr) -> Binary:
        if (order := _ORDER.get(type(op))) is not None:
            return lambda left, right, work: operators.ordered(order, left, right, work)
        if isinstance(op, ast.In | ast.NotIn):
            wanted = isinstance(op, ast.In)
            return lambda left, right, work: operators.contains(right, left, work) is wanted
        wanted = isinstance(op, ast.Eq | ast.Is)
        if isinstance(op, ast.Is | ast.IsNot):
            token = self.tree.token(right.id) if isinstance(right, ast.Name) else None
            if token is None or token.kind is not Kind.LITERAL or type(token.value) not in (bool, NoneType):
                raise Refusal("`is` asks for none, true or false; use == for other values.", self.tree.position(right))
            return lambda left, right, _work: (left is right) is wanted
        return lambda left, right, work: equal(left, right, work) is wanted

    # --- lists and dictionaries -------------------------------------------------------------------------------------

    def listing(self, node: ast.List | ast.Tuple) -> Closure:
        parts = [self.compile(each) for each in node.elts]
        return lambda data, work: [each(data, work) for each in parts]

    def mapping(self, node: ast.Dict) -> Closure:
        keys = [self.compile(each) for each in node.keys if each is not None]
        if len(keys) < len(node.values):
            raise Refusal("Objects can't be spread with ** in expressions.", self.tree.position(node))
        pairs = list(zip(keys, [self.compile(each) for each in node.values], strict=True))

        def make(data: dict[str, Any], work: Work) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for key, value in pairs:
                name = key(data, work)
                if type(name) is not str:
                    raise Refusal(f"The keys of an object are text; this is {describe(name)}.")
                made[name] = value(data, work)
            return made

        return closures.guarded(make, self.tree.position(node))


_METHODS: Final[dict[type[ast.expr], Callable[[_Compiler, Any], Closure]]] = {
    ast.Name: _Compiler.name,
    ast.Attribute: _Compiler.chain,
    ast.Subscript: _Compiler.chain,
    ast.Compare: _Compiler.compare,
    ast.BoolOp: _Compiler.boolean,
    ast.Call: _Compiler.call,
    ast.BinOp: _Compiler.binary,
    ast.UnaryOp: _Compiler.unary,
    ast.IfExp: _Compiler.conditional,
    ast.List: _Compiler.listing,
    ast.Tuple: _Compiler.listing,
    ast.Dict: _Compiler.mapping,
}
