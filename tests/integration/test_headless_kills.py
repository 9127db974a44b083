"""Headless runs whose processes are killed or interrupted: what was committed is never done again."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from flownb.model.events import NodeCompleted
from flownb.notebook.resume import resume
from flownb.store.owner import is_gone
from flownb.store.place import open_store
from tests import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

wait_for = partial(waiting.wait_for, seconds=60.0)

#: What the runner does in a process of its own, as the command line does.
RUNNER = """
import sys
from flownb.notebook.headless import CellProgress, Notice
from flownb.notebook.runner import execute

def hear(event):
    if isinstance(event, Notice):
        print(event.text, flush=True)
    elif isinstance(event, CellProgress):
        print("cell", event.index, event.status, flush=True)

done = execute(sys.argv[1], output=sys.argv[2], store=sys.argv[3], key="k", on_event=hear)
print(done.status, done.pause_reason, flush=True)
sys.exit(done.exit_code)
"""

SLOW = """
import time

@flow.node
def slow(two):
    ran("slow begins")
    while not Path("go").exists():
        time.sleep(0.02)
    return two

@flow.node
def last(slow, three):
    ran("last")
    return slow + three
"""


@contextlib.contextmanager
def runner(path: Path, output: Path, store: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(path), str(output), store],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "it ended"
    return line


def test_after_a_kill_of_runner_and_kernel_only_the_rest_runs(
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(
        flow_cell,
        SLOW,
        "ran('plain cell')\nrun = flow.run(n=1)",
        "outcome = await run",
        "import flownb\nflownb.result('last', outcome['last'])",
    )
    output = tmp_path / "out.ipynb"
    with runner(path, output, own_store) as process:
        wait_for(lambda: {"three", "slow begins"} <= set(ran()))
        store = open_store(own_store)
        row = store.find_key("k")
        assert row is not None
        wait_for(lambda: sum(isinstance(each.event, NodeCompleted) for each in store.events(row.id)) == 3)
        found = store.owner_of(row.id)
        assert found is not None
        owner, alive = found
        assert alive
        assert owner.partner_pid == process.pid != owner.pid
        process.kill()
        process.wait()
        # The kernel is alive still, but its runner is not: that counts as dead, and whoever takes over ends it first.
        (tmp_path / "go").touch()
        done = resume(store, row.id)

    assert is_gone(owner.pid, owner.pid_started)
    assert (done.error, done.status, done.results) == (None, "completed", {"last": 108})
    assert done.output_path == str(output)
    lines = ran()
    assert [lines.count(name) for name in ("one", "two", "three", "last")] == [1, 1, 1, 1]
    assert lines.count("slow begins") <= 2  # in flight at the kill: it may run again
    assert lines.count("plain cell") == 2  # plain cells do


def test_ctrl_c_pauses_the_run_and_resume_goes_on(
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(flow_cell, SLOW, "run = flow.run(n=1)", "await run", "ran('after')")
    output = tmp_path / "out.ipynb"
    with runner(path, output, own_store) as process:
        wait_for(lambda: {"three", "slow begins"} <= set(ran()))
        wait_for(lambda: "cell 3 running" in next_line(process))
        process.send_signal(signal.SIGINT)
        wait_for(lambda: "cell 3 paused" in next_line(process))
        (tmp_path / "go").touch()  # a pause lets the nodes in flight end
        said, complained = process.communicate(timeout=60)

    assert (process.returncode, said.splitlines()[-1]) == (130, "paused manual"), complained
    assert "last" not in ran()
    store = open_store(own_store)
    row = store.find_key("k")
    assert row is not None
    assert store.owner_of(row.id) is None

    done = resume(store, row.id)

    assert (done.error, done.status) == (None, "completed")
    assert sorted(ran()) == sorted(["one", "two", "three", "slow begins", "last", "after"])


def test_a_second_ctrl_c_ends_the_kernel_at_once(
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(flow_cell, SLOW, "run = flow.run(n=1)", "await run")
    with runner(path, tmp_path / "out.ipynb", own_store) as process:
        wait_for(lambda: {"three", "slow begins"} <= set(ran()))
        process.send_signal(signal.SIGINT)
        wait_for(lambda: "pauses when its nodes in flight have ended" in next_line(process))
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=60)

    assert (process.returncode, said.splitlines()[-1]) == (130, "paused manual"), complained
    (tmp_path / "go").touch()
    store = open_store(own_store)
    row = store.find_key("k")
    assert row is not None
    done = resume(store, row.id)
    assert (done.error, done.status) == (None, "completed")
    assert [ran().count(name) for name in ("one", "two", "three", "last")] == [1, 1, 1, 1]
    assert (tmp_path / "out.ipynb").exists()


def test_whoever_comes_second_follows_and_takes_over_when_the_first_dies(
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(flow_cell, SLOW, "await flow.run(n=1)")
    with runner(path, tmp_path / "a.ipynb", own_store) as first:
        wait_for(lambda: {"three", "slow begins"} <= set(ran()))
        with runner(path, tmp_path / "b.ipynb", own_store) as second:
            wait_for(lambda: "this one follows it" in next_line(second))
            first.kill()
            first.wait()
            (tmp_path / "go").touch()
            said, complained = second.communicate(timeout=60)

    assert (second.returncode, said.splitlines()[-1]) == (0, "completed None"), complained
    assert [ran().count(name) for name in ("one", "two", "three", "last")] == [1, 1, 1, 1]
