"""What a command line gives for the inputs of a target: `-p NAME VALUE` and `-y FILE`, read by the declared types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput, MissingExtra
from flownb.model.ports import DataType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flownb.model.problem import Problem
    from flownb.model.workflow import Variable, Workflow
    from flownb.notebook.parameters import Parameter


def read_given(pairs: Iterable[tuple[str, str]], file: str | None, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """What was given by name: texts as they were typed, and what the file has; `-p` goes before the file.

    Args:
        pairs: of `-p`.
        file: of `-y`.
        parameters: those that the target declares.

    Raises:
        InvalidInput: a name is given twice.
        UsageError: the file can't be read.
    """
    typed: dict[str, Any] = {}
    for name, value in pairs:
        if name in typed and typed[name] != value:
            raise InvalidInput(f"-p gives {name!r} twice: {typed[name]!r:.60} and {value!r:.60}.", name=name)
        typed[name] = value
    if file is None:
        return typed
    from flownb.notebook.parameter_file import read_parameter_file

    return read_parameter_file(Path(file), parameters) | typed


def parameters_of(workflow: Workflow) -> list[Parameter]:
    """The inputs of a workflow as a notebook would declare them, so that both are read alike."""
    return [parameter_of(each) for each in workflow.variables]


def parameter_of(variable: Variable) -> Parameter:
    """One input: its type is the declared one, else the one of its default."""
    from flownb.graph.hints import type_of_value
    from flownb.notebook.parameters import Parameter

    try:
        kind = DataType(variable.type)
    except ValueError:
        kind = DataType.ANY
    if kind is DataType.ANY and not variable.required:
        kind = type_of_value(variable.default)
    return Parameter(
        name=variable.name,
        type=_TYPES.get(kind, ""),
        default=None if variable.required else variable.default,
        required=variable.required,
        help=variable.description,
    )


#: Types of ports as Python writes them; for the rest anything fits.
_TYPES: Final[dict[DataType, str]] = {
    DataType.STRING: "str",
    DataType.NUMBER: "int | float",
    DataType.BOOLEAN: "bool",
    DataType.OBJECT: "dict",
    DataType.ARRAY: "list",
    DataType.FILE: "Path",
    DataType.DATAFRAME: "DataFrame",
}


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
    from flownb.notebook.declared import FrameFile, SecretRef
    from flownb.notebook.parameters import parse

    secret = variable.secret and isinstance(given, str) and not given.startswith("secret://")
    value = None if secret else parse(parameter_of(variable), given, directory)
    if variable.secret and not isinstance(value, SecretRef):
        raise InvalidInput(
            f"{variable.name} is a secret: give its reference, as secret://name, and never its value.",
            name=variable.name,
        )
    if isinstance(value, SecretRef):
        return value.url
    return _frame(variable.name, value.path) if isinstance(value, FrameFile) else value


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
