"""The parameters of a notebook, read from its `parameters` cell without executing it, and what is given for them.

```python
path: Path = "data/invoices.csv"   # what to read
since = date(2026, 1, 1)
limit: int | None = None
```

A name's type is its annotation, else its default's type, else anything; the comment behind it, or the lines above it,
are its help. An annotation without a value makes the parameter required.
"""

from __future__ import annotations

import ast
import io
import keyword
import operator
import re
import tokenize
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import InvalidInput, near_names
from flownb.model.syntax import parsed
from flownb.notebook.declared import ANY, Declared, Unfit, declared, from_text, from_value, last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

#: The tag of the cell that declares parameters, as papermill has it.
TAG: Final = "parameters"
#: Calls in a default whose class says the parameter's type.
_CALLS: Final = frozenset(
    {"date", "datetime", "Timestamp", "time", "timedelta", "Decimal", "Path", "PurePath", "DataFrame", "int", "float",
     "bool", "str", "list", "tuple", "set", "dict", "fromisoformat"}
)  # fmt: skip
_TYPE_COMMENT: Final = re.compile(r"type:\s*(?P<type>\S+)\s*(?P<help>.*)")
_OPERATIONS: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
#: Magics and shell lines: IPython's, not Python's. They declare nothing.
_NOT_PYTHON: Final = re.compile(r"^\s*(%|!|\?)")
_LETTERS: Final = 1_000_000


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a notebook."""

    name: str
    #: The type's text, as `int` or `list[str] | None`; empty where nothing says one.
    type: str = ""
    #: The default, where it is a literal; else None and `default_text` shows the expression.
    default: Any = None
    default_text: str = ""
    help: str = ""
    required: bool = False
    #: The values of the enums that the same cell defines, by class name.
    enums: dict[str, tuple[Any, ...]] = {}

    @property
    def declared(self) -> Declared:
        """The type, understood."""
        return declared(self.type, self.enums) if self.type else ANY

    @property
    def enum(self) -> str:
        """The class that a value is made a member of in the kernel, or empty."""
        return self.type if self.type in self.enums else ""


# --- reading ----------------------------------------------------------------------------------------------------------


def read(notebook: Mapping[str, Any], name: str = "the notebook") -> list[Parameter]:
    """The parameters that a notebook declares, in order; empty where no cell is tagged `parameters`.

    Args:
        notebook: the notebook as plain data or an nbformat node.
        name: what messages call it.

    Raises:
        InvalidInput: the cell can't be read as Python; the message says where.
    """
    for cell in notebook.get("cells", []):
        if cell.get("cell_type") == "code" and TAG in (cell.get("metadata", {}).get("tags") or []):
            source = cell.get("source", "")
            return read_source("".join(source) if isinstance(source, list) else source, name)
    return []


def read_source(source: str, name: str = "the notebook") -> list[Parameter]:
    """The parameters that the source of a `parameters` cell declares.

    Raises:
        InvalidInput: it can't be read as Python.
    """
    lines = ["" if _NOT_PYTHON.match(line) else line for line in source.splitlines()]
    text = "\n".join(lines)
    try:
        tree = parsed(text)
    except SyntaxError as error:
        raise InvalidInput(f"The parameters cell of {name} can't be read: line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidInput(f"The parameters cell of {name} can't be read: {error}.") from None
    comments = _comments(text)
    enums = {each.name: _members(each) for each in tree.body if isinstance(each, ast.ClassDef) and _is_enum(each)}
    found: dict[str, Parameter] = {}
    for statement in tree.body:
        for target, annotation, value in _assigned(statement):
            if target.startswith("__"):
                continue
            found[target] = _parameter(target, annotation, value, _help(statement, lines, comments), enums)
    return list(found.values())


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """The names that a statement binds: (name, annotation, value)."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id, statement.annotation, statement.value
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, None, statement.value
            elif isinstance(target, ast.Tuple | ast.List) and isinstance(statement.value, ast.Tuple | ast.List):
                for name, value in zip(target.elts, statement.value.elts, strict=False):
                    if isinstance(name, ast.Name):
                        yield name.id, None, value


def _parameter(
    name: str,
    annotation: ast.expr | None,
    value: ast.expr | None,
    comment: str,
    enums: dict[str, tuple[Any, ...]],
) -> Parameter:
    default, literal = _literal(value)
    typed = _TYPE_COMMENT.fullmatch(comment)
    if annotation is not None:
        text = ast.literal_eval(annotation) if _is_text(annotation) else ast.unparse(annotation)
    elif typed is not None:
        text, comment = typed["type"], typed["help"]
    else:
        text = _type_of_default(value, default, enums) if value is not None else ""
    return Parameter(
        name=name,
        type=str(text),
        default=default if literal else None,
        default_text=ast.unparse(value) if value is not None else "",
        help=comment.strip(),
        required=value is None,
        enums=enums,
    )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _literal(node: ast.expr | None) -> tuple[Any, bool]:
    """The value of a literal, simple arithmetic of numbers included, and whether it is one."""
    if node is None:
        return None, False
    try:
        return ast.literal_eval(node), True
    except (ValueError, TypeError, RecursionError, MemoryError, SyntaxError):
        return _arithmetic(node)


