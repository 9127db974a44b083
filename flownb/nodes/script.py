"""Python text in a config: what is wrong with it, which names it takes from around it, and what it comes to."""

from __future__ import annotations

import ast
import builtins
import linecache
import symtable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flownb.errors import InvalidInput
from flownb.model.syntax import parsed
from flownb.nodes.items import items_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

#: What a text may use besides what is handed to it: the context of the run, and what expressions know.
CONTEXT_NAMES: Final = frozenset({"ctx", "variables", "trigger", "run"})
#: The variable whose value is the result, where the text assigns it.
RESULT: Final = "result"
_BUILTINS: Final = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


class Script(NamedTuple):
    """A text that was read: what runs, and the last expression, whose value is the result if nothing else is."""

    body: CodeType
    last: CodeType | None
    #: The names that it uses and does not make itself.
    names: frozenset[str]


@lru_cache(maxsize=1024)
def read(text: str, name: str) -> Script:
    """A text compiled; `name` is what tracebacks call it.

    Raises:
        SyntaxError: it is no Python; with line and column.
        ValueError: it has a character that Python takes nowhere.
    """
    tree = parsed(text, name=name)
    last: ast.expr | None = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body.pop().value
    body = compile(tree, name, "exec", dont_inherit=True)
    value = compile(ast.Expression(last), name, "eval", dont_inherit=True) if last is not None else None
    return Script(body, value, frozenset(_free(symtable.symtable(text, name, "exec"))))


def names_in(text: str) -> frozenset[str]:
    """The names that a text uses and does not make itself; none of one that can't be read."""
    try:
        return read(text, "<code>").names
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()


def fault_in(text: str) -> str:
    """What is wrong with a text, with its line; empty where it is Python."""
    try:
        read(text, "<code>")
    except SyntaxError as error:
        line = text.splitlines()[error.lineno - 1].strip() if error.lineno and text.strip() else ""
        at = f"line {error.lineno}" if error.lineno else "its code"
        return f"{at} is no Python: {error.msg}{f' (`{line:.60}`)' if line else ''}."
    except (ValueError, RecursionError, MemoryError) as error:
        return f"its code is no Python: {error or 'it is nested too deeply'}."
    return ""


def _free(table: symtable.SymbolTable) -> Iterator[str]:
    made = {each.get_name() for each in table.get_symbols() if each.is_assigned() or each.is_imported()}
    tables = [table]
    for each in tables:  # grows while it is walked
        tables += each.get_children()
        for symbol in each.get_symbols():
            outside = each is table or symbol.is_global()
            if outside and symbol.is_referenced() and symbol.get_name() not in made | _BUILTINS:
                yield symbol.get_name()


# --- what runs where the node runs ------------------------------------------------------------------------------------


def run(text: str, name: str, /, ctx: Any = None, **given: Any) -> Any:
    """Run a text on what is handed to it; comes back with `result`, else with the value of its last expression.

    Args:
        text: the code.
        name: of the node, for tracebacks.
        ctx: the context of the run, where the text names it or what is in it.
        given: the node's inputs.
    """
    script = _ready(text, name)
    return _once(script, {"__name__": f"flownb.{name}", **_around(ctx), **given})


def run_on(text: str, name: str, /, ctx: Any = None, **given: Any) -> Any:
    """Run a text on the one value that came in at `main`, and on what else is handed to it."""
    values = given.pop("main", [])
    if len(values) > 1:
        raise InvalidInput(f"{name} works on one value, and several came in at `main`: bring them together in a merge.")
    return run(text, name, ctx, **given, **({"main": values[0]} if values else {}))


def run_each(text: str, name: str, /, ctx: Any = None, **given: Any) -> list[Any]:
    """Run a text for each item of what came in at `main`, as `item` and `index`; comes back with their results."""
    script = _ready(text, name)
    around = {"__name__": f"flownb.{name}", **_around(ctx), **given}
    values = given.get("main")
    if not isinstance(values, list) or len(values) != 1:
        raise InvalidInput(f"{name} works on one value, and {'several' if values else 'none'} came in at `main`.")
    items = items_of(values[0], name)
    around["main"] = values[0]
    return [_once(script, {**around, "item": item, "index": index}) for index, item in enumerate(items)]


def _ready(text: str, name: str) -> Script:
    place = f"<{name}>"
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)  # a traceback shows its lines
    return read(text, place)


def _once(script: Script, names: dict[str, Any]) -> Any:
    given = names.get(RESULT)
    exec(script.body, names)  # noqa: S102  it is the author's own code, as a function's would be
    last = eval(script.last, names) if script.last is not None else None  # noqa: S307  as above
    made = names.get(RESULT)
    return last if made is given else made


def _around(ctx: Any) -> dict[str, Any]:
    if ctx is None:
        return {}
    return {
        "ctx": ctx,
        "variables": dict(ctx.variables),
        "trigger": {"type": ctx.trigger, "payload": ctx.payload},
        "run": {"id": ctx.run_id, "mode": ctx.mode},
    }
