"""The demonstration: a real notebook is killed in the middle, goes on, asks a person, ends, and is finished."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.cli.ending import COMPLETED, PAUSED, resume_line
from flownb.errors import NotFound, RunFailed, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.store.contract import RunRow, Store

_KEY: Final = "demo"
_NOTEBOOK: Final = Path("notebooks", "weather_report.ipynb")
#: The node after whose commit everything is killed; the sub-notebook is at work then.
_KILL_AFTER: Final = "monthly"
_SECONDS: Final = 180
#: Shows that a folder is an earlier demonstration's, and may be emptied.
_MARK: Final = ".flownb-demo"


@click.command("demo", epilog="Example: flownb demo")
@click.option("--folder", default="demo", show_default=True, help="Where it writes; an earlier demo there is replaced.")
@click.option("--year", type=click.IntRange(2012, 2015), default=2014, show_default=True, help="The year to report on.")
def demo_command(folder: str, year: int) -> int:
    """See a run survive a kill -9 and wait for a person: a real notebook, over real data. Takes half a minute."""
    notebook = _notebook()
    out = _empty(Path(folder).absolute())
    url = f"sqlite:///{out}/.flownb/flownb.db"
    output = out / "weather_report.ipynb"
    click.echo("A notebook runs as a workflow, all its processes are killed, and it goes on where it was.")
    click.echo("Then it asks a person, needs no process while it waits, and is finished after the answer.\n")
    _say(1, f"START   {notebook.name} runs headless, for the weather of {year}.")
    command = ["run", str(notebook), "-p", "year", str(year), "-p", "folder", str(out), "-o", str(output)]
    command += ["-p", "ask", "yes"]
    row, before = _run_and_kill([*command, "--key", _KEY, "--store", url], url, out / "first.log")
    _say(
        2, f"KILL    Its processes have just been killed (kill -9), right after the node {_KILL_AFTER!r} was committed."
    )
    _list("committed by then", before)
    _say(3, f"RESUME  A new process goes on, by: {resume_line(row.id, url)}\n")
    _go_on(row, url, out, expected=PAUSED)
    _approve(url, row)
    _say(5, f"RESUME  Another process finishes the report, by: {resume_line(row.id, url)}\n")
    _go_on(row, url, out, expected=COMPLETED)
    return _tell(url, row, before, out, output)


def _go_on(row: RunRow, url: str, out: Path, *, expected: int) -> None:
    """Go on with the run in a process of its own.

    Raises:
        RunFailed: it did not leave as it should.
    """
    status = subprocess.run(  # noqa: S603  our own command line
        [sys.executable, "-m", "flownb", "resume", row.id, "--store", url], check=False
    ).returncode
    if status != expected:
        raise RunFailed(f"The resumed run left with {status}, not {expected}; {out} holds what there is.", run=row.id)


def _approve(url: str, row: RunRow) -> None:
    """Say yes to what the run asks, from a process that has nothing to do with it."""
    from flownb.store.place import open_store

    (asked,) = open_store(url).approvals(run=row.id)
    click.echo()
    _say(4, "ASK     The run has asked a person and left (75): no process is at work on it now. A second process")
    click.echo(f"           answers, as anybody could tomorrow, by: flownb approve {asked.id} --store {url}\n")
    answer = ["approve", asked.id, "--comment", "The months look right.", "--store", url]
    subprocess.run([sys.executable, "-m", "flownb", *answer], check=True)  # noqa: S603  our own command line
    click.echo()


def _notebook() -> Path:
    """The notebook of this clone: from the working directory upwards, else beside the package."""
    here = Path.cwd()
    for start in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (start / _NOTEBOOK).is_file() and (start / "flownb").is_dir():
            return start / _NOTEBOOK
    raise NotFound(f"The demonstration needs {_NOTEBOOK}, which is in a clone of the repository: run it there.")


def _empty(out: Path) -> Path:
    """The folder, new and empty; only what an earlier demonstration has written is deleted.

    Raises:
        UsageError: it holds something else, or can't be written.
    """
    try:
        if (out / _MARK).is_file():
            shutil.rmtree(out)
        elif out.is_dir() and any(out.iterdir()):
            raise UsageError(f"{out} is not empty and no earlier demonstration's; give another --folder.")
        out.mkdir(parents=True, exist_ok=True)
        (out / _MARK).touch()
    except OSError as error:
        raise UsageError(f"The folder {out} can't be written: {error.strerror}; give another --folder.") from error
    return out


def _say(number: int, text: str) -> None:
    click.echo(f"{click.style(f'{number}.', bold=True)} {text}")


def _list(what: str, nodes: Iterable[str]) -> None:
    names = list(nodes)
    click.echo(f"   {what + ':':<26} {', '.join(names) or 'none'}{f' ({len(names)} nodes)' if len(names) > 1 else ''}")


# --- the kill ---------------------------------------------------------------------------------------------------------


def _run_and_kill(arguments: list[str], url: str, log: Path) -> tuple[RunRow, list[str]]:
    """Start, wait for the commit, kill everything; returns the run and the nodes that were committed, in order.

    Raises:
        RunFailed: the run came to no such commit.
    """
    with log.open("wb") as written:
        child = subprocess.Popen(  # noqa: S603  our own command line
            [sys.executable, "-m", "flownb", *arguments], stdout=written, stderr=written, start_new_session=True
        )
    end = time.monotonic() + _SECONDS
    try:
        while time.monotonic() < end and child.poll() is None:
            time.sleep(0.05)
            store = _opened(url)
            row = store.find_key(_KEY) if store is not None else None
            if store is not None and row is not None and _KILL_AFTER in _completed(store, row.id):
                _kill_all(child.pid, store, row.id)
                child.wait()
                return row, _completed(store, row.id)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    told = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RunFailed(f"The first run came to no commit of {_KILL_AFTER!r}. It said:\n{told}")


def _opened(url: str) -> Store | None:
    from flownb.store.place import open_store

    try:
        return open_store(url, create=False)
    except (NotFound, StoreError):  # the run is just making it
        return None


def _kill_all(group: int, store: Store, run_id: str) -> None:
    """The runner and the kernels; a kernel leads a session of its own, so it is found by its lease."""
    owners = [store.owner_of(row) for row in [run_id, *[each.id for each in store.rows() if each.parent == run_id]]]
    os.killpg(group, signal.SIGKILL)
    for owner in owners:
        for pid in () if owner is None else (owner[0].pid, owner[0].partner_pid):
            if pid and pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _completed(store: Store, run_id: str, after: int = 0) -> list[str]:
    from flownb.model.events import NodeCompleted

    return [each.event.node for each in store.events(run_id, after) if isinstance(each.event, NodeCompleted)]


# --- what is told -----------------------------------------------------------------------------------------------------


def _tell(url: str, row: RunRow, before: list[str], out: Path, output: Path) -> int:
    """Say what was restored and what ran, write picture and report; 1 if a committed node ran again."""
    from flownb.model.events import ApprovalRequested, NodeStarted, RunResumed
    from flownb.store.place import open_store

    store = open_store(url)
    records = store.events(row.id)
    killed = next((each.seq for each in records if isinstance(each.event, RunResumed)), len(records))
    starts = {seq: each.event.node for seq, each in enumerate(records, 1) if isinstance(each.event, NodeStarted)}
    first = {node for seq, node in starts.items() if seq < killed}
    second = {node for seq, node in starts.items() if seq > killed}
    twice = [node for node in before if node in second]
    after = _completed(store, row.id, killed)
    click.echo()
    _say(6, "RESULT  What happened to the nodes:")
    _list("restored, not run again", [node for node in before if node not in second])
    asked = {each.event.node for each in records if isinstance(each.event, ApprovalRequested)}
    _list("interrupted, begun again", [node for node in after if node in first - asked])
    _list("answered by a person", [node for node in after if node in first & asked])
    _list("run for the first time", [node for node in after if node not in first])
    if twice:
        _list("COMMITTED AND RUN AGAIN", twice)
        click.echo("   That must not happen: please report it.")
    _write_reports(store, row.id, out)
    _say(7, "OPEN    these files:")
    pages = [
        (next(iter(sorted(out.glob("weather-*.html"))), out), "the weather report that the workflow made"),
        (out / "run.html", "the report of the run, a section for each node"),
        (out / "run.png", "the picture of the run"),
        (output, "the executed notebook"),
    ]
    names = [_near(path) for path, _ in pages]
    for name, (_, what) in zip(names, pages, strict=True):
        click.echo(f"   {name:<{max(map(len, names))}}  {what}")
    click.echo(f"\nLook further with: flownb show {row.id} --store {url}")
    return 1 if twice else 0


def _near(path: Path) -> str:
    """A path from here, where it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _write_reports(store: Store, run_id: str, out: Path) -> None:
    from flownb.notebook.report import html_report
    from flownb.run.handles.depict import picture_of
    from flownb.run.recovery.recover import read_state, require_row

    state: Any = read_state(store, require_row(store, run_id))
    (out / "run.png").write_bytes(picture_of(state).png())
    (out / "run.html").write_text(html_report(store, run_id), encoding="utf-8")
