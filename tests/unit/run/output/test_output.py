"""What nodes write reaches their own output, whichever thread it came from, and nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import io
import logging
import subprocess
import sys
import threading
import time
import types
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.model import events as ev
from flownb.run.output.capture import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flownb.run.handles.handle import Run

SECONDS = 20.0


def done(*bodies: Callable[..., Any], where: str = "memory:") -> Run:
    """A run of nodes beside one another: `a`, `b` and so on."""
    flow = Flow("output")
    for name, body in zip("abcdefgh", bodies, strict=False):
        flow.node(body, id=name)
    run = flow.run(store=where)
    run.result(SECONDS)
    return run


def test_a_thread_of_a_node_writes_for_the_node(capsys: pytest.CaptureFixture[str]) -> None:
    class Subclass(threading.Thread):
        def run(self) -> None:
            sys.stdout.write("subclass\n")

    def thread() -> None:
        inner = threading.Thread(target=sys.stdout.write, args=("thread of a thread\n",))
        inner.start()
        inner.join()

    def body() -> None:
        threads = [threading.Thread(target=thread), Subclass(), threading.Timer(0, sys.stdout.write, ("timer\n",))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    log = done(body)["a"].log
    assert sorted(log.splitlines()) == ["subclass", "thread of a thread", "timer"]
    assert capsys.readouterr().out == ""


def test_what_a_node_gives_to_a_pool_writes_for_the_node_whoever_made_the_pool() -> None:
    with ThreadPoolExecutor(1) as shared:
        list(shared.map(print, ["outside"]))  # its thread is made here

        def first() -> None:
            shared.submit(print, "first").result()
            with ThreadPoolExecutor(2) as own:
                list(own.map(sys.stdout.write, ["one\n", "two\n"]))

        async def second() -> None:
            await asyncio.to_thread(print, "second")
            await asyncio.get_running_loop().run_in_executor(None, print, "default pool")

        async def third() -> None:
            await asyncio.get_running_loop().run_in_executor(None, print, "third")

        run = done(first, second, third)
    assert sorted(run["a"].log.splitlines()) == ["first", "one", "two"]
    assert run["b"].log == "second\ndefault pool\n"
    assert run["c"].log == "third\n"


def test_tasks_of_an_async_node_write_for_it() -> None:
    async def say(text: str) -> None:
        await asyncio.sleep(0)
        print(text)

    async def body() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(say("task"))
        asyncio.get_running_loop().call_soon(print, "callback")
        await asyncio.sleep(0)

    assert done(body)["a"].log == "task\ncallback\n"


def test_many_nodes_of_many_runs_never_mix() -> None:
    def speaker(name: str) -> Callable[[], None]:
        def body() -> None:
            for number in range(50):
                print(f"{name} {number}")
                if not number % 10:
                    time.sleep(0)

        return body

    def flow_of(number: int) -> Flow:
        flow = Flow(f"flow {number}")
        for node in "abcd":
            flow.node(speaker(f"{number}{node}"), id=node)
        return flow

    runs = [flow_of(number).run(store="memory:") for number in range(5)]
    for number, run in enumerate(runs):
        run.result(SECONDS)
        for node in "abcd":
            assert run[node].log == "".join(f"{number}{node} {n}\n" for n in range(50))


def test_a_thread_that_outlives_its_node_writes_to_the_stream_beneath(capsys: pytest.CaptureFixture[str]) -> None:
    go_on, written = threading.Event(), threading.Event()

    def later() -> None:
        go_on.wait(SECONDS)
        print("late")
        written.set()

    def body() -> None:
        threading.Thread(target=later).start()
        print("in time")

    run = done(body)
    go_on.set()
    assert written.wait(SECONDS)
    assert run["a"].log == "in time\n"
    assert capsys.readouterr().out == "late\n"


# --- streams ----------------------------------------------------------------------------------------------------------


def test_streams_bytes_and_halves_of_lines_keep_their_order() -> None:
    def body() -> None:
        print("a", end="")
        sys.stdout.write("b\n")
        sys.stdout.buffer.write("bytes ü\n".encode()[:7])
        sys.stdout.buffer.write("bytes ü\n".encode()[7:])
        sys.stdout.writelines(["x\n", "y\n"])
        print("\x1b[31mred\x1b[0m", file=sys.stderr, flush=True)
        assert not sys.stdout.isatty()
        assert sys.stdout.writable()
        assert sys.stdout.encoding

    run = done(body)
    assert run["a"].log == "ab\nbytes ü\nx\ny\n\x1b[31mred\x1b[0m\n"
    streams = [each.event.stream for each in run.events() if isinstance(each.event, ev.NodeOutput)]
    assert streams == ["stdout", "stderr"]


def test_a_redirection_within_a_node_is_the_nodes_alone() -> None:
    inside, spoken = threading.Event(), threading.Event()

    def redirects() -> str:
        kept = io.StringIO()
        with contextlib.redirect_stdout(kept):
            print("into the buffer")
            inside.set()
            assert spoken.wait(SECONDS)
        print("after")
        return kept.getvalue()

    def speaks() -> None:
        assert inside.wait(SECONDS)
        print("beside")
        spoken.set()

    run = done(redirects, speaks)
    assert run["a"].output == "into the buffer\n"
    assert run["a"].log == "after\n"
    assert run["b"].log == "beside\n"


def test_a_node_that_replaces_a_stream_and_forgets_it_leaves_it_as_it_was() -> None:
    before = sys.stdout

    def body() -> str:
        sys.stdout = kept = io.StringIO()
        print("hidden")
        return kept.getvalue()

    run = done(body, lambda: print("shown"))
    assert run["a"].output == "hidden\n"
    assert run["b"].log == "shown\n"
    assert sys.stdout is before


def test_a_redirection_of_the_cell_takes_nothing_from_nodes() -> None:
    running, go_on = threading.Event(), threading.Event()

    def body() -> None:
        running.set()
        assert go_on.wait(SECONDS)
        print("of the node")

    flow = Flow("redirected")
    flow.node(body, id="a")
    run = flow.run(store="memory:")
    assert running.wait(SECONDS)
    kept = io.StringIO()
    with contextlib.redirect_stdout(kept):
        print("of the cell")
        go_on.set()
        run.result(SECONDS)
    assert kept.getvalue() == "of the cell\n"
    assert run["a"].log == "of the node\n"


def test_everything_is_as_it_was_when_the_last_run_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    def state() -> list[Any]:
        return [
            sys.stdout,
            sys.stderr,
            type(sys),
            threading.Thread.start,
            ThreadPoolExecutor.submit,
            logging.Logger.callHandlers,
            warnings.showwarning,
            logging.getLogger().handlers[:],
        ]

    before = state()
    during: list[Any] = []
    done(lambda: during.extend(state()))
    assert state() == before
    assert during[0] is not before[0]
    assert type(sys) is types.ModuleType
    print("outside")
    assert capsys.readouterr().out == "outside\n"


def test_outside_of_nodes_nothing_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    running, go_on = threading.Event(), threading.Event()

    def body() -> None:
        running.set()
        assert go_on.wait(SECONDS)

    flow = Flow("beside")
    flow.node(body, id="a")
    run = flow.run(store="memory:")
    assert running.wait(SECONDS)
    print("outside")
    threading.Thread(target=print, args=("thread",)).start()
    logging.getLogger("own").warning("logged")
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", stacklevel=1)
    assert OUTPUT.get() is None
    go_on.set()
    run.result(SECONDS)
    assert run["a"].log == ""
    assert capsys.readouterr().out.split() == ["outside", "thread"]


def test_a_child_that_a_node_forks_writes_where_the_process_does(tmp_path: Path) -> None:
    code = """
