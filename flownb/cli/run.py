"""Running a target and going on with a run: the two commands that work until the run has ended or paused."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.attend import at_work_here, attend
from flownb.cli.ending import exit_status, tell_outcome
from flownb.cli.find import find_run
from flownb.cli.given import parameters_of, read_given, read_inputs
from flownb.cli.inputs import TargetCommand
from flownb.cli.interrupts import interrupted_by_term, interrupts
from flownb.cli.progress import display_for
from flownb.cli.stdout import guarded_stdout
from flownb.errors import NotFound, UsageError
from flownb.model.status import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flownb.cli.interrupts import Interrupts
    from flownb.cli.progress import Display
    from flownb.notebook.outcome import Outcome
    from flownb.notebook.parameters import Parameter
    from flownb.notebook.programs import Target
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Program, RunRow, Store

    #: What was given on the command line, for a target that declares these.
    Reader = Callable[[Sequence[Parameter]], dict[str, Any]]

_NOTEBOOKS = ("notebook", "cells")


def wait_option(function: Any) -> Any:
    """`--wait`: stay through pauses."""
    return click.option(
        "--wait/--no-wait",
        default=False,
        help="Stay through pauses, until somebody or something ends them; without it a pause ends the command.",
    )(function)


def output_option(function: Any) -> Any:
    """`-o OUT.ipynb`."""
    return click.option(
        "-o", "--output", metavar="OUT.ipynb", help="Write the executed notebook, or the report, here."
    )(function)


@click.command(
    "run",
    cls=TargetCommand,
    epilog="Example: flownb run report.ipynb -p month 2026-10 -o out.ipynb --key report-2026-10",
)
@click.argument("target")
@click.option(
    "-p", "--parameter", "pairs", nargs=2, multiple=True, metavar="NAME VALUE", help="An input; read by its type."
)
@click.option("-y", "--parameters-file", "file", metavar="FILE", help="Inputs from a YAML or JSON file; -p goes first.")
@output_option
@click.option("--key", help="At most one run is ever started with a key; again, it goes on or tells its result.")
@click.option("--until", metavar="NODE", help="Run only this node and what it needs.")
@wait_option
@click.option(
    "--mode",
    type=click.Choice(["test", "manual", "production"]),
    default="production",
    help="How it is meant; nodes see it as `ctx.mode`, expressions as `run.mode`.",
)
@click.option(
    "--because",
    hidden=True,
    metavar="RUN",
    help="The run because of which this one is started.",
)
@click.option("--warm", is_flag=True, help="Keep a kernel started ahead for the notebooks that this one runs as nodes.")
@store_option
@json_option
def run_command(
    *,
    target: str,
    pairs: tuple[tuple[str, str], ...],
    file: str | None,
    output: str | None,
    key: str | None,
    until: str | None,
    store: str | None,
    wait: bool,
    mode: str,
    because: str | None,
    warm: bool,
    as_json: bool,
) -> int:
    """Run a notebook, a workflow file or a flow of a module, until it has ended or paused.

    TARGET is notebook.ipynb, workflow.json or module:flow. `flownb run TARGET --help` lists its inputs.

    Exit status: 0 completed, 1 failed, 2 wrong use, 75 paused, 130 stopped. Ctrl-C pauses the run.
    """
    from flownb.notebook.programs import parse_target

    if key == "":
        raise UsageError("--key is empty: a key is any text that names this one run.")
    with guarded_stdout(as_json=as_json) as print_document:
        aim = parse_target(target, Path.cwd())
        if warm or aim.kind == "notebook":
            _start_kernel(store, keep=warm and aim.kind != "notebook")
        ending = _Ending(print_document, as_json=as_json, place=store, output=check_output(output))

        def read(parameters: Sequence[Parameter]) -> dict[str, Any]:
            return read_given(pairs, file, parameters)

        if aim.kind == "notebook":
            return _run_notebook(aim, read, ending, key=key, until=until, wait=wait, warm=warm, mode=mode)
        return _run_here(aim, read, ending, key=key, until=until, wait=wait, mode=mode, because=because)


@click.command("resume", epilog="Example: flownb resume 1k3x9p2abcdef -o out.ipynb")
@click.argument("run_id", metavar="RUN")
@output_option
@click.option("--migrate", is_flag=True, help="Go on with the program as it is now, and say what changed.")
@wait_option
@store_option
@json_option
def resume_command(
    run_id: str, output: str | None, store: str | None, *, migrate: bool, wait: bool, as_json: bool
) -> int:
    """Go on with a run that was paused, failed or killed: what was completed stays.

    A run that is at work elsewhere is followed. A finished one is not touched: its result is printed.
    """
    with guarded_stdout(as_json=as_json) as print_document:
        opened = open_existing(store)
        row = _that_goes_on(opened, find_run(opened, run_id))
        ending = _Ending(print_document, as_json=as_json, place=store, output=check_output(output))
        if row.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
            return ending.of_record(opened, row)
        program = opened.program(row.program) if row.program else None
        if program is None:
            raise NotFound(
                f"How run {row.id} was started is not recorded: flow.run() in a script goes on where that script is "
                f"run again with the same key. `flownb show {row.id}` tells what there is."
            )
        if program.kind in _NOTEBOOKS:
            _start_kernel(store, keep=False)
            return _resume_notebook(opened, row, ending, migrate=migrate, wait=wait)
        return _resume_here(opened, row, program, ending, migrate=migrate, wait=wait)


def _that_goes_on(store: Store, row: RunRow) -> RunRow:
    """The run that is resumed where this one is meant: the whole that it is a part of, which has the program."""
    from flownb.notebook.beneath import holder_of

    if row.status in (RunStatus.COMPLETED, RunStatus.CANCELLED) and row.group in (None, row.id):
        return row
    holder = holder_of(store, row)
    if holder.id != row.id:
        kind = "notebook's run" if row.group not in (None, row.id) else "run"
        say(f"{row.id} is a part of the {kind} {holder.id}, which goes on as a whole.")
    return holder


def _start_kernel(store: str | None, *, keep: bool) -> None:
    """Let a kernel begin to start, while this process imports what executes a notebook."""
    import os

    from flownb.notebook.environment import environment
    from flownb.notebook.warm import warm_kernels

    warm_kernels.start(environment(store or os.environ.get("FLOWNB_STORE", "")))
    if keep:
        warm_kernels.keep(1)


# --- notebooks --------------------------------------------------------------------------------------------------------


def _run_notebook(
    target: Target,
    read: Reader,
    ending: _Ending,
    *,
    key: str | None,
    until: str | None,
    wait: bool,
    warm: bool,
    mode: str,
) -> int:
    from flownb.notebook import parameters
    from flownb.notebook.document import read_notebook
    from flownb.notebook.runner import execute
    from flownb.store.place import open_store

    given = read(parameters.read(read_notebook(target.path), target.path.name))
    opened = open_store(ending.place)

    def work(on_event: Callable[[Any], None]) -> Outcome:
        return execute(
            target.path,
            given,
            output=ending.output,
            store=opened,
            key=key,
            until=until,
            wait=wait,
            directory=Path(target.directory),
            warm=warm,
            mode=mode,
            on_event=on_event,
        )

    known = opened.find_key(key) if key is not None else None
    return _notebook(work, opened, ending, seen=_seen(opened, known))


def _resume_notebook(store: Store, row: RunRow, ending: _Ending, *, migrate: bool, wait: bool) -> int:
    from flownb.notebook.resume import resume

    def work(on_event: Callable[[Any], None]) -> Outcome:
        return resume(store, row.id, output=ending.output, migrate=migrate, wait=wait, on_event=on_event)

    return _notebook(work, store, ending, seen=_seen(store, row))


def _seen(store: Store, row: RunRow | None) -> dict[str, int]:
    """The number of the last event that is not news, of a notebook's run and of those beneath it."""
    return {} if row is None else {each.id: each.seq for each in [*store.rows(group=row.id), row]}


