"""Targets that are no notebook: a flow of a module, a workflow in a JSON file. Loading, starting and resuming them."""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import FlownbError, InvalidInput, InvalidWorkflow, NotFound, UsageError, near_names
from flownb.flow import Flow, raise_problems
from flownb.graph.dialects import read
from flownb.graph.registry import registry
from flownb.graph.validate import validate
from flownb.model.document import from_json
from flownb.model.fingerprint import digest_of, function_hash
from flownb.model.source import source_of
from flownb.model.status import RunStatus
from flownb.nodes.function import FunctionNode
from flownb.run.definition import Definition
from flownb.run.handles.handle import Run
from flownb.run.recovery.recover import read_state
from flownb.run.request import Request, check_inputs
from flownb.run.start import attach, start
from flownb.store import values
from flownb.store.contract import Program

if TYPE_CHECKING:
    from flownb.model.problem import Problem
    from flownb.model.workflow import Workflow
    from flownb.store.contract import RunRow, Store

#: Kinds of program that this file starts; notebooks are the runner's.
KINDS: Final = ("module", "json")


class Target(msgspec.Struct, frozen=True):
    """What the command line was pointed at."""

    #: `notebook`, `json` or `module`.
    kind: str
    #: As it was given.
    text: str
    #: The working directory: first on the path of a module, and recorded for resume.
    directory: str

    @property
    def path(self) -> Path:
        """The file, for a notebook or a JSON document."""
        return Path(self.directory, self.text)


def parse_target(text: str, directory: Path) -> Target:
    """What a TARGET is.

    Raises:
        NotFound: a file that isn't there.
        UsageError: neither a notebook, a JSON file, nor `module:flow`.
    """
    if text.endswith((".ipynb", ".json")):
        path = directory / text
        if not path.is_file():
            there = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
            names = [name for name in there if name.endswith((".ipynb", ".json"))]
            raise NotFound(f"There is no file {text}.{near_names(path.name, names)}", path=str(path))
        return Target("notebook" if text.endswith(".ipynb") else "json", text, str(directory))
    module, colon, name = text.partition(":")
    if not colon or not all(part.isidentifier() for part in module.split(".")) or not name.isidentifier():
        raise UsageError(f"{text!r} is no target: give notebook.ipynb, workflow.json or module:flow.{_as_module(text)}")
    if module.endswith(".py") and (directory / module).is_file():
        raise UsageError(f"{text!r} is no target:{_as_module(text)}")
    return Target("module", text, str(directory))


def _as_module(text: str) -> str:
    """How the flow of a Python file is named, where one was given."""
    path, _, name = text.partition(":")
    if not path.endswith(".py"):
        return ""
    module = ".".join(part for part in Path(path).with_suffix("").parts if part not in (".", "/"))
    return f" A flow in a Python file is named by its module, as {module}:{name or 'flow'}."


class Loaded(msgspec.Struct):
    """A target made ready to run."""

    definition: Definition
    services: dict[str, Any] = {}
    #: The live defaults of its inputs, where the program has them.
    defaults: dict[str, Any] | None = None


def load(target: Target) -> Loaded:
    """The definition of a module's flow or a JSON document.

    Raises:
        NotFound: no such module, or no flow of that name in it.
        InvalidWorkflow: it has problems.
        UsageError: the module can't be imported.
    """
    if target.kind == "json":
        workflow = _read_json(target.path)
        go_first(target.directory)
        raise_problems(target.text, validate(workflow, registry))
        return Loaded(Definition(_with_code(workflow)))
    flow = _flow_of(target)
    return Loaded(flow.definition(), flow.services, flow.defaults)


def _read_json(path: Path) -> Workflow:
    workflow, problems = read(_bytes_of(path))
    raise_problems(str(path), problems)
    if workflow is None:
        raise InvalidWorkflow(f"{path} holds no workflow.", problems=problems)
    return workflow


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from error


def _with_code(workflow: Workflow) -> Workflow:
    """The workflow with the code of the functions that it names, as they are now: a run is pinned to that as well."""
    nodes = []
    for node in workflow.nodes:
        cls = registry.get(node.type)
        if issubclass(cls, FunctionNode) and "function" in node.config:
            function = cls.function_of(node)
            code = {"code": function_hash(function), "source": source_of(function)}
            nodes.append(msgspec.structs.replace(node, config=node.config | code))
        else:
            nodes.append(node)
    return msgspec.structs.replace(workflow, nodes=tuple(nodes))


def go_first(directory: str) -> None:
    """Put a directory first on the path, so that its modules win."""
    if sys.path[:1] != [directory]:
        if directory in sys.path:
            sys.path.remove(directory)
        sys.path.insert(0, directory)


def _flow_of(target: Target) -> Flow:
    module_name, _, name = target.text.partition(":")
    go_first(target.directory)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(f"{module_name} can't be imported: it needs {error.name!r}, which is missing.") from error
        there = [path.stem for path in Path(target.directory).glob("*.py")]
        raise NotFound(
            f"There is no module {module_name!r} in {target.directory} or on the path.{near_names(module_name, there)}"
        ) from error
    except FlownbError as error:
        raise UsageError(f"{module_name} can't be imported: {error}") from error
    except SyntaxError as error:
        raise UsageError(f"{module_name} can't be imported: {error.filename}:{error.lineno}: {error.msg}.") from error
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{module_name} can't be imported: {type(error).__name__}: {error}{_place_of(error)}"
        ) from error
    found = getattr(module, name, None)
    if not isinstance(found, Flow):
        flows = [key for key, value in vars(module).items() if isinstance(value, Flow)]
        what = f"has no {name!r}" if not hasattr(module, name) else f"has {name!r}, but that is no Flow"
        raise NotFound(f"{module_name} {what}.{near_names(name, flows) or ' It has no flow at all.'}")
    return found


