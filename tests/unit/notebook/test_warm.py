import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flownb.notebook.warm import WarmKernels
from flownb.store.owner import process_started

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
USUAL = [sys.executable, "-m", "ipykernel_launcher", "-f", "/nowhere/kernel.json"]


@pytest.fixture
def kernels() -> Iterator[WarmKernels]:
    made = WarmKernels()
    yield made
    made.close()


def processes(kernels: WarmKernels) -> list[subprocess.Popen[bytes]]:
    return [process for process, _ in kernels._waiting]


def test_so_many_wait_as_were_asked_for_and_all_end_with_it() -> None:
    kernels = WarmKernels()
    kernels.start(ENVIRONMENT, 2)
    kernels.start(ENVIRONMENT, 2)
    waiting = processes(kernels)
    assert len(kernels) == len(waiting) == 2
    kernels.close()
    assert len(kernels) == 0
    assert None not in [process.poll() for process in waiting]


def test_one_that_died_or_has_another_environment_or_interpreter_is_not_taken(kernels: WarmKernels) -> None:
    kernels.start(ENVIRONMENT)
    assert kernels.take(["/other/python", *USUAL[1:]], ENVIRONMENT, "/") is None
    assert kernels.take([sys.executable, "-m", "other_kernel", *USUAL[3:]], ENVIRONMENT, "/") is None
    assert kernels.take(USUAL, {**ENVIRONMENT, "OMP_NUM_THREADS": "3"}, "/") is None
    (process,) = processes(kernels)
    process.kill()
    process.wait()
    assert kernels.take(USUAL, ENVIRONMENT, "/") is None
    kernels.start(ENVIRONMENT)
    (second,) = processes(kernels)
    assert second.pid != process.pid


def test_another_environment_from_now_on_ends_those_that_wait_in_the_old_one(kernels: WarmKernels) -> None:
    kernels.start(ENVIRONMENT)
    (old,) = processes(kernels)
    kernels.start({**ENVIRONMENT, "TZ": "Asia/Tokyo"})
    assert old.poll() is not None
    assert len(kernels) == 1


def test_the_next_ones_are_started_only_where_they_are_kept(kernels: WarmKernels) -> None:
    kernels.refill(ENVIRONMENT)
    assert len(kernels) == 0
    kernels.keep(2)
    kernels.refill(ENVIRONMENT)
    assert len(kernels) == 2


def test_without_another_process_the_kernel_starts_as_usual(kernels: WarmKernels) -> None:
    broken = WarmKernels("/nowhere/python")
    broken.start(ENVIRONMENT)
    assert len(broken) == 0
    assert broken.take(["/nowhere/python", *USUAL[1:]], ENVIRONMENT, "/") is None


def test_it_imports_nothing_from_the_working_directory(kernels: WarmKernels, tmp_path: Path) -> None:
    for name in ("json", "IPython", "flownb"):
        (tmp_path / f"{name}.py").write_text("from pathlib import Path; Path('loaded').touch(); raise SystemExit(9)")
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        kernels.start(ENVIRONMENT)
    finally:
        os.chdir(here)
    (process,) = processes(kernels)
    taken = kernels.take(["/x", *USUAL[1:]], ENVIRONMENT, "/")
    assert taken is None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0
    assert not (tmp_path / "loaded").exists()


def test_nothing_waits_any_longer_than_the_process_that_it_waits_for() -> None:
    code = (
        "import os, signal, sys, time\n"
        "from flownb.notebook.warm import warm_kernels\n"
        "warm_kernels.start(dict(os.environ), 2)\n"
        "print(*[each.pid for each, _ in warm_kernels._waiting], flush=True)\n"
        "if sys.argv[1] == 'kill': os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for how in ("end", "kill"):
        ended = subprocess.run(
            [sys.executable, "-c", code, how], stdout=subprocess.PIPE, text=True, timeout=60, check=False
        )
        pids = [int(word) for word in ended.stdout.split()]
        assert len(pids) == 2
        last = time.monotonic() + 30
        while any(process_started(pid) is not None for pid in pids):
            assert time.monotonic() < last, how
            time.sleep(0.02)


def test_the_word_has_what_the_kernel_needs(kernels: WarmKernels, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\ncat > {tmp_path}/word\n")
    script.chmod(0o755)
    stand_in = WarmKernels(str(script))
    stand_in.start(ENVIRONMENT)
    taken = stand_in.take([str(script), *USUAL[1:], "--debug"], {**ENVIRONMENT, "FLOWNB_STORE": "s"}, "/somewhere")
    assert taken is not None
    taken.wait(30)
    word = json.loads((tmp_path / "word").read_text())
    assert word["arguments"] == ["-f", "/nowhere/kernel.json", "--debug"]
    assert word["directory"] == "/somewhere"
    assert word["environment"] == {**ENVIRONMENT, "FLOWNB_STORE": "s", "JPY_PARENT_PID": str(os.getpid())}
