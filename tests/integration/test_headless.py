"""Notebooks as programs, in real kernels: how they end, and what is left of them."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import Conflict, InvalidInput, UsageError
from flownb.model.events import NodeStarted
from flownb.notebook.attach import attach, runs
from flownb.notebook.headless import CellProgress
from flownb.notebook.resume import resume
from flownb.notebook.runner import execute
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Write = Any


def metadata(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())["metadata"]
    return found


def status(cell: dict[str, Any]) -> str:
    return str(cell["metadata"]["papermill"]["status"])


def texts(cell: dict[str, Any]) -> str:
    found = []
    for output in cell.get("outputs", []):
        found += output.get("text", []) or output.get("data", {}).get("text/plain", [])
    return "".join(found)


def test_a_notebook_with_two_flows_is_one_run_with_another_beneath_it(
    write_notebook: Write, flow_cell: str, cells: Callable[[Path], Any], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(
        ("from datetime import date\nn: int = 1  # where to begin\nwhen: date = None\nraw = ''", "parameters"),
        flow_cell,
        ("ran('never')", "skip-headless"),
        "first = flow.run(n=n)",
        "print(os.getcwd()) if 'os' in globals() else None\nimport os, flownb, datetime",
        "outcome = await first\noutcome",
        "second = Flow('second')\n@second.node\ndef alone():\n    return when.year\nagain = second.run()",
        "flownb.result('three', outcome['three'])\nflownb.result('raw', raw)\nprint(os.getcwd())",
        "print([name for name, value in os.environ.items() if first.id in value])",
        ("print(get_ipython().get_parent()['metadata'])", "only-headless"),
    )
    output = tmp_path / "out" / "nb.ipynb"
    heard: list[Any] = []

    async def inside_a_running_loop() -> Any:
        given = {"n": "4", "when": "2026-02-03", "raw": "it's\n{{ raw }}"}
        return execute(path, given, output=output, on_event=heard.append)

    done = asyncio.run(inside_a_running_loop())

    assert (done.error, done.status, done.exit_code) == (None, "completed", 0)
    assert done.results == {"three": 110, "raw": "it's\n{{ raw }}"}
    made = cells(output)
    assert [status(cell) for cell in made] == ["completed", "completed", "completed", "skipped", *["completed"] * 7]
    assert [cell["id"] for cell in made][:3] == ["cell-0", "injected-parameters", "cell-1"]
    assert texts(made[8]).endswith(f"{path.parent}\n")
    assert texts(made[9]) == "[]\n"
    assert texts(made[10]) == "{'cellId': 'cell-9', 'tags': ['only-headless']}\n"
    found = metadata(output)["flownb"]
    store = open_store(own_store)
    row = store.row(done.run_id)
    assert row is not None
    assert found == {
        "run": done.run_id,
        "status": "completed",
        "workflow": "counting",
        "definition_hash": row.definition,
    }
    assert [each.id for each in store.rows(group=done.run_id)] == [f"{done.run_id}.2"]
    assert attach(f"{done.run_id}.2", own_store).outputs == {"alone": 2026}
    assert [each.id for each in runs()] == [done.run_id]
    assert {each.event.node for each in heard if hasattr(each, "event") and isinstance(each.event, NodeStarted)} == {
        "one", "two", "three", "alone"
    }  # fmt: skip
    assert [each.status for each in heard if isinstance(each, CellProgress)].count("completed") == 10
    assert os.listdir(tmp_path / "out") == ["nb.ipynb"]  # no half-written file is left  # noqa: PTH208


def test_stop_ends_a_notebook_without_a_flow_as_a_success(
    write_notebook: Write, cells: Callable[[Path], Any], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(
        "import flownb",
        "flownb.result('rows', 0)",
        "try:\n    flownb.stop('no new invoices')\nexcept Exception:\n    pass",
        "raise RuntimeError('never reached')",
    )
    output = tmp_path / "out.ipynb"

    done = execute(path, output=output)

    assert (done.status, done.exit_code, done.message) == ("completed", 0, "no new invoices")
    assert done.results == {"rows": 0}
    made = cells(output)
    assert [status(cell) for cell in made] == ["completed", "completed", "stopped", "not-run"]
    assert "no new invoices" in texts(made[2])
    assert not [each for each in made[2]["outputs"] if each["output_type"] == "error"]
    types = [type(each.event).__name__ for each in open_store(own_store).events(done.run_id)]
    assert types == ["RunStarted", "RunCompleted"]


def test_a_failed_notebook_shows_what_failed_and_resume_carries_on_from_there(
    *,
    write_notebook: Write,
    flow_cell: str,
    cells: Callable[[Path], Any],
    ran: Callable[[], list[str]],
    tmp_path: Path,
    own_store: str,
) -> None:
    path = write_notebook(
        ("n = 1", "parameters"),
        flow_cell,
        "outcome = await flow.run(n=n)",
        "total = Path('needed.txt').read_text()",
        "import flownb\nflownb.result('total', total)",
    )
    output = tmp_path / "out.ipynb"

    failed = execute(path, {"n": 7}, output=output)

    assert (failed.status, failed.exit_code) == ("failed", 1)
    assert failed.error is not None
    assert failed.error.type == "FileNotFoundError"
    assert failed.error.message.startswith("In cell 5 (total = Path('needed.txt').read_text()): ")
    assert "\x1b" not in failed.error.traceback
    made = cells(output)
    assert [status(each) for each in made if each["id"] in ("cell-3", "cell-4")] == ["failed", "not-run"]
    assert metadata(output)["flownb"]["status"] == "failed"
    path.write_text("{}")  # what is executed is the pinned program, not the file of now
    (tmp_path / "needed.txt").write_text("42")

    done = resume(open_store(own_store), failed.run_id)

    assert (done.status, done.exit_code, done.results) == ("completed", 0, {"total": "42"})
    assert done.output_path == str(output)
    assert ran() == ["one", "two", "three"]
    assert {status(each) for each in cells(output)} == {"completed"}
    assert metadata(output)["flownb"]["status"] == "completed"


def test_a_kernel_that_dies_is_said_where_it_was(
    write_notebook: Write, flow_cell: str, cells: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = write_notebook(flow_cell, "run = flow.run(n=1)\nawait run", "import os\nos.kill(os.getpid(), 9)", "1 + 1")
    output = tmp_path / "out.ipynb"

    done = execute(path, output=output)

    assert (done.status, done.exit_code) == ("failed", 1)
    assert done.error is not None
    assert done.error.type == "KernelDied"
    assert done.error.message.startswith("The kernel of nb.ipynb died in cell 3 (import os). It was ended by SIGKILL.")
    made = [each for each in cells(output) if each["id"].startswith("cell-")]
    assert [status(each) for each in made] == ["completed", "completed", "failed", "not-run"]
    assert made[2]["outputs"][-1]["ename"] == "KernelDied"


def test_a_pause_ends_the_notebook_at_the_first_cell_that_waits(
    *,
    write_notebook: Write,
    cells: Callable[[Path], Any],
    ran: Callable[[], list[str]],
    tmp_path: Path,
    own_store: str,
    flow_cell: str,
) -> None:
    path = write_notebook(
        flow_cell,
        "flow.delay('wait', seconds=3600, after=two)\n@flow.node(after='wait')\ndef later():\n    ran('later')",
        "run = flow.run(n=1)",
        "ran('a cell that does not wait')",
        "await run",
        "ran('never')",
    )
    output = tmp_path / "out.ipynb"

    paused = execute(path, output=output, key="monthly")

    assert (paused.status, paused.pause_reason, paused.exit_code) == ("paused", "timer", 75)
    assert f"`flownb resume {paused.run_id}`" in paused.message
    made = cells(output)
    assert [status(each) for each in made] == [*["completed"] * 4, "paused", "not-run"]
    assert not [each for each in made[4]["outputs"] if each["output_type"] == "error"]
    assert "is paused (timer)" in texts(made[4])
    before = sorted(ran())
    assert "never" not in before

    again = execute(path, output=tmp_path / "again.ipynb", key="monthly")
    resumed = resume(open_store(own_store), paused.run_id)

    assert (again.run_id, again.exit_code, resumed.exit_code) == (paused.run_id, 75, 75)
    assert sorted(ran()) == before


def test_a_key_starts_at_most_one_run(write_notebook: Write, own_store: str) -> None:
    path = write_notebook(("n = 1", "parameters"), "import flownb\nflownb.result('n', n)")

    first = execute(path, {"n": 2}, key="k")
    second = execute(path, {"n": 2}, key="k")

    assert (second.run_id, second.status, second.results) == (first.run_id, "completed", {"n": 2})
    with pytest.raises(Conflict, match="The key 'k' belongs to run"):
        execute(path, {"n": 3}, key="k")
    assert len(runs(own_store)) == 1


def test_bad_input_is_refused_before_anything_starts(write_notebook: Write, own_store: str, tmp_path: Path) -> None:
    path = write_notebook(("n = 1", "parameters"), "n")

    with pytest.raises(InvalidInput, match="no parameter 'm'"):
        execute(path, {"m": 1})
    with pytest.raises(UsageError, match="is the notebook itself"):
        execute(path, output=path)
    with pytest.raises(UsageError, match="memory: lives in one"):
        execute(path, store="memory:")
    with pytest.raises(UsageError, match="There is no kernel 'pyhton3'"):
        execute(path, kernel="pyhton3")
    assert len(runs(own_store)) == 0
    assert not list(tmp_path.glob("*.out"))


#: A kernel whose thread that answers the shutdown request is slow, and which tells whether its output stops before it.
SLOW_ANSWER = """
def be_slow(kernel):  # a function, because the notebook's names are gone at the end
    import time
    from pathlib import Path

    answer, stop = kernel.control_handlers["shutdown_request"], kernel.parent.iopub_thread.stop

    async def slow_answer(*given):
        await answer(*given)
        time.sleep(0.3)

    def telling_stop():
        Path("answering.txt").write_text(str(kernel.parent.control_thread.is_alive()))
        stop()

    kernel.control_handlers["shutdown_request"] = slow_answer
    kernel.parent.iopub_thread.stop = telling_stop

be_slow(get_ipython().kernel)
"""


def test_the_kernel_answers_its_shutdown_before_its_output_stops(
    write_notebook: Write, tmp_path: Path, own_store: str
) -> None:
    done = execute(write_notebook(SLOW_ANSWER), store=own_store)
    assert done.status == "completed"
    assert (tmp_path / "answering.txt").read_text() == "False"
