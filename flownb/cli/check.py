"""Looking at workflows without running them, and at runs after they ended: problems, pictures, reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.errors import UsageError
from flownb.model.problem import Severity

if TYPE_CHECKING:
    from flownb.graph.picture import PictureState
    from flownb.model.workflow import Workflow

_PICTURES: Final = (".png", ".svg", ".mmd")


@click.command("validate", epilog="Example: flownb validate workflow.json")
@click.argument("target")
@json_option
def validate_command(target: str, *, as_json: bool) -> int:
    """Say everything that is wrong with a workflow; exit status 2 if there is an error.

    TARGET is notebook.ipynb, workflow.json or module:flow. A notebook is read, not run: its parameters are checked.
    """
    from flownb.notebook.programs import problems_of

    problems = problems_of(target, Path.cwd())
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(problems), indent=2))
    else:
        for problem in problems:
            click.echo(str(problem))
        if not problems:
            click.echo(f"{target} is in order.")
    return 2 if any(problem.severity is Severity.ERROR for problem in problems) else 0


@click.command("graph", epilog="Example: flownb graph workflow.json -o workflow.svg")
@click.argument("target")
@click.option("-o", "--output", required=True, metavar="FILE", help="out.png, out.svg or out.mmd (Mermaid text).")
@click.option("--dark", is_flag=True, help="For a dark page.")
@store_option
def graph_command(target: str, output: str, store: str | None, *, dark: bool) -> None:
    """Draw a workflow, or a run with its statuses.

    TARGET is workflow.json, module:flow, a notebook that was run (its last run is drawn), or the id of a run.
    """
    from flownb.graph.picture import draw, mermaid
    from flownb.graph.registry import registry

    out = Path(output)
    if out.suffix not in _PICTURES:
        raise UsageError(f"{output} must end in .png, .svg or .mmd.")
    workflow, state = _drawable(target, store)
    if out.suffix == ".mmd":
        _write(out, mermaid(workflow).encode())
        return
    picture = draw(workflow, state, categories=registry.categories(workflow), dark=dark)
    _write(out, picture.svg().encode() if out.suffix == ".svg" else picture.png())


def _drawable(target: str, store: str | None) -> tuple[Workflow, PictureState | None]:
    from flownb.notebook.programs import run_of_notebook, workflow_of
    from flownb.run.depict import depict
    from flownb.run.recover import read_state, require_row

    path = Path(target)
    if path.suffix == ".ipynb":
        run_id: str | None = run_of_notebook(path)
        if run_id is None:
            raise UsageError(
                f"{target} has no recorded run, and a notebook is not run to draw it: "
                f"`flownb run {target} -o out.ipynb`, then `flownb graph out.ipynb -o {target}.png`."
            )
    elif path.suffix == ".json" or ":" in target:
        return workflow_of(target, Path.cwd()), None
    else:
        run_id = target
    opened = open_existing(store)
    row = require_row(opened, run_id)
    state = read_state(opened, row)
    return state.topology.workflow, depict(state)


def _write(out: Path, data: bytes) -> None:
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{out} can't be written: {error.strerror}.") from error
    say(f"wrote {out}")


@click.command("report", epilog="Example: flownb report 1k3x9p2abcdef -o report.html")
@click.argument("run_id", metavar="RUN")
@click.option("-o", "--output", required=True, metavar="FILE", help="out.html or out.ipynb.")
@store_option
def report_command(run_id: str, output: str, store: str | None) -> None:
    """Write the report of a run: the picture, then a section for each node. The page needs no network."""
    from flownb.notebook.report import html_report, notebook_report
    from flownb.run.recover import require_row

    opened = open_existing(store)
    require_row(opened, run_id)
    out = Path(output)
    match out.suffix:
        case ".html":
            _write(out, html_report(opened, run_id).encode())
        case ".ipynb":
            _write(out, notebook_report(opened, run_id).encode())
        case _:
            raise UsageError(f"{output} must end in .html or .ipynb.")
