"""What a node in a process of its own promises, with real processes."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, Output, RunCancelled, RunFailed, secret
from flownb.errors import NodeDied, NodeFailed, NodeTimeout, UsageError
from flownb.run.child import tree
from flownb.run.output.capture import LIMIT
from flownb.services import masking
from tests import waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run

SECONDS = 20.0
wait_for = partial(waiting.wait_for, seconds=SECONDS)
HERE = os.getpid()


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


def outcome(body: Callable[..., Any], **options: Any) -> Any:
    flow = Flow("one")
    flow.node(body, id="n", where="process", **options)
    return run(flow).result(SECONDS)["n"]


def failure(body: Callable[..., Any], **options: Any) -> BaseException:
    flow = Flow("one")
    flow.node(body, id="n", where="process", **options)
    with pytest.raises(RunFailed) as caught:
        run(flow).result(SECONDS)
    assert caught.value.__cause__ is not None
    return caught.value.__cause__


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_runs_in_another_process_and_values_go_there_and_back() -> None:
    flow = Flow("values")

    @flow.node
    def load() -> dict[str, Any]:
        return {"numbers": [1, 2, 3], "where": os.getpid()}

    @flow.node(where="process", ports=("even",))
    def total(load: dict[str, Any], factor: int) -> Output:
        value = {"sum": sum(load["numbers"]) * factor, "elsewhere": os.getpid() != load["where"]}
        return Output(value, ports=("even",))

    @flow.node(after=total.even)
    def last(total: dict[str, Any]) -> int:
        return int(total["sum"])

    done = run(flow, factor=7)
    assert done.result(SECONDS) == {"last": 42}
    assert done["total"].output == {"sum": 42, "elsewhere": True}


def test_nothing_of_one_node_is_left_for_the_next() -> None:
    def leaves_traces() -> tuple[bool, bool, str]:
        found = (hasattr(sys, "trace_of_a_node"), "TRACE" in os.environ, os.getcwd())  # noqa: PTH109
        sys.trace_of_a_node = True  # type: ignore[attr-defined]
        os.environ["TRACE"] = "1"
        os.chdir("/")
        return found

    here = os.getcwd()  # noqa: PTH109
    assert outcome(leaves_traces) == (False, False, here)
    assert outcome(leaves_traces) == (False, False, here)


def test_it_sees_the_folder_environment_and_path_of_this_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome(lambda: None)  # the spawner is there now
    (tmp_path / "module_of_the_moment.py").write_text("def answer(): return 42\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_THE_MOMENT", "yes")
    monkeypatch.syspath_prepend(tmp_path)

    def look() -> tuple[str, str, int]:
        from module_of_the_moment import answer  # type: ignore[import-not-found]

        return os.getcwd(), os.environ["OF_THE_MOMENT"], answer()  # noqa: PTH109

    assert outcome(look) == (str(tmp_path), "yes", 42)


def test_output_status_and_progress_are_seen_while_it_runs(tmp_path: Path) -> None:
    flow = Flow("output")
    go = tmp_path / "go"

    @flow.node(where="process")
    def speak(ctx: Any, file: str) -> str:
        print("printed")
        print("to stderr", file=sys.stderr)
        ctx.logger.info("logged %d", 1)
        warnings.warn("careful", stacklevel=1)
        subprocess.run(["echo", "from a child"], check=True)
        ctx.status("page 3/12")
        ctx.progress(0.25)
        while not Path(file).exists():
            time.sleep(0.01)
        return str(ctx.inputs["file"])

    running = run(flow, file=str(go))
    parts = ("printed\n", "to stderr\n", "INFO flownb.node.speak: logged 1\n", "UserWarning: careful", "from a child\n")
    wait_for(lambda: all(part in running["speak"].log for part in parts))
    wait_for(lambda: running.state.progress)
    said = running.state.progress[0]
    assert (said.text, said.progress) == ("page 3/12", 0.25)
    assert not running.status.ended
    go.touch()
    assert running.result(SECONDS) == {"speak": str(go)}


class Strange(Exception):
    def __init__(self, number: int, word: str) -> None:
        super().__init__(f"{number} {word}")
        self.number, self.word = number, word


def test_an_exception_comes_back_as_itself_with_the_traceback_of_where_it_was_raised() -> None:
    def deep() -> None:
        raise KeyError("the key")

    def body() -> None:
        deep()

    flow = Flow("raises")
    flow.node(body, id="n", where="process")
    failed = run(flow)
    with pytest.raises(RunFailed) as caught:
        failed.result(SECONDS)
    assert isinstance(caught.value.__cause__, KeyError)
    error = failed["n"].error
    assert error is not None
    assert (error.type, error.message) == ("KeyError", "'the key'")
    assert "in deep" in error.traceback
    assert "flownb/run" not in error.traceback
    assert "in deep" in "".join(caught.value.__cause__.__notes__)


def test_an_exception_that_can_not_be_made_again_is_told_as_text() -> None:
    def body() -> None:
        raise Strange(3, "words")

    flow = Flow("strange")
    flow.node(body, id="n", where="process")
    failed = run(flow)
    with pytest.raises(RunFailed, match="Strange: 3 words") as caught:
        failed.result(SECONDS)
    assert isinstance(caught.value.__cause__, NodeFailed)
    assert failed["n"].error is not None
    assert failed["n"].error.type.endswith("Strange")


def kill_keeper() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(9)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (lambda: os._exit(3), r"^n ended its process with exit status 3 before it returned, as os\._exit\(3\) does\.$"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), r"^n was killed from outside \(SIGKILL\), as the system does"),
        (os.abort, r"^n was ended by SIGABRT \(aborted\)"),
        (
            kill_keeper,
            r"^n lost its process: nothing is known of its end\.$",
        ),
    ],
)
def test_a_process_that_dies_says_how(body: Callable[[], Any], text: str) -> None:
    error = failure(body)
    assert isinstance(error, NodeDied)
    with pytest.raises(NodeDied, match=text):
        raise error


@pytest.mark.skipif(not tree.KNOWN, reason="the processes of others are known on Linux only")
def test_what_a_killed_keeper_leaves_behind_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def body() -> None:
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        note.write_text(str(child.pid))
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(9)

    failure(body)
    wait_for(lambda: not is_alive(int(note.read_text())))


def test_sys_exit_and_an_interrupt_are_failures_of_the_node() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    assert isinstance(failure(lambda: sys.exit(4)), SystemExit)
    assert isinstance(failure(interrupt), KeyboardInterrupt)


def test_memory_beyond_the_limit_is_refused_or_the_tree_is_ended() -> None:
    def at_once() -> int:
        return len(bytearray(20 * 2**30))

    def little_by_little() -> None:
        kept = []
        while True:
            kept.append(bytearray(b"x" * 2**20))

    def by_children() -> None:
        script = "import time; kept = bytearray(b'x' * 60 * 2**20); time.sleep(60)"
        children = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
        for each in children:
            each.wait()

    limits = {"memory_mb": 150}
    assert str(failure(at_once, limits=limits)) == "it needed more memory than 150 MB, its limits.memory_mb"
    assert "limits.memory_mb" in str(failure(little_by_little, limits=limits))
    died = failure(by_children, limits=limits)
    assert isinstance(died, NodeDied)
    assert died.limit == "memory_mb"


def test_cpu_time_beyond_the_limit_ends_the_tree_and_sleeping_is_free() -> None:
    def burn() -> None:
        while True:
            pass

    def sleep() -> str:
        time.sleep(0.5)
        return "rested"

    died = failure(burn, limits={"cpu_seconds": 0.3})
    assert isinstance(died, NodeDied)
    assert (died.limit, str(died)) == (
        "cpu_seconds",
        "n used more than the 0.3 s of CPU of its limits.cpu_seconds and was ended.",
    )
    assert outcome(sleep, limits={"cpu_seconds": 0.3}) == "rested"


def test_a_timeout_ends_the_whole_tree(tmp_path: Path) -> None:
    note = tmp_path / "pids"

    def body() -> None:
        child = subprocess.Popen(["sleep", "600"])
        daemon = "import os, sys\nif os.fork() or os.setsid() or os.fork(): os._exit(0)\n"
        daemon += "print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True)\nos.execvp('sleep', ['sleep', '600'])"
        subprocess.run([sys.executable, "-c", daemon, str(note)], check=True)
        with note.open("a") as file:
            print(child.pid, os.getpid(), file=file)
        child.wait()

    error = failure(body, timeout=1.5)
    assert isinstance(error, NodeTimeout)
    pids = [int(each) for each in note.read_text().split()]
    assert len(pids) >= 2
    assert not any(is_alive(pid) for pid in pids)


def test_what_it_started_ends_with_it() -> None:
    def body() -> int:
        return subprocess.Popen(["sleep", "600"]).pid

    pid = outcome(body)
    assert not is_alive(pid)


def test_cancelling_lets_it_clean_up_and_kills_it_if_it_does_not_end(tmp_path: Path) -> None:
    flow = Flow("cancelled")

    @flow.node(where="process")
    def tidy(folder: str) -> None:
        try:
            Path(folder, "tidy").write_text(str(os.getpid()))
            time.sleep(600)
        finally:
            Path(folder, "tidied").touch()

    @flow.node(where="process")
    def stubborn(folder: str) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path(folder, "stubborn").write_text(str(os.getpid()))
        while True:
            time.sleep(1)

    running = run(flow, folder=str(tmp_path))
    notes = [tmp_path / "tidy", tmp_path / "stubborn"]
    wait_for(lambda: all(note.exists() and note.read_text() for note in notes))
    asked = time.monotonic()
    running.cancel()
    with pytest.raises(RunCancelled):
        running.result(SECONDS)
    assert time.monotonic() - asked < 5.0
    assert (tmp_path / "tidied").exists()
    assert not any(is_alive(int(note.read_text())) for note in notes)


def test_more_processes_than_a_node_may_have_are_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    note = tmp_path / "pids"

    def bomb() -> None:
        # Each forks on and on, and none waits; the total is held below what would hurt if nobody ended them.
        for _ in range(10):
            if not os.fork():
                os.setsid()
            with note.open("a") as file:
                print(os.getpid(), file=file)
        time.sleep(600)

    died = failure(bomb)
    assert isinstance(died, NodeDied)
    assert died.limit == "processes"
    assert not any(is_alive(int(pid)) for pid in set(note.read_text().split()))


def test_what_can_not_be_sent_is_named_with_the_way_out() -> None:
    lock = threading.Lock()

    def uses_a_lock() -> bool:
        return lock.locked()

    flow = Flow("lock")

    @flow.node
    def made() -> Any:
        return threading.Lock()

    @flow.node(where="process")
    def takes(made: Any) -> bool:
        return bool(made.locked())

    with pytest.raises(RunFailed, match=r"its argument 'made', a lock, can't be sent there.*where='thread'"):
        run(flow).result(SECONDS)
    error = failure(uses_a_lock)
    assert isinstance(error, UsageError)
    assert "its function uses 'lock', a lock, which has no pickle" in str(error)
    said = str(failure(lambda: (number for number in range(3))))
    assert "n returned a generator, which can't leave its process" in said


def test_a_service_that_can_not_be_sent_is_named_and_one_that_can_arrives() -> None:
    flow = Flow("services", services={"table": {"a": 1}, "lock": threading.Lock()})

    @flow.node(where="process")
    def use(ctx: Any) -> tuple[int, list[str], str]:
        try:
            ctx.services["lock"]
        except UsageError as error:
            return ctx.services["table"]["a"], list(ctx.services), str(error)
        return 0, [], ""

    number, names, said = run(flow).result(SECONDS)["use"]
    assert (number, names) == (1, ["table", "lock"])
    assert "the service 'lock', a lock, can't be sent there" in said


@pytest.mark.parametrize("own", [True, False])
def test_a_secret_that_it_looks_up_is_masked_here(own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow("secrets", services={"secrets": {"token": "correct-horse-1"}} if own else None)
    if not own:
        monkeypatch.setenv("FLOWNB_SECRET_TOKEN", "correct-horse-1")

    @flow.node(where="process")
    def use(ctx: Any) -> int:
        value = secret("token")
        print("it is", value)
        print("and", ctx.secret("secret://token"))
        return len(value)

    try:
        done = run(flow)
        assert done.result(SECONDS) == {"use": 15}
        assert done["use"].log == "it is ***\nand ***\n"
    finally:
        masking.forget()


def test_steps_are_remembered_over_attempts() -> None:
    flow = Flow("steps")

    @flow.node(where="process", retry={"attempts": 2, "delay": 0.0})
    def work(ctx: Any, note: str) -> tuple[int, int, str]:
        first = ctx.step("first", os.getpid)
        if ctx.attempt == 1:
            raise ConnectionError("once")
        return first, os.getpid(), ctx.step_key("first")

    done = run(flow, note="")
    first, now, key = done.result(SECONDS)["work"]
    assert first != now
    assert key.startswith(f"{done.id}:work")


def test_an_endless_print_is_bounded_and_stops_with_the_node() -> None:
    def chatter() -> None:
        while True:
            print("x" * 1000)

    flow = Flow("chatter")
    flow.node(chatter, id="n", where="process", timeout=1.0)
    failed = run(flow)
    with pytest.raises(RunFailed, match="longer than its timeout"):
        failed.result(SECONDS)
    assert 0.9 * LIMIT < len(failed["n"].log) < 1.2 * LIMIT


def test_large_values_cross_without_a_copy_of_their_buffers() -> None:
    numpy = pytest.importorskip("numpy")
    flow = Flow("large")

    @flow.node
    def made() -> Any:
        return numpy.ones(2_000_000)

    @flow.node(where="process")
    def doubled(made: Any) -> Any:
        return made * 2

    @flow.node
    def total(doubled: Any) -> float:
        return float(doubled.sum())

    assert run(flow).result(SECONDS) == {"total": 4_000_000.0}


def test_a_huge_result_is_written_by_the_process_and_not_through_the_engine(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    flow = Flow("huge")

    @flow.node(where="process")
    def made() -> Any:
        return numpy.full(25_000_000, 7.0)  # 200 MB

    @flow.node(where="process")
    def read(made: Any) -> tuple[float, str]:
        return float(made.sum()), str(made.dtype)

    before = resident()
    done = flow.run(store=f"sqlite:///{tmp_path}/huge.db", display=False, until="made")
    done.result(2 * SECONDS)
    assert resident() - before < 60 * 2**20
    again = flow.run(store=f"sqlite:///{tmp_path}/huge.db", display=False)
    assert again.result(2 * SECONDS) == {"read": (175_000_000.0, "float64")}


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not tree.KNOWN, reason="the processes of others are known on Linux only")
def test_nothing_is_left_when_the_process_of_the_engine_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, subprocess, sys, time\n"
        "from flownb import Flow\n"
        "flow = Flow('killed')\n"
        "@flow.node(where='process')\n"
        "def work():\n"
        "    child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "    print(os.getpid(), os.getppid(), child.pid, file=open(sys.argv[1], 'w'), flush=True)\n"
        "    time.sleep(600)\n"
        "flow.run(store='memory:', display=False).result()\n"
    )
    note = tmp_path / "pids"
    process = subprocess.Popen([sys.executable, str(script), str(note)])
    try:
        wait_for(lambda: note.exists() and note.read_text().endswith("\n"))
    finally:
        process.kill()
        process.wait()
    pids = [int(each) for each in note.read_text().split()]
    wait_for(lambda: not any(is_alive(pid) for pid in pids), seconds=3.0)


def test_functions_of_a_module_that_only_this_process_has_go_along_whole(tmp_path: Path) -> None:
    source = "FACTOR = 3\ndef helper(x):\n    return x * FACTOR\ndef body(x):\n    return helper(x)\n"
    (tmp_path / "hidden_module.py").write_text(source)
    spec = importlib.util.spec_from_file_location("hidden_module", tmp_path / "hidden_module.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hidden_module"] = module
    try:
        spec.loader.exec_module(module)
        flow = Flow("hidden")
        flow.node(module.body, id="n", where="process")
        assert run(flow, x=14).result(SECONDS) == {"n": 42}
    finally:
        del sys.modules["hidden_module"]