def _arithmetic(node: ast.expr) -> tuple[Any, bool]:
    """`60 * 60` and the like."""
    if not isinstance(node, ast.BinOp):
        return None, False
    (left, ok_left), (right, ok_right) = _literal(node.left), _literal(node.right)
    numbers = ok_left and ok_right and all(type(each) in (int, float) for each in (left, right))
    if not numbers or abs(left) > 1e15 or abs(right) > 1e15:  # noqa: PLR2004  beyond it nobody writes a default so
        return None, False
    operation = _OPERATIONS.get(type(node.op))
    if operation is None or (operation is operator.truediv and not right):
        return None, False
    return operation(left, right), True


def _type_of_default(node: ast.expr | None, default: Any, enums: dict[str, tuple[Any, ...]]) -> str:
    if default is not None:
        return type(default).__name__
    if isinstance(node, ast.JoinedStr):
        return "str"
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name == "fromisoformat" and isinstance(node.func, ast.Attribute):
            name = last_name(node.func.value)
        return name if name in _CALLS else ""
    if isinstance(node, ast.Attribute) and last_name(node.value) in enums:
        return last_name(node.value)
    return ""


def _is_enum(node: ast.ClassDef) -> bool:
    return any(last_name(base) in ("Enum", "StrEnum", "IntEnum") for base in node.bases)


def _members(node: ast.ClassDef) -> tuple[Any, ...]:
    found = []
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            value, literal = _literal(statement.value)
            if literal:
                found.append(value)
            elif isinstance(statement.value, ast.Call) and last_name(statement.value.func) == "auto":
                name = statement.targets[0]
                text = any(last_name(base) == "StrEnum" for base in node.bases)
                found.append(name.id.lower() if text and isinstance(name, ast.Name) else len(found) + 1)
    return tuple(found)


def _comments(text: str) -> dict[int, str]:
    """The comment of each line, by its number from 1."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.lstrip("#").strip()
    except (tokenize.TokenError, IndentationError):
        pass  # what was read so far will do: it is only help
    return found


def _help(statement: ast.stmt, lines: list[str], comments: dict[int, str]) -> str:
    last = statement.end_lineno or statement.lineno
    if last in comments:
        return comments[last]
    above: list[str] = []
    line = statement.lineno - 1
    while line in comments and lines[line - 1].lstrip().startswith("#"):
        above.insert(0, comments[line])
        line -= 1
    return " ".join(above)


# --- what is given ----------------------------------------------------------------------------------------------------


def parse(parameter: Parameter, value: Any, directory: Path | None = None) -> Any:
    """The value that was meant for a parameter.

    Args:
        parameter: which.
        value: a text as typed, read by the declared type; or a Python value, checked against it.
        directory: what relative paths start from, as the shell's working directory.

    Raises:
        InvalidInput: it doesn't fit; one sentence with name, found and expected.
    """
    try:
        found = _fit(parameter, value, directory)
    except Unfit as unfit:
        raise InvalidInput(f"{parameter.name} {unfit}.", name=parameter.name) from None
    return found


def _fit(parameter: Parameter, value: Any, directory: Path | None) -> Any:
    if isinstance(value, str):
        if len(value) > _LETTERS:
            raise Unfit(f"has {len(value):,} characters; a parameter may have {_LETTERS:,}: give the path of a file")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unfit(f"is {value[:50]!r}, which is no valid Unicode; it must be text in UTF-8") from None
        return from_text(parameter.declared, value, directory)
    return from_value(parameter.declared, value, directory)


def parse_all(
    parameters: list[Parameter], given: Mapping[str, Any], directory: Path | None = None, *, name: str = "the notebook"
) -> dict[str, Any]:
    """The values for all parameters that are given.

    Args:
        parameters: those of the notebook.
        given: texts or values by name.
        directory: what relative paths start from.
        name: what messages call the notebook.

    Raises:
        InvalidInput: some are unknown, ill-typed or missing; all of them in one message. `.name` is the first.
    """
    known = {each.name: each for each in parameters}
    faults: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            faults.append((key, _unknown(key, known, name)))
            continue
        try:
            values[key] = parse(known[key], value, directory)
        except InvalidInput as error:
            faults.append((key, str(error)))
    for each in parameters:
        if each.required and each.name not in given:
            kind = f" ({each.type})" if each.type else ""
            faults.append((each.name, f"The parameter {each.name!r}{kind} of {name} is missing: give it by -p."))
    if faults:
        raise InvalidInput(" ".join(sentence for _, sentence in faults), name=faults[0][0])
    return values


def _unknown(key: str, known: Mapping[str, Parameter], name: str) -> str:
    if not known:
        return f"{name} takes no parameter {key!r:.100}: no cell of it is tagged `{TAG}`."
    return f"{name} has no parameter {key!r:.100}.{near_names(key, known)}"


def is_name(text: str) -> bool:
    """Whether a text may stand as a name on the left of an assignment."""
    return text.isidentifier() and not keyword.iskeyword(text) and not text.startswith("__")
