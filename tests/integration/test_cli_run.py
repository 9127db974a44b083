"""`flownb run` and `flownb resume` as people call them: processes of their own, killed on purpose."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flownb.model.status import RunStatus
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]

STEPS = """
import os, time
from pathlib import Path
from flownb import Flow

flow = Flow("steps")

def effect(name):
    with open("effects", "a") as file:
        file.write(name + "\\n")

@flow.node
def first(start: int = 1):
    effect("first")
    return start + 1

@flow.node
def second(first):
    effect("second")
    while Path("hold").exists():
        time.sleep(0.02)
    return first * 10

@flow.node
def third(second):
    effect("third")
    return second + 3
"""


class Shell:
    """A working directory with a module `steps`, and the commands in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.children: list[subprocess.Popen[str]] = []
        (folder / "steps.py").write_text(STEPS)

    def environment(self, fault: str = "") -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        extra = {"FLOWNB_FAULT": fault} if fault else {}
        return os.environ | {"FLOWNB_STORE": self.url, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | extra

    def start(self, *args: str, fault: str = "") -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "flownb", *args],
            cwd=self.folder,
            env=self.environment(fault),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.children.append(child)
        return child

    def close(self) -> None:
        """End what a failed test has left."""
        for child in self.children:
            child.kill()
            if child.stdout is not None and not child.stdout.closed:
                child.communicate()

    def read_until(self, child: subprocess.Popen[str], text: str) -> str:
        """The first line of a child's stderr that has a text."""
        assert child.stderr is not None
        for line in child.stderr:
            if text in line:
                return line
        raise AssertionError(f"{text!r} did not come")

    def call(self, *args: str, fault: str = "") -> tuple[int, str, str]:
        child = self.start(*args, fault=fault)
        out, err = child.communicate(timeout=60)
        return child.returncode, out, err

    def effects(self) -> list[str]:
        file = self.folder / "effects"
        return file.read_text().split() if file.exists() else []

    def until(self, what: Callable[[], Any]) -> Any:
        """Wait until other processes have made `what()` true."""
        end = time.monotonic() + 30
        while not (found := what()):
            assert time.monotonic() < end, "it did not happen"
            threading.Event().wait(0.01)
        return found

    def hold(self) -> Path:
        """Keep the second node at work as long as this file is there."""
        held = self.folder / "hold"
        held.touch()
        return held

    def run_id(self) -> str:
        (row,) = open_store(self.url).rows()
        return row.id


@pytest.fixture
def shell(tmp_path: Path, own_store: str) -> Iterator[Shell]:
    shell = Shell(tmp_path, own_store)
    yield shell
    shell.close()


def test_a_run_prints_one_document_and_leaves_with_0(shell: Shell) -> None:
    status, out, err = shell.call("run", "steps:flow", "-p", "start", "4", "--json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert document["outputs"] == {"third": 53}
    assert document["inputs"] == {"start": 4}


def test_without_json_the_nodes_are_on_stderr_and_the_result_on_stdout(shell: Shell) -> None:
    status, out, err = shell.call("run", "steps:flow")
    assert status == 0
    assert out.splitlines()[1:] == ["third: 23"]
    assert "\x1b" not in out + err
    assert "✔ second" in err


def test_a_terminal_without_signs_gets_the_words(shell: Shell) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "flownb", "run", "steps:flow"],
        cwd=shell.folder,
        env=shell.environment() | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert child.returncode == 0
    assert b"\\u2714 completed  steps" in child.stdout


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        ("run.created", ["first", "second", "third"]),
        ("tick.after_commit:2", ["second", "third"]),
        ("node.after_body:2", ["second", "third"]),
        ("run.before_finish", ["third"]),  # its end and the run's are one commit
        ("run.after_finish", []),
    ],
)
def test_a_killed_run_goes_on_where_it_was(shell: Shell, fault: str, again: list[str]) -> None:
    status, out, _ = shell.call("run", "steps:flow", "-p", "start", "2", "--json", fault=fault)
    assert (status, out) == (-signal.SIGKILL, "")
    before = shell.effects()
    run_id = shell.run_id()
    status, out, err = shell.call("resume", run_id[:-1], "--json")
    assert status == 0, err
    document = json.loads(out)
    assert (document["id"], document["status"], document["outputs"]) == (run_id, "completed", {"third": 33})
    assert document["inputs"] == {"start": 2}
    assert shell.effects()[len(before) :] == again


def test_a_key_goes_on_with_a_killed_run(shell: Shell) -> None:
    args = ("run", "steps:flow", "--key", "nightly", "--json")
    assert shell.call(*args, fault="node.before_body:2")[0] == -signal.SIGKILL
    run_id = shell.run_id()
    status, out, _ = shell.call(*args)
    assert (status, json.loads(out)["id"]) == (0, run_id)
    assert shell.effects() == ["first", "second", "third"]
    status, out, _ = shell.call(*args)
    assert (status, json.loads(out)["id"]) == (0, run_id)
    assert shell.effects() == ["first", "second", "third"]