def _notebook(
    work: Callable[[Callable[[Any], None]], Outcome], store: Store, ending: _Ending, *, seen: dict[str, int]
) -> int:
    """Let a notebook work, show what happens, and tell how it ended."""
    from flownb.notebook.startup import import_papermill

    import_papermill()
    display = display_for(quiet=ending.as_json)
    with interrupted_by_term():
        try:
            outcome = work(lambda news: show_news(display, news, seen))
        finally:
            display.close()
    _call_others(store)
    tell_outcome(store, outcome.run_id, ending.print_document, as_json=ending.as_json, place=ending.place)
    if outcome.output_path is not None:
        say(f"wrote {outcome.output_path}")
    return outcome.exit_code


def show_news(display: Display, news: Any, seen: Mapping[str, int]) -> None:
    """Show what comes from a notebook: events of its runs that nobody has seen, its cells, sentences."""
    from flownb.model.events import Record
    from flownb.notebook.headless import CellProgress, Notice

    if isinstance(news, Record):
        if news.seq > seen.get(news.run, 0):
            display.show([news])
    elif isinstance(news, Notice):
        display.say(news.text)
    elif isinstance(news, CellProgress):
        display.note(f"cell {news.index + 1} of {news.count}")


# --- flows of modules and workflow files, in this process -------------------------------------------------------------


