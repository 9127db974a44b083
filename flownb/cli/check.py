"""Looking at workflows without running them, and at runs after they ended: problems, pictures, reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.find import find_run
from flownb.errors import NotFound, UsageError
from flownb.model.problem import Severity
from flownb.services.harmless import line

if TYPE_CHECKING:
    from flownb.graph.picture import PictureState
    from flownb.model.problem import Problem
    from flownb.model.workflow import Workflow

_PICTURES: Final = (".png", ".svg", ".mmd")
_MOST_LINE: Final = 2_000


@click.command("validate", epilog="Example: flownb validate workflow.json")
@click.argument("target")
@json_option
def validate_command(target: str, *, as_json: bool) -> int:
    """Say everything that is wrong with a workflow; exit status 2 if there is an error.

    TARGET is notebook.ipynb, workflow.json or module:flow. A notebook is read, not run: its parameters are checked.
    """
    from flownb.cli.stdout import guarded_stdout
    from flownb.notebook.programs import problems_of

    with guarded_stdout(as_json=as_json) as print_document:
        problems = problems_of(target, Path.cwd())
        if as_json:
            print_document(json.dumps([_document(problem) for problem in problems], indent=2))
        for problem in () if as_json else problems:
            print_document(line(str(problem), _MOST_LINE))
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        if not as_json:
            print_document(_verdict(line(target, 200), len(errors), len(problems) - len(errors)))
    return 2 if errors else 0


def _document(problem: Problem) -> dict[str, Any]:
    """A problem with all of its fields."""
    return {
        "severity": str(problem.severity),
        "code": problem.code,
        "node": problem.node,
        "port": problem.port,
        "place": problem.place,
        "message": problem.message,
        "hint": problem.hint,
    }


def _verdict(target: str, errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return f"{target} is in order."
    counts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    return f"{target} has {' and '.join(counts)}."


# --- pictures ---------------------------------------------------------------------------------------------------------


@click.command("graph", epilog="Example: flownb graph workflow.json -o workflow.svg")
@click.argument("target")
@click.option("-o", "--output", required=True, metavar="FILE", help="out.png, out.svg or out.mmd (Mermaid text).")
@click.option("--dark", is_flag=True, help="For a dark page.")
@store_option
def graph_command(target: str, output: str, store: str | None, *, dark: bool) -> None:
    """Draw a workflow, or a run with its statuses.

    TARGET is workflow.json, module:flow, a notebook that was run (the run that it is the report of), or the id of a
    run.
    """
    out = Path(output)
    if out.suffix not in _PICTURES:
        raise UsageError(f"The picture {output} must end in .png, .svg or .mmd.")
    from flownb.graph.picture import draw, mermaid
    from flownb.graph.registry import registry

    workflow, state = _drawable(target, store)
    if not workflow.nodes:
        say(f"{line(workflow.name, 200)} has no nodes; the picture is empty.")
    if out.suffix == ".mmd":
        _write(out, mermaid(workflow).encode())
        return
    picture = draw(workflow, state, categories=registry.categories(workflow), ports=registry.ports(workflow), dark=dark)
    _write(out, picture.svg().encode() if out.suffix == ".svg" else picture.png())


def _drawable(target: str, store: str | None) -> tuple[Workflow, PictureState | None]:
    """What to draw: a definition, or the definition of a run and its state."""
    from flownb.notebook.programs import parse_target, run_of_notebook, workflow_of

    path = Path(target)
    if path.suffix == ".ipynb":
        run_id = run_of_notebook(Path(parse_target(target, Path.cwd()).directory, target))
        if run_id is None:
            raise UsageError(
                f"{target} has no recorded run, and a notebook is not run to draw it: "
                f"`flownb run {target} -o out.ipynb`, then `flownb graph out.ipynb -o {path.stem}.png`."
            )
        return _of_run(run_id, store, f"the run that {target} is the report of")
    if path.suffix == ".json" or ":" in target:
        return workflow_of(target, Path.cwd()), None
    return _of_run(target, store)


def _of_run(run_id: str, store: str | None, what: str = "") -> tuple[Workflow, PictureState]:
    from flownb.run.handles.depict import depict
    from flownb.run.recovery.recover import read_state

    try:
        opened = open_existing(store)
        row = find_run(opened, run_id)
    except NotFound as error:
        if what:
            raise NotFound(f"{error} It is {what}; --store names where that is.") from None
        raise NotFound(f"{error} Or is it a target: workflow.json, module:flow or notebook.ipynb?") from None
    state = read_state(opened, row)
    return state.topology.workflow, depict(state)


def _write(out: Path, data: bytes) -> None:
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{out} can't be written: {error.strerror}.") from error
    say(f"wrote {out}")


# --- reports ----------------------------------------------------------------------------------------------------------


@click.command("report", epilog="Example: flownb report 1k3x9p2abcdef -o report.html")
@click.argument("run_id", metavar="RUN")
@click.option("-o", "--output", required=True, metavar="FILE", help="out.html or out.ipynb.")
@store_option
def report_command(run_id: str, output: str, store: str | None) -> None:
    """Write the report of a run: the picture, then a section for each node. The page needs no network."""
    out = Path(output)
    if out.suffix not in (".html", ".ipynb"):
        raise UsageError(f"The report {output} must end in .html or .ipynb.")
    from flownb.notebook.report import html_report, notebook_report

    opened = open_existing(store)
    row = find_run(opened, run_id)
    write = html_report if out.suffix == ".html" else notebook_report
    _write(out, write(opened, row.id).encode("utf-8", "backslashreplace"))