def test_resume_works_in_the_folder_where_the_run_began(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> None:
    shell.call("run", "steps:flow", fault="node.before_body:2")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    child = subprocess.run(
        [sys.executable, "-m", "flownb", "resume", shell.run_id(), "-o", "out.ipynb"],
        cwd=elsewhere,
        env=shell.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert shell.effects() == ["first", "second", "third"]
    assert (elsewhere / "out.ipynb").is_file()


# --- changed programs -------------------------------------------------------------------------------------------------


def test_a_changed_module_is_refused_with_the_difference(shell: Shell) -> None:
    shell.call("run", "steps:flow", fault="node.before_body:2")
    run_id = shell.run_id()
    module = shell.folder / "steps.py"
    module.write_text(STEPS.replace("second + 3", "second + 4"))
    status, out, err = shell.call("resume", run_id, "--json")
    assert (status, out) == (2, "")
    assert "~ node third: its code changed" in err
    assert "-    return second + 3" in err
    assert "+    return second + 4" in err
    assert f"`flownb resume {run_id} --migrate`" in err
    assert shell.effects() == ["first"]

    status, out, err = shell.call("resume", run_id, "--migrate", "--json")
    assert status == 0, err
    assert json.loads(out)["outputs"] == {"third": 24}
    assert "+    return second + 4" in err
    assert shell.effects() == ["first", "second", "third"]


def test_a_comment_changes_nothing(shell: Shell) -> None:
    shell.call("run", "steps:flow", fault="node.before_body:2")
    module = shell.folder / "steps.py"
    module.write_text(STEPS.replace("return second + 3", "return second + 3  # three"))
    assert shell.call("resume", shell.run_id())[0] == 0


def test_a_workflow_file_is_pinned_and_the_code_of_its_functions_is_compared(shell: Shell) -> None:
    functions = "import os\ndef first():\n    return 1\n\ndef second(first):\n    return first + 1\n"
    (shell.folder / "functions.py").write_text(functions)
    nodes = [
        {"id": "first", "type": "python", "config": {"function": "functions:first"}},
        {"id": "second", "type": "python", "config": {"function": "functions:second", "params": {"first": {}}}},
    ]
    edges = [{"source": "first", "target": "second", "target_port": "first"}]
    file = shell.folder / "wf.json"
    file.write_text(json.dumps({"format": 1, "name": "wf", "nodes": nodes, "edges": edges}))
    assert shell.call("run", "wf.json", fault="node.before_body:2")[0] == -signal.SIGKILL
    file.unlink()
    (shell.folder / "functions.py").write_text(functions.replace("first + 1", "first + 2"))
    status, _, err = shell.call("resume", shell.run_id())
    assert status == 2
    assert "+    return first + 2" in err
    (shell.folder / "functions.py").write_text(functions)
    status, out, err = shell.call("resume", shell.run_id(), "--json")
    assert status == 0, err
    assert json.loads(out)["outputs"] == {"second": 2}


def test_a_program_that_is_gone_is_one_sentence(shell: Shell) -> None:
    shell.call("run", "steps:flow", fault="node.before_body:2")
    (shell.folder / "steps.py").unlink()
    status, out, err = shell.call("resume", shell.run_id())
    assert (status, out) == (2, "")
    assert err.startswith("flownb: There is no module 'steps' in ")


# --- signals and other processes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_pauses_the_run_and_resume_goes_on(shell: Shell, number: signal.Signals) -> None:
    held = shell.hold()
    child = shell.start("run", "steps:flow")
    shell.until(lambda: shell.effects() == ["first", "second"])
    child.send_signal(number)
    assert "Pausing: second still at work" in shell.read_until(child, "Pausing")
    held.unlink()
    out, err = child.communicate(timeout=30)
    run_id = shell.run_id()
    assert child.returncode == 130
    assert out == f"⧗ paused (manual)  steps  {run_id}\n"
    assert f"`flownb resume {run_id}` goes on with it." in err
    status, out, _ = shell.call("resume", run_id, "--json")
    assert (status, json.loads(out)["status"]) == (0, "completed")
    assert shell.effects() == ["first", "second", "third"]


def test_a_second_signal_leaves_at_once_and_loses_nothing_committed(shell: Shell) -> None:
    held = shell.hold()
    child = shell.start("run", "steps:flow")
    shell.until(lambda: shell.effects() == ["first", "second"])
    child.send_signal(signal.SIGINT)
    shell.read_until(child, "Pausing")
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=10)
    assert child.returncode == 130
    held.unlink()
    status, out, _ = shell.call("resume", shell.run_id(), "--json")
    assert (status, json.loads(out)["outputs"]) == (0, {"third": 23})
    assert shell.effects() == ["first", "second", "second", "third"]


def test_a_run_that_is_at_work_is_followed(shell: Shell) -> None:
    held = shell.hold()
    first = shell.start("run", "steps:flow", "--key", "k", "--json")
    shell.until(lambda: shell.effects() == ["first", "second"])
    run_id = shell.run_id()
    second = shell.start("run", "steps:flow", "--key", "k")
    third = shell.start("resume", run_id, "--json")
    follower = shell.start("events", run_id, "--follow", "--json")
    shell.read_until(second, f"Run {run_id} is at work in another process; this one follows it.")
    held.unlink()
    ends = [child.communicate(timeout=30) for child in (first, second, third, follower)]
    assert [child.returncode for child in (first, second, third, follower)] == [0, 0, 0, 0], ends
    assert json.loads(ends[0][0]) == json.loads(ends[2][0])
    assert ends[1][0].splitlines()[1] == "third: 23"
    assert json.loads(ends[3][0].splitlines()[-1])["type"] == "run_completed"
    assert shell.effects() == ["first", "second", "third"]


def test_whoever_follows_takes_over_when_the_owner_dies(shell: Shell) -> None:
    held = shell.hold()
    first = shell.start("run", "steps:flow", "--key", "k")
    shell.until(lambda: shell.effects() == ["first", "second"])
    second = shell.start("run", "steps:flow", "--key", "k")
    shell.read_until(second, "follows it")
    first.kill()
    first.communicate(timeout=10)
    held.unlink()
    out, err = second.communicate(timeout=30)
    assert second.returncode == 0, err
    assert out.splitlines()[1] == "third: 23"
    assert shell.effects() == ["first", "second", "second", "third"]


def test_who_stops_following_stops_nothing(shell: Shell) -> None:
    held = shell.hold()
    first = shell.start("run", "steps:flow", "--key", "k")
    shell.until(lambda: shell.effects() == ["first", "second"])
    second = shell.start("run", "steps:flow", "--key", "k")
    shell.read_until(second, "follows it")
    second.send_signal(signal.SIGINT)
    _, err = second.communicate(timeout=10)
    assert second.returncode == 130
    assert "The run goes on in the process that has it." in err
    held.unlink()
    out, _ = first.communicate(timeout=30)
    assert (first.returncode, out.splitlines()[1]) == (0, "third: 23")


LONG = """
import threading
import time
from flownb import Flow
flow = Flow("long")
flow.node(lambda: 0, id="n0")

def step(before):
    time.sleep(0.05)
    with open("effects", "a") as file:
        file.write("step\\n")
    return before + 1

for number in range(1, 400):
    flow.node(step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
"""


def test_pause_and_cancel_reach_another_process(shell: Shell) -> None:
    (shell.folder / "long.py").write_text(LONG)
    child = shell.start("run", "long:flow", "--wait", "--json")
    shell.until(shell.effects)
    run_id = shell.run_id()
    assert shell.call("pause", run_id) == (0, f"{run_id} is paused (manual).\n", "")
    assert child.poll() is None  # --wait stays
    assert shell.call("cancel", run_id) == (0, f"{run_id} is cancelled.\n", "")
    out, err = child.communicate(timeout=30)
    assert child.returncode == 1, err
    document = json.loads(out)
    assert document["status"] == "cancelled"
    assert document["nodes"]["n399"]["status"] == "cancelled"
    assert document["nodes"]["n1"]["status"] == "completed"


# --- timers -----------------------------------------------------------------------------------------------------------


def test_a_far_timer_parks_the_run_and_frees_the_process(shell: Shell) -> None:
    source = 'import time\nfrom flownb import Flow\nflow = Flow("nap")\n'
    source += 'flow.delay("nap", seconds=3600)\n@flow.node(after="nap")\ndef done(): return 1\n'
    (shell.folder / "nap.py").write_text(source)
    status, out, err = shell.call("run", "nap:flow", "--key", "k", "--json")
    document = json.loads(out)
    assert (status, document["status"], document["pause_reason"]) == (75, "paused", "timer")
    assert f"`flownb resume {document['id']}` goes on then" in err
    for args in (("run", "nap:flow", "--key", "k"), ("resume", document["id"])):
        status, out, err = shell.call(*args)
        assert status == 75
        assert out.startswith(f"⧗ paused (timer)  nap  {document['id']}")
        assert "waits until" in err
    assert open_store(shell.url).owner_of(document["id"]) is None
    assert RunStatus(open_store(shell.url).row(document["id"]).status) is RunStatus.PAUSED  # type: ignore[union-attr]  # it is there