def _run_here(
    target: Target,
    read: Reader,
    ending: _Ending,
    *,
    key: str | None,
    until: str | None,
    wait: bool,
    mode: str,
    because: str | None = None,
) -> int:
    from flownb.notebook.programs import load, start_target
    from flownb.store.place import open_store

    loaded = load(target)
    workflow = loaded.definition.workflow
    inputs = read_inputs(workflow, read(parameters_of(workflow)), Path(target.directory))
    opened = open_store(ending.place)
    known = opened.find_key(key) if key is not None else None
    with interrupts() as asked:
        if because is None:
            run = start_target(target, loaded, inputs, opened, key=key, until=until, mode=mode)
        else:
            run = _start_because(opened, because, key, partial(start_target, target, loaded, inputs, opened))
        after = known.seq if known is not None and known.id == run.id else 0
        return _attend(opened, run, ending, asked, after=after, wait=wait)


def _start_because(store: Store, run_id: str, key: str | None, begin: Callable[..., Run]) -> Run:
    """Start the workflow that is to be started because of how a run is now, once.

    Raises:
        NotFound: nothing is to be started because of that run any more.
    """
    from flownb.run.calls import key_of, open_calls, payload_of

    call = next((each for each in open_calls(store) if each.run == run_id and key in (None, key_of(each))), None)
    if call is None:
        raise NotFound(f"Nothing is to be started because of run {run_id}; it was started already.")
    run = begin(key=key_of(call), trigger=call.trigger, payload=payload_of(store, call))
    store.answer_call(call)
    return run


def _resume_here(store: Store, row: RunRow, program: Program, ending: _Ending, *, migrate: bool, wait: bool) -> int:
    from flownb.notebook.programs import resume_target

    _enter(row, program)
    if migrate:
        _say_difference(store, row, program)
    with interrupts() as asked:
        run = resume_target(store, row, program, migrate=migrate)
        return _attend(store, run, ending, asked, after=row.seq, wait=wait)


def _enter(row: RunRow, program: Program) -> None:
    """Work where the run was started: imports and relative paths start from there."""
    import os

    try:
        os.chdir(program.directory)
    except OSError as error:
        raise NotFound(
            f"The folder {program.directory}, where run {row.id} was started, can't be entered: {error.strerror}."
        ) from None


def _say_difference(store: Store, row: RunRow, program: Program) -> None:
    from flownb.notebook.programs import load_again
    from flownb.run.recovery.drift import difference

    definition = load_again(store, row, program, migrate=True).definition
    if definition.hash != row.definition:
        changed = difference(store.definition(row.definition) or "", definition.document)
        say(f"{row.workflow} goes on as it is now; since the run began this has changed:\n{changed}")


def _attend(store: Store, run: Run, ending: _Ending, asked: Interrupts, *, after: int, wait: bool) -> int:
    from flownb.notebook.programs import resume_target
    from flownb.run.recovery.recover import require_row

    def again() -> Run:
        row = require_row(store, run.id)
        program = store.program(row.program)
        assert program is not None
        return resume_target(store, row, program, retry=False)

    display = display_for(quiet=ending.as_json, total=len(run))
    try:
        if not run.resting and not at_work_here(run):
            display.say(f"Run {run.id} is at work in another process; this one follows it.")
        run = attend(run, display, asked, after=after, again=again if wait else None)
    finally:
        display.close()
    return ending.of_run(store, run, stopped=bool(asked.asked))


def _call_others(store: Store) -> None:
    """Start what is to be started because of how runs ended, this one or one whose process died before it could."""
    from flownb.run import calls

    calls.answer(store)
    calls.wait()


class _Ending:
    """Where and in which form a command leaves what came of a run."""

    def __init__(
        self, print_document: Callable[[str], None], *, as_json: bool, place: str | None, output: Path | None
    ) -> None:
        self.print_document = print_document
        self.as_json = as_json
        #: The `--store` that was given.
        self.place = place
        self.output = output

    def of_run(self, store: Store, run: Run, *, stopped: bool) -> int:
        """Tell how a run stands, write its report, and say with which status to leave."""
        self._write(store, run.id)
        tell_outcome(store, run.id, self.print_document, as_json=self.as_json, place=self.place)
        _call_others(store)
        return exit_status(run.status, stopped=stopped)

    def of_record(self, store: Store, row: RunRow) -> int:
        """The same for a run that nothing is to be done about."""
        self._write(store, row.id)
        tell_outcome(store, row.id, self.print_document, as_json=self.as_json, place=self.place)
        return exit_status(row.status)

    def _write(self, store: Store, run_id: str) -> None:
        if self.output is not None:
            from flownb.notebook.document import write_text
            from flownb.notebook.report import notebook_report

            write_text(self.output, notebook_report(store, run_id))
            say(f"wrote {self.output}")


def check_output(output: str | None) -> Path | None:
    """The absolute path of `-o`; said at the start that it can't be written, not after an hour.

    Raises:
        UsageError: it is no notebook's name, or can't be written.
    """
    if output is None:
        return None
    from flownb.notebook.document import check_writable

    path = Path(output).absolute()
    if path.suffix != ".ipynb":
        raise UsageError(f"The output {output} must end in .ipynb; `flownb report RUN -o out.html` writes a page.")
    check_writable(path)
    return path
