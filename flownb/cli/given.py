"""What a command line gives for the inputs of a target: `-p NAME VALUE` and `-y FILE`, read by the declared types."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput, MissingExtra, UsageError
from flownb.model.ports import DataType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flownb.model.problem import Problem
    from flownb.model.workflow import Variable, Workflow
    from flownb.notebook.declared import Declared

_MOST_BYTES: Final = 10_000_000
_MOST_VALUES: Final = 100_000


class Quoted(str):
    """A text that a YAML file quotes: where anything fits, it stays text."""

    __slots__ = ()


def read_given(pairs: Iterable[tuple[str, str]], file: str | None) -> dict[str, Any]:
    """What was given by name: texts as they were typed, and nested values of the file.

    `-p` goes before the file. A plain value of the file is a text as well: what `no` or `12:30` means is up to the type
    that the target declares, not to YAML.

    Raises:
        InvalidInput: a name is given twice.
        UsageError: the file can't be read.
    """
    typed: dict[str, Any] = {}
    for name, value in pairs:
        if name in typed and typed[name] != value:
            raise InvalidInput(f"-p gives {name!r} twice: {typed[name]!r:.60} and {value!r:.60}.", name=name)
        typed[name] = value
    return (read_file(Path(file)) if file is not None else {}) | typed


# --- the file ---------------------------------------------------------------------------------------------------------


def read_file(path: Path) -> dict[str, Any]:
    """The values of a YAML (or JSON) file, by name.

    Raises:
        UsageError: it is not there, or no mapping of names to values.
    """
    import yaml

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"The parameters file {path} can't be read: {error.strerror}.") from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"The parameters file {path} has {len(data):,} bytes; at most {_MOST_BYTES:,} are read.")
    try:
        root = yaml.compose(data.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise UsageError(f"The parameters file {path} is no text in UTF-8.") from None
    except RecursionError:
        raise UsageError(f"The parameters file {path} is nested too deeply.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UsageError(f"The parameters file {path} is no YAML: {where}{what}.") from None
    if root is None:
        return {}
    return _Reader(path).top(root)


class _Reader:
    """Makes values of YAML's nodes; words that only YAML takes for booleans or times stay text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = _MOST_VALUES

    def top(self, root: Any) -> dict[str, Any]:
        if root.id != "mapping":
            raise UsageError(f"The parameters file {self._path} must map names to values, as `month: 2026-10`.")
        values: dict[str, Any] = {}
        for key, node in root.value:
            name = self._name(key)
            if name in values:
                raise UsageError(f"The parameters file {self._path} gives {name!r} twice: see line {_line(key)}.")
            values[name] = self._scalar(node, typed=False) if node.id == "scalar" else self._value(node, 0)
        return values

    def _name(self, key: Any) -> str:
        if key.id != "scalar":
            raise UsageError(f"The parameters file {self._path} has a key that is no name in line {_line(key)}.")
        return str(key.value)

    def _value(self, node: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > 100:  # noqa: PLR2004  aliases can multiply what is written, or hold themselves
            raise UsageError(f"The parameters file {self._path} holds too many values, or itself.")
        if node.id == "scalar":
            return self._scalar(node, typed=True)
        if node.id == "sequence":
            return [self._value(each, depth + 1) for each in node.value]
        return {self._name(key): self._value(each, depth + 1) for key, each in node.value}

    def _scalar(self, node: Any, *, typed: bool) -> Any:
        text = str(node.value)
        if node.style is not None:
            return Quoted(text)
        if text in ("", "~", "null", "Null", "NULL"):
            return None
        return _json_scalar(text) if typed else text


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


_NUMBER: Final = re.compile(r"[-+]?(0|[1-9]\d*)(?P<fraction>\.\d*)?([eE][-+]?\d+)?")


def _json_scalar(text: str) -> Any:
    """A plain value inside a list or an object, where no type says what was meant: as JSON has it."""
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if re.search("[.eE]", text) else int(text)
    return text


# --- by the variables of a workflow -----------------------------------------------------------------------------------


def read_inputs(workflow: Workflow, given: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """The values for the inputs of a workflow that are given.

    Args:
        workflow: declares them.
        given: as `read_given` returns it.
        directory: what relative paths start from: the shell's working directory.

    Raises:
        InvalidInput: some are unknown, ill-typed or missing; all of them in one message.
    """
    from flownb.graph.inputs import check_inputs

    faults = [_fault(problem) for problem in check_inputs(workflow, given)]
    values: dict[str, Any] = {}
    for variable in workflow.variables:
        if variable.name not in given:
            continue
        try:
            values[variable.name] = read_input(variable, given[variable.name], directory)
        except InvalidInput as error:
            faults.append((variable.name, str(error)))
    if faults:
        raise InvalidInput(" ".join(text for _, text in faults), name=faults[0][0])
    return values


def _fault(problem: Problem) -> tuple[str, str]:
    """The input that a problem is about, and the sentence for somebody at a command line."""
    name = (problem.place or problem.node or "").removeprefix("inputs.")
    if problem.code == "missing_input":
        return name, f"{problem.message.rstrip('.')}: give it as `-p {name} VALUE`."
    return name, problem.message


def read_input(variable: Variable, given: Any, directory: Path) -> Any:
    """The value that was meant for one input.

    Raises:
        InvalidInput: it doesn't fit the declared type; one sentence with name, found and expected.
    """
    from flownb.notebook.declared import FrameFile, SecretRef, Unfit, from_text, from_value

    kind = _declared(variable)
    if kind.kind == "any" and isinstance(given, Quoted):
        return str(given)
    try:
        value = from_text(kind, given, directory) if isinstance(given, str) else from_value(kind, given, directory)
    except Unfit as unfit:
        raise InvalidInput(f"{variable.name} {unfit}.", name=variable.name) from None
    if variable.secret and not isinstance(value, SecretRef):
        raise InvalidInput(
            f"{variable.name} is a secret: give its reference, as secret://name, and never its value.",
            name=variable.name,
        )
    if isinstance(value, SecretRef):
        return value.url
    return _frame(variable.name, value.path) if isinstance(value, FrameFile) else value


def _declared(variable: Variable) -> Declared:
    """The declared type, else the one of the default."""
    from flownb.graph.hints import type_of_value
    from flownb.notebook.declared import ANY, Declared

    try:
        kind = DataType(variable.type)
    except ValueError:
        return ANY
    if kind is DataType.ANY and not variable.required:
        kind = type_of_value(variable.default)
    if kind is DataType.NUMBER:
        return Declared("union", (Declared("int"), Declared("float")))
    return Declared(_KINDS[kind]) if kind in _KINDS else ANY


_KINDS: Final[dict[DataType, str]] = {
    DataType.STRING: "str",
    DataType.BOOLEAN: "bool",
    DataType.OBJECT: "dict",
    DataType.ARRAY: "list",
    DataType.FILE: "Path",
    DataType.DATAFRAME: "DataFrame",
}


def _frame(name: str, path: str) -> Any:
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtra(f"{name} is a table, and pandas is missing: `pip install 'flownb[data]'`.") from None
    try:
        if path.lower().endswith(".parquet"):
            return pd.read_parquet(path)
        return pd.read_csv(path, sep="\t" if path.lower().endswith(".tsv") else ",")
    except (ValueError, OSError) as error:
        raise InvalidInput(f"{name} is {path!r}, which can't be read as a table: {error}.", name=name) from None
