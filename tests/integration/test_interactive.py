"""Flows in the kernels of other front ends: JupyterLab's way of asking, plain papermill, nbval."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import KernelManager

from flownb.errors import RunPaused
from flownb.notebook.attach import attach
from flownb.notebook.resume import resume
from flownb.store.place import open_store
from tests import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

wait_for = partial(waiting.wait_for, seconds=60.0)

SLOW = """
import time

@flow.node
def slow(two):
    ran("slow begins")
    while not Path("go").exists():
        time.sleep(0.02)
    return two

@flow.node
def last(slow):
    ran("last")
    return slow + 1
"""


class Front:
    """What JupyterLab does with a kernel, without JupyterLab."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager()
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self._cells = 0

    def send(self, code: str, cell: str = "") -> str:
        """Ask for a cell to be executed; returns the message's id."""
        self._cells += 1
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": False,  # else what comes soon after an error is dropped
        }  # fmt: skip
        metadata = {"cellId": cell or f"cell-{self._cells}"}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def reply(self, message_id: str) -> dict[str, Any]:
        while True:
            message = self.client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == message_id:
                content: dict[str, Any] = message["content"]
                return content

    def run(self, code: str, cell: str = "") -> dict[str, Any]:
        return self.reply(self.send(code, cell))

    def value(self, expression: str) -> str:
        """What `print(expression)` writes."""
        message_id = self.send(f"print({expression})")
        text = ""
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                text += message["content"]["text"]
            elif message["content"].get("execution_state") == "idle":
                self.reply(message_id)
                return text.strip()

    def close(self) -> None:
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    made = Front(tmp_path)
    yield made
    made.close()


def test_the_kernel_stays_free_the_stop_button_is_felt_and_the_run_outlives_the_kernel(
    front: Front, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    assert front.run("helper = 5\nunused = 1", "before").get("evalue") is None
    assert front.run("1 / 0", "failing")["status"] == "error"
    front.run(flow_cell, "define")
    front.run("@flow.node\ndef two(one):\n    ran('two')\n    return one * 2 * helper", "again")
    front.run(SLOW, "slow")
    front.run(
        "other = Flow('other')\n@other.node\ndef quick():\n    ran('quick')\n    return 1\nother.run().result()", "o"
    )
    assert front.run("run = flow.run(n=1)", "start").get("evalue") is None
    wait_for(lambda: {"three", "slow begins"} <= set(ran()))

    assert front.value("6 * 7") == "42"  # cells go on while a run works

    waiting = front.send("print('it waits')\nawait run", "wait")
    wait_for(lambda: "it waits" in written(front, waiting))
    begun = time.monotonic()
    front.manager.interrupt_kernel()
    reply = front.reply(waiting)
    felt = time.monotonic() - begun
    assert reply["status"] == "error"
    assert felt < 0.5

    run_id = front.value("run.id")
    (tmp_path / "go").touch()
    wait_for(lambda: front.value("run.status") == "paused")
    front.manager.signal_kernel(signal.SIGKILL)
    wait_for(lambda: not front.manager.is_alive())

    done = resume(open_store(own_store), run_id)

    assert (done.error, done.status) == (None, "completed")
    assert done.results == {"three": 120, "last": 21}
    lines = ran()
    assert [lines.count(name) for name in ("one", "two", "three", "slow begins", "last", "quick")] == [1] * 6


def written(front: Front, message_id: str) -> str:
    """What the next message says that a request wrote."""
    message = front.client.get_iopub_msg(timeout=60)
    mine = message["parent_header"].get("msg_id") == message_id
    return str(message["content"].get("text", "")) if mine else ""


def test_stop_and_result_do_no_harm_where_nobody_runs_the_notebook(front: Front) -> None:
    front.run("import flownb")
    assert front.run("flownb.result('x', object())").get("evalue") is None

    reply = front.run("flownb.stop('no data today')")

    assert (reply["status"], reply["ename"], reply["traceback"]) == ("error", "Stopped", ["Stopped: no data today"])
    assert front.value("1 + 1") == "2"


def test_a_kernel_with_nest_asyncio_still_runs_flows(front: Front, flow_cell: str) -> None:
    pytest.importorskip("nest_asyncio")
    front.run("import nest_asyncio\nnest_asyncio.apply()")
    front.run(flow_cell)
    assert front.run("outcome = await flow.run(n=1)").get("evalue") is None
    assert front.value("outcome") == "{'three': 104}"
    assert front.value("flow.run(n=2).result()") == "{'three': 106}"


def test_plain_papermill_and_nbval_execute_a_notebook_with_a_flow(
    write_notebook: Any, flow_cell: str, tmp_path: Path, cells: Callable[[Path], Any]
) -> None:
    path = write_notebook(
        ("n = 1", "parameters"),
        flow_cell,
        "run = flow.run(n=n)\nawait run",
        "import flownb\nflownb.result('three', run['three'].output)",
    )
    output = tmp_path / "out.ipynb"
    papermill = [sys.executable, "-m", "papermill", str(path), str(output), "-p", "n", "2", "--cwd", str(tmp_path)]
    checked = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", str(path), "-p", "no:cacheprovider"]

    done = subprocess.run(papermill, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    result = next(each for each in cells(output)[-1]["outputs"] if each["output_type"] == "display_data")
    assert result["metadata"] == {"flownb": {"result": "three"}}
    assert "".join(result["data"]["text/plain"]) == "three = 106"
    done = subprocess.run(checked, capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_papermill_with_our_engine_makes_a_run(
    write_notebook: Any, flow_cell: str, tmp_path: Path, own_store: str, ran: Callable[[], list[str]]
) -> None:
    path = write_notebook(("n = 1", "parameters"), flow_cell, "run = flow.run(n=n)", "import flownb\nawait run")
    output = tmp_path / "out.ipynb"
    code = (
        "import papermill\n"
        "from papermill.engines import papermill_engines\n"
        "from flownb.notebook.engine import FlownbEngine\n"
        "papermill_engines.register('flownb', FlownbEngine)\n"
        f"papermill.execute_notebook({str(path)!r}, {str(output)!r}, {{'n': 5}}, 'flownb', progress_bar=False)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text())["metadata"]["flownb"]
    row = open_store(own_store).row(found["run"])
    assert row is not None
    assert (row.status, row.trigger, found["workflow"]) == ("completed", "papermill", "counting")
    assert ran() == ["one", "two", "three"]


def test_a_run_of_a_dead_kernel_is_seen_and_carried_on_from_another(
    front: Front, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    front.run(flow_cell)
    front.run(SLOW)
    front.run("run = flow.run(n=1)")
    run_id = front.value("run.id")
    wait_for(lambda: {"three", "slow begins"} <= set(ran()))
    run = attach(run_id, own_store)
    assert not run.resting
    front.manager.signal_kernel(signal.SIGKILL)
    wait_for(lambda: run.resting)
    with pytest.raises(RunPaused, match="is at work nowhere: its process is gone"):
        run.result(5)
    (tmp_path / "go").touch()

    assert run.resume().result(60) == {"three": 104, "last": 5}
    assert [ran().count(name) for name in ("one", "two", "three", "last")] == [1, 1, 1, 1]
