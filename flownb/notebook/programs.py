"""Targets that are no notebook: a flow of a module, a workflow in a JSON file. Loading, starting and resuming them."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import InvalidWorkflow, NotFound, UsageError, near_names
from flownb.flow import Flow, raise_problems
from flownb.graph.dialects import read
from flownb.graph.registry import registry
from flownb.graph.validate import validate
from flownb.model.document import from_json
from flownb.run.definition import Definition
from flownb.run.start import Request, attach, check_inputs, start
from flownb.store.contract import Program

if TYPE_CHECKING:
    from flownb.model.problem import Problem
    from flownb.model.workflow import Workflow
    from flownb.run.handle import Run
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
    if not colon or not module or not name:
        raise UsageError(f"{text!r} is no target: give notebook.ipynb, workflow.json or module:flow.")
    return Target("module", text, str(directory))


class Loaded(msgspec.Struct):
    """A target made ready to run."""

    definition: Any
    services: dict[str, Any] = {}


def load(target: Target) -> Loaded:
    """The definition of a module's flow or a JSON document.

    Raises:
        NotFound: no such module, or no flow of that name in it.
        InvalidWorkflow: it has problems.
    """
    if target.kind == "json":
        workflow = _read_json(target.path)
        _on_path(target.directory)
        raise_problems(target.text, validate(workflow, registry))
        return Loaded(Definition(workflow))
    flow = _flow_of(target)
    return Loaded(flow.definition(), flow.services)


def _read_json(path: Path) -> Workflow:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from error
    workflow, problems = read(text)
    raise_problems(str(path), problems)
    if workflow is None:
        raise InvalidWorkflow(f"{path} holds no workflow.", problems=problems)
    return workflow


def _on_path(directory: str) -> None:
    if directory not in sys.path:
        sys.path.insert(0, directory)


def _flow_of(target: Target) -> Flow:
    module_name, _, name = target.text.partition(":")
    _on_path(target.directory)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(f"{module_name} can't be imported: it needs {error.name!r}, which is missing.") from error
        there = [path.stem for path in Path(target.directory).glob("*.py")]
        raise NotFound(
            f"There is no module {module_name!r} in {target.directory} or on the path.{near_names(module_name, there)}"
        ) from error
    except Exception as error:
        raise UsageError(f"{module_name} can't be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Flow):
        flows = [key for key, value in vars(module).items() if isinstance(value, Flow)]
        what = f"has no {name!r}" if found is None else f"has {name!r}, but that is no Flow"
        raise NotFound(f"{module_name} {what}.{near_names(name, flows)}")
    return found


def pin(target: Target, store: Store) -> str:
    """Keep how the target is started again; returns the program's digest."""
    source = target.path.read_text() if target.kind == "json" else ""
    return store.put_program(Program(kind=target.kind, target=target.text, directory=target.directory, source=source))


def start_target(
    target: Target,
    inputs: dict[str, Any],
    store: Store,
    *,
    key: str | None = None,
    until: str | None = None,
    trigger: str = "manual",
) -> Run:
    """Start a run of a module's flow or a JSON document in this process, or what its key says."""
    loaded = load(target)
    request = _request(loaded, store)
    request.inputs = check_inputs(loaded.definition, inputs)
    request.key, request.until, request.trigger = key, until, trigger
    request.target = target.text
    request.program = pin(target, store)
    return start(request)


def _request(loaded: Loaded, store: Store) -> Request:
    return Request(
        definition=loaded.definition, store=store, services=loaded.services, mode="production", headless=True
    )


def resume_target(store: Store, row: RunRow, program: Program, *, migrate: bool = False) -> Run:
    """Go on with a run of a module's flow or a JSON document, in this process.

    Raises:
        DefinitionDrift: the module changed meanwhile, and `migrate` is off.
    """
    target = Target(program.kind, program.target, program.directory)
    if program.kind == "json" and not migrate:
        _on_path(program.directory)
        document = store.definition(row.definition) or program.source
        loaded = Loaded(Definition(from_json(document)))
    else:
        loaded = load(target)
    return attach(_request(loaded, store), row, retry=True, migrate=migrate)


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
        workflow, problems = read(target.path.read_bytes())
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