def _place_of(error: BaseException) -> str:
    """Where a module failed: the innermost line that is no part of the import system."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "importlib" not in each.filename]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if len(frames) > 1 else ""


def pin(target: Target, store: Store, details: dict[str, Any]) -> str:
    """Keep how the target is started again; returns the program's digest.

    Args:
        target: what was started.
        store: where to keep it.
        details: inputs in plain form and `until`, for a process that died before its run had its first event.
    """
    source = target.path.read_text(encoding="utf-8") if target.kind == "json" else ""
    return store.put_program(
        Program(kind=target.kind, target=target.text, directory=target.directory, source=source, details=details)
    )


def start_target(
    target: Target,
    loaded: Loaded,
    inputs: dict[str, Any],
    store: Store,
    *,
    key: str | None = None,
    until: str | None = None,
    trigger: str = "manual",
    payload: Any = None,
) -> Run:
    """Start a run of a module's flow or a JSON document in this process, or do what its key says.

    Raises:
        InvalidInput: an input is unknown or missing, or there is no node `until`.
        Conflict: the key belongs to another target or other inputs.
    """
    definition = loaded.definition
    if until is not None and until not in definition.topology.index:
        raise InvalidInput(
            f"{definition.workflow.name} has no node {until!r} to run until."
            f"{near_names(until, definition.topology.index)}",
            name="until",
        )
    request = _request(loaded, store)
    request.inputs = check_inputs(definition, inputs, loaded.defaults)
    request.given = frozenset(inputs)
    request.key, request.until, request.trigger, request.payload = key, until, trigger, payload
    request.target = str(target.path.resolve()) if target.kind == "json" else target.text
    plain = {name: values.store(value, store.artifacts).plain for name, value in request.inputs.items()}
    known = store.find_key(key) if key is not None else None
    if known is not None and RunStatus(known.status).ended and known.request == digest_of([request.target, plain]):
        return recorded(store, known)  # its program may have changed since: nothing starts, so that does not matter
    request.program = pin(target, store, {"inputs": plain} | ({"until": until} if until is not None else {}))
    return start(request)


def recorded(store: Store, row: RunRow) -> Run:
    """A handle on a run as it is recorded; nothing goes on."""
    run = Run(store, read_state(store, row))
    run.settle()
    return run


def _request(loaded: Loaded, store: Store) -> Request:
    return Request(
        definition=loaded.definition, store=store, services=loaded.services, mode="production", headless=True
    )


def load_again(store: Store, row: RunRow, program: Program, *, migrate: bool = False) -> Loaded:
    """What a recorded run of a module's flow or a JSON document was started with; the target as it is now to migrate.

    Raises:
        NotFound: the module, or its flow, is gone.
        UsageError: it can't be imported.
    """
    target = Target(program.kind, program.target, program.directory)
    if program.kind == "json" and not migrate:
        go_first(program.directory)
        return Loaded(Definition(_with_code(from_json(store.definition(row.definition) or program.source))))
    return load(target)


def resume_target(store: Store, row: RunRow, program: Program, *, retry: bool = True, migrate: bool = False) -> Run:
    """Go on with a recorded run in this process, follow it where another has it, or leave it at rest.

    Args:
        store: where it is.
        row: which run.
        program: what it was started with.
        retry: somebody asked for it: failed nodes start again, and a manual pause ends. Else it goes on only where a
            start with its key would.
        migrate: take the program as it is now.

    Raises:
        DefinitionDrift: the program changed meanwhile, and `migrate` is off.
        NotFound: the module, or its flow, is gone.
    """
    request = _request(load_again(store, row, program, migrate=migrate), store)
    if migrate:
        request.program = pin(Target(program.kind, program.target, program.directory), store, program.details)
    if row.seq == 0:  # its process died before its first event: it starts now, as it was meant to
        recorded = program.details.get("inputs", {})
        request.inputs = {name: values.load(plain, store.artifacts) for name, plain in recorded.items()}
        request.until = program.details.get("until")
    return attach(request, row, retry=retry, migrate=migrate)


# --- looking without running -----------------------------------------------------------------------------------------


def workflow_of(text: str, directory: Path) -> Workflow:
    """The definition of a JSON document or a module's flow, whatever its problems."""
    target = parse_target(text, directory)
    if target.kind == "json":
        return _read_json(target.path)
    return _flow_of(target).build()


def problems_of(text: str, directory: Path) -> list[Problem]:
    """Everything that is wrong with a target; a notebook is read and not run."""
    target = parse_target(text, directory)
    if target.kind == "module":
        return _flow_of(target).validate()
    if target.kind == "json":
        workflow, problems = read(_bytes_of(target.path))
        go_first(target.directory)
        return problems + (validate(workflow, registry) if workflow is not None else [])
    from flownb.notebook.checking import problems_of_notebook

    return problems_of_notebook(target.path)


def run_of_notebook(path: Path) -> str | None:
    """The id of the run that an output notebook is the report of."""
    try:
        document = json.loads(path.read_text())
        found = document.get("metadata", {}).get("flownb", {}).get("run")
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is no notebook: {error}.") from error
    return found if isinstance(found, str) else None
