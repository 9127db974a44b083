"""The demonstration: a real notebook runs headless, its processes are killed in the middle, and it goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.errors import NotFound, UsageError

if TYPE_CHECKING:
    from flownb.store.contract import RunRow, Store

_KEY: Final = "demo"
#: The node after whose commit everything is killed; the sub-notebook is at work then.
_KILL_AFTER: Final = "monthly"
_SECONDS: Final = 180


@click.command("demo", epilog="Example: flownb demo")
@click.option("--folder", default="demo", show_default=True, help="Where the demonstration writes; emptied first.")
@click.option("--year", default=2014, show_default=True, help="The year to report on, 2012 to 2015.")
def demo_command(folder: str, year: int) -> int:
    """See a run survive a kill -9: a real notebook with ten nodes and more, over real data."""
    notebook = _notebook()
    out = Path(folder).resolve()
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    url = f"sqlite:///{out}/.flownb/flownb.db"
    output = out / "weather_report.ipynb"
    _say(1, f"{notebook.name} runs headless through papermill, for the year {year}.")
    parameters = ["-p", "year", str(year), "-p", "folder", str(out)]
    command = [sys.executable, "-m", "flownb", "run", str(notebook), *parameters]
    command += ["-o", str(output), "--key", _KEY, "--store", url]
    row, before = _run_and_kill(command, url, out / "first.log")
    _say(2, f"All its processes were just killed (kill -9), right after the node {_KILL_AFTER!r} was committed.")
    click.echo(f"     Committed by then: {', '.join(sorted(before))}.")
    _say(3, f"`flownb resume {row.id}` goes on in a new process.")
    status = subprocess.run(  # noqa: S603  our own command line
        [sys.executable, "-m", "flownb", "resume", row.id, "--store", url], check=False
    ).returncode
    if status != 0:
        raise UsageError(f"The resumed run left with {status}; {out} holds what there is of it.")
    return _tell(url, row.id, before, out, output)


def _notebook() -> Path:
    for start in (Path.cwd(), Path(__file__).resolve().parents[2]):
        found = start / "notebooks" / "weather_report.ipynb"
        if found.is_file():
            return found
    raise NotFound("The demonstration needs notebooks/weather_report.ipynb: run it in a clone of the repository.")


def _say(number: int, text: str) -> None:
    click.echo(f"{click.style(f'  {number}.', bold=True)} {text}")


def _run_and_kill(command: list[str], url: str, log: Path) -> tuple[RunRow, set[str]]:
    """Start, wait for the commit, kill the whole group; returns the run and what was committed."""
    from flownb.store.place import open_store

    with log.open("wb") as written:
        child = subprocess.Popen(  # noqa: S603  our own command line
            command, stdout=written, stderr=written, start_new_session=True
        )
    end = time.monotonic() + _SECONDS
    store: Any = None
    try:
        while time.monotonic() < end and child.poll() is None:
            time.sleep(0.05)
            store = store or _opened(url, open_store)
            row = store.find_key(_KEY) if store is not None else None
            if row is not None and _KILL_AFTER in _completed(store, row.id):
                _kill_all(child.pid, store, row.id)
                child.wait()
                return row, _completed(store, row.id)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    raise UsageError(f"The first run came to no commit of {_KILL_AFTER!r}:\n{log.read_text()[-2000:]}")


def _opened(url: str, open_store: Any) -> Any:
    try:
        return open_store(url, create=False)
    except NotFound:
        return None


def _kill_all(group: int, store: Store, run_id: str) -> None:
    """The runner and the kernels; a kernel leads a session of its own, so it is found by its lease."""
    os.killpg(group, signal.SIGKILL)
    for row in [run_id, *[each.id for each in store.rows() if each.parent == run_id]]:
        owner = store.owner_of(row)
        if owner is not None and owner[0].pid != os.getpid():
            for pid in (owner[0].pid, owner[0].partner_pid):
                if pid:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue


def _completed(store: Store, run_id: str) -> set[str]:
    from flownb.model.events import NodeCompleted

    return {each.event.node for each in store.events(run_id) if isinstance(each.event, NodeCompleted)}


def _tell(url: str, run_id: str, before: set[str], out: Path, output: Path) -> int:
    from flownb.graph.picture import draw
    from flownb.graph.registry import registry
    from flownb.model.events import NodeStarted
    from flownb.notebook.report import html_report
    from flownb.run.depict import depict
    from flownb.run.recover import read_state, require_row
    from flownb.store.place import open_store

    store = open_store(url)
    starts = Counter(each.event.node for each in store.events(run_id) if isinstance(each.event, NodeStarted))
    after = _completed(store, run_id) - before
    twice = sorted(node for node in before if _started_after_commit(store, run_id, node))
    _say(4, "What happened:")
    click.echo(f"     restored, not run again: {', '.join(sorted(before - set(twice)))}")
    click.echo(f"     ran after the kill:      {', '.join(sorted(after))}")
    again = sorted(node for node in after if starts[node] > 1)
    click.echo(f"     begun more than once:    {', '.join(again) or 'none'} (in flight at the kill, or retried)")
    if twice:
        click.echo(f"     COMMITTED AND RUN AGAIN: {', '.join(twice)}: please report this")
    state = read_state(store, require_row(store, run_id))
    workflow = state.topology.workflow
    (out / "run.png").write_bytes(draw(workflow, depict(state), categories=registry.categories(workflow)).png())
    (out / "run.html").write_text(html_report(store, run_id), encoding="utf-8")
    _say(5, "Open these:")
    for path, what in (
        (next(iter(sorted(out.glob("weather-*.html"))), out), "the weather report that the workflow made"),
        (out / "run.html", "the report of the run, a section for each node"),
        (out / "run.png", "the picture of the run"),
        (output, "the executed notebook"),
    ):
        click.echo(f"     {os.path.relpath(path):<32} {what}")
    return 1 if twice else 0


def _started_after_commit(store: Store, run_id: str, node: str) -> bool:
    from flownb.model.events import NodeCompleted, NodeStarted

    committed = False
    for record in store.events(run_id):
        if getattr(record.event, "node", None) != node:
            continue
        if isinstance(record.event, NodeCompleted):
            committed = True
        elif committed and isinstance(record.event, NodeStarted):
            return True
    return False
