"""`flownb run notebook.ipynb`: a notebook becomes a run, is pinned, and is executed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb import faults
from flownb.errors import Conflict, UsageError
from flownb.ids import new_run_id
from flownb.model.fingerprint import digest_of
from flownb.model.status import RunMode
from flownb.notebook import travel
from flownb.notebook.document import check_writable, pinned_text, read_notebook
from flownb.notebook.kernels import choose
from flownb.notebook.outcome import Outcome, tell
from flownb.notebook.parameters import parse_all, read
from flownb.notebook.perform import Job, perform
from flownb.notebook.resume import go_on
from flownb.store.contract import NewRun, Program
from flownb.store.owner import current_owner
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbformat import NotebookNode

    from flownb.store.contract import Store

_MEMORY: Final = "memory:"


def execute(
    notebook: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    output: str | Path | None = None,
    store: Any = None,
    key: str | None = None,
    mode: str = RunMode.PRODUCTION,
    trigger: str = "manual",
    until: str | None = None,
    wait: bool = False,
    kernel: str | None = None,
    parent: str | None = None,
    parent_node: str | None = None,
    directory: Path | None = None,
    warm: bool = False,
    on_event: Callable[[Any], None] | None = None,
    watched: Callable[[Any], None] | None = None,
) -> Outcome:
    """Execute a notebook headless as a durable run, and return when it has ended or paused.

    Args:
        notebook: the file.
        parameters: texts or values by name, read by their declared types.
        output: where the output notebook goes; None for none.
        store: a URL or an open store; else `FLOWNB_STORE`, else the nearest `.flownb/`.
        key: at most one run is ever started with it; a known one is gone on with, followed, or only told.
        mode: a `RunMode`.
        trigger: what started it.
        until: run only what this node of the first flow needs.
        wait: stay through pauses.
        kernel: a kernel's name, if not the notebook's own.
        parent: the run of which this is a part.
        parent_node: the node of it.
        directory: what relative paths in arguments start from; the working directory by default.
        warm: keep a kernel started ahead for the notebooks that this one runs.
        on_event: told about events of the runs (`Record`), about cells (`CellProgress`) and what else is to be said
            (`Notice`), in the caller's thread.
        watched: handed what interrupts the execution, before it begins.

    Raises:
        NotFound: no such notebook, or no such kernel.
        InvalidInput: parameters are unknown, ill-typed or missing; all of them in one message.
        UsageError: it is no notebook, or it can't be executed.
        Conflict: the key belongs to another notebook or other parameters.
        StoreError: the store can't be opened or written.
    """
    here = directory or Path.cwd()
    path = (here / notebook).resolve()
    document = read_notebook(path)
    declared = read(document, path.name)
    values = parse_all(declared, parameters or {}, here, name=path.name)
    target = _output(here, output, path)
    choice = choose(document, kernel, path.name)
    opened = _opened(store)
    packed = travel.pack(values, opened.artifacts)
    injected = travel.inject(document, declared, values)
    details = {
        "parameters": packed,
        "output": str(target) if target is not None else None,
        "kernel": kernel,
        "until": until,
        "parent": parent,
        "parent_node": parent_node,
    }
    program = opened.put_program(_program(path, injected, details))
    new = _new_run(path.stem, program, digest_of([str(path), packed]), key)
    new = msgspec.structs.replace(new, mode=mode, trigger=trigger, parent=parent)
    owner = current_owner()
    row, lease = opened.create_run(new, owner)
    if lease is None:
        _check_request(key, row, new.request)
        return go_on(opened, row, asked=False, output=target, wait=wait, on_event=on_event, watched=watched)
    faults.reach("run.created")
    if choice.notice:
        tell(on_event, choice.notice)
    return perform(
        Job(
            store=opened,
            row=row,
            lease=lease,
            owner=owner,
            notebook=injected,
            title=path.name,
            path=str(path),
            folder=str(path.parent),
            kernel=choice.name,
            parameters=packed,
            session={"until": until, "wait": wait, "parent": parent, "parent_node": parent_node},
            output=target,
            warm=int(warm),
            on_event=on_event,
            watched=watched,
        )
    )


def _new_run(workflow: str, program: str, request: str, key: str | None) -> NewRun:
    return NewRun(
        id=new_run_id(),
        workflow=workflow,
        kind="notebook",
        key=key,
        request=request,
        program=program,
        created_at=time.time(),
    )


def _program(path: Path, injected: NotebookNode, details: Mapping[str, Any]) -> Program:
    """How the notebook is executed again: its pinned text, and what was given that is there."""
    return Program(
        kind="notebook",
        target=str(path),
        directory=str(path.parent),
        source=pinned_text(injected),
        details={name: each for name, each in details.items() if each is not None},
    )


def _output(here: Path, output: str | Path | None, notebook: Path) -> Path | None:
    if output is None:
        return None
    target = (here / output).absolute()
    if target.resolve() == notebook:
        raise UsageError(f"The output {output} is the notebook itself; give the path of another file.")
    check_writable(target)
    return target


def _opened(store: Any) -> Store:
    opened: Store = open_store(store) if store is None or isinstance(store, str) else store
    if not opened.durable:
        raise UsageError(
            f"A headless notebook works in two processes, and {_MEMORY} lives in one; give --store sqlite:///runs.db."
        )
    return opened


def _check_request(key: str | None, row: Any, request: str) -> None:
    if row.request and row.request != request:
        raise Conflict(
            f"The key {key!r} belongs to run {row.id} of {row.workflow}, which was started with another target or "
            f"other inputs. Choose another key, or look at that run with `flownb show {row.id}`.",
            run=row.id,
        )


def execute_document(document: NotebookNode, kernel: str, target: str) -> tuple[NotebookNode, Outcome]:
    """Execute a notebook that papermill has loaded and parameterized, in the working directory and the usual store.

    Returns the executed notebook, and how its run ended.
    """
    opened = _opened(None)
    folder = Path.cwd()
    program = Program(kind="notebook", target=target, directory=str(folder), source=pinned_text(document))
    owner = current_owner()
    new = NewRun(
        id=new_run_id(),
        workflow=Path(target).stem or "notebook",
        kind="notebook",
        mode=RunMode.PRODUCTION,
        trigger="papermill",
        program=opened.put_program(program),
        created_at=time.time(),
    )
    row, lease = opened.create_run(new, owner)
    kept: list[Any] = []
    outcome = perform(
        Job(
            store=opened,
            row=row,
            lease=lease,
            owner=owner,
            notebook=document,
            title=Path(target).name or "the notebook",
            path=target,
            folder=str(folder),
            kernel=kernel,
            watched=kept.append,
        )
    )
    return kept[0].notebook, outcome