import multiprocessing, warnings
from flownb import Flow
warnings.simplefilter("ignore")
flow = Flow("forks")
@flow.node
def a():
    child = multiprocessing.get_context("fork").Process(target=print, args=("from the child",))
    child.start()
    child.join()
    print("from the node")
run = flow.run(store="memory:")
run.result()
assert run["a"].log == "from the node\\n", run["a"].log
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "from the child\n"


def test_a_node_may_set_how_its_streams_are_written() -> None:
    def body() -> None:
        sys.stdout.reconfigure(encoding="ascii")  # type: ignore[union-attr]  # of a real stream
        print("ü")

    assert done(body)["a"].log == "ü\n"


def test_faulthandler_finds_its_file(tmp_path: Path) -> None:
    code = """
import faulthandler, sys
from flownb import Flow
flow = Flow("crash")
@flow.node
def a():
    faulthandler.dump_traceback(sys.stderr)
flow.run(store="memory:").result()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "Thread" in done.stderr
    assert faulthandler.is_enabled() in (True, False)


def test_sys_can_be_sent_to_another_process_while_runs_are_at_work() -> None:
    import cloudpickle

    def uses_sys() -> int:
        return sys.maxsize

    def body() -> bytes:
        data: bytes = cloudpickle.dumps(uses_sys)
        return data

    import pickle

    assert pickle.loads(done(body)["a"].output)() == sys.maxsize


# --- records and warnings ---------------------------------------------------------------------------------------------


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_record_is_shown_once_and_reaches_files(root: logging.Logger, tmp_path: Path) -> None:
    file = logging.FileHandler(tmp_path / "app.log")
    root.addHandler(file)
    root.addHandler(logging.StreamHandler(sys.stderr))

    def body() -> None:
        logging.getLogger("mine").warning("in the %s", "node")

    assert done(body)["a"].log == "WARNING mine: in the node\n"
    file.close()
    assert (tmp_path / "app.log").read_text() == "in the node\n"


def test_basic_config_within_a_node_works_and_shows_nothing_twice(root: logging.Logger) -> None:
    root.handlers[:] = []

    def body() -> None:
        logging.basicConfig(level=logging.INFO)
        logging.getLogger().info("told")

    assert done(body)["a"].log == "INFO root: told\n"


def test_basic_config_outside_of_nodes_works_while_runs_are_at_work(root: logging.Logger) -> None:
    root.handlers[:] = []
    kept = io.StringIO()
    running, go_on = threading.Event(), threading.Event()

    def body() -> None:
        running.set()
        assert go_on.wait(SECONDS)

    flow = Flow("beside")
    flow.node(body, id="a")
    run = flow.run(store="memory:")
    assert running.wait(SECONDS)
    logging.basicConfig(stream=kept, format="%(message)s")
    logging.getLogger("own").warning("logged")
    go_on.set()
    run.result(SECONDS)
    assert kept.getvalue() == "logged\n"


def test_a_record_that_can_not_be_formatted_fails_no_node() -> None:
    def body() -> int:
        logger = logging.getLogger("mine alone")
        logger.propagate = False  # pytest's own handler would raise
        logger.warning("%d", "text")
        return 1

    run = done(body)
    assert run["a"].output == 1
    assert "Logging error" in run["a"].log


def test_a_warning_is_a_line_with_its_category_for_its_node_and_anew_in_each_run() -> None:
    def old(name: str) -> None:
        warnings.warn(f"{name} is old", FutureWarning, stacklevel=1)

    def body() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            old("it")

    for _ in range(2):
        run = done(body, lambda: None)
        assert run["a"].log.startswith("FutureWarning: it is old (test_output.py:")
        assert run["a"].log.count("\n") == 1
        assert run["b"].log == ""


def test_a_run_that_begins_where_warnings_are_recorded_takes_its_own_while_another_is_at_work() -> None:
    begun, over = threading.Event(), threading.Event()

    def stays() -> None:
        begun.set()
        assert over.wait(60)

    def warns() -> None:
        warnings.warn("it is old", FutureWarning, stacklevel=1)

    flow = Flow("other")
    flow.node(stays)
    other = flow.run(store="memory:", display=False)
    try:
        assert begun.wait(60)
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            assert "FutureWarning: it is old" in done(warns)["a"].log
    finally:
        over.set()
    other.result(60)


# --- how much ---------------------------------------------------------------------------------------------------------


def test_a_flood_of_lines_is_bounded_in_the_journal_and_the_loop_stays_quick(own_store: str) -> None:
    lags: list[float] = []
    over = threading.Event()

    def floods() -> None:
        try:
            for number in range(60_000):
                print(f"line {number}")
        finally:
            over.set()

    async def watches() -> None:
        while not over.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            lags.append(time.perf_counter() - before - 0.01)

    run = done(floods, watches, where=own_store)
    written = [each.event for each in run.events() if isinstance(each.event, ev.NodeOutput)]
    assert sum(len(each.text) for each in written) < 550_000
    assert max(len(each.text) for each in written) <= 100_000
    lines = run["a"].log.splitlines()
    assert lines[0].endswith("line 0")
    assert lines[-1].endswith("line 59999")
    assert sum("are left out" in line for line in lines) >= 1
    assert sorted(lags)[int(len(lags) * 0.9)] < 0.25


def test_a_progress_bar_does_not_fill_the_journal() -> None:
    def body() -> None:
        for number in range(5_000):
            sys.stderr.write(f"\r{number / 50:3.0f}% |####| {number}/5000")
        sys.stderr.write("\r100% |####| 5000/5000\n")

    run = done(body)
    assert run["a"].log == "100% |####| 5000/5000\n"
    assert sum(isinstance(each.event, ev.NodeOutput) for each in run.events()) <= 5


def test_output_comes_while_the_node_runs() -> None:
    seen, go_on = threading.Event(), threading.Event()

    def body() -> None:
        print("half a line", end="")
        assert go_on.wait(SECONDS)

    flow = Flow("live")
    flow.node(body, id="a")
    run = flow.run(store="memory:")

    def look(events: list[ev.Event]) -> None:
        if any(isinstance(event, ev.NodeOutput) for event in events):
            seen.set()

    run.watch(look)
    assert seen.wait(SECONDS) or run["a"].log
    assert run["a"].log == "half a line"
    go_on.set()
    run.result(SECONDS)
