from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flownb import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

POINT = "tick.after_commit"
FIVE_TIMES = f"from flownb import faults\nfor n in range(1, 6): print(n, flush=True); faults.reach({POINT!r})"


@pytest.fixture(autouse=True)
def nothing_armed() -> Iterator[None]:
    yield
    faults.disarm()


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_point_that_nobody_armed_does_nothing() -> None:
    reached: list[str] = []
    faults.arm("node.before_body", lambda: reached.append("before"))
    faults.reach("node.after_body")
    assert reached == []


def test_an_armed_point_acts_every_time_until_disarmed() -> None:
    reached: list[str] = []
    faults.arm(POINT, lambda: reached.append(POINT))
    faults.reach(POINT)
    faults.reach(POINT)
    faults.disarm()
    faults.reach(POINT)
    assert reached == [POINT, POINT]


def test_a_point_can_make_a_call_fail() -> None:
    def full() -> None:
        raise OSError("No space left on device")

    faults.arm("artifact.written", full)
    with pytest.raises(OSError, match="No space left"):
        faults.reach("artifact.written")


def test_a_point_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"no fault point 'tick\.sometime'.*tick\.after_commit"):
        faults.arm("tick.sometime", lambda: None)


@pytest.mark.parametrize("nth", [1, 3])
def test_kill_at_kills_without_farewell_the_nth_time(nth: int) -> None:
    farewell = "import atexit; atexit.register(print, 'farewell')"
    arm = f"from flownb.faults import kill_at; kill_at({POINT!r}, {nth})"
    ended = run(f"{farewell}\n{arm}\n{FIVE_TIMES}")
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == [str(n) for n in range(1, nth + 1)]


@pytest.mark.parametrize(("spec", "last"), [(POINT, 1), (f"{POINT}:4", 4)])
def test_the_environment_arms_a_point_in_a_child(spec: str, last: int) -> None:
    ended = run(FIVE_TIMES, FLOWNB_FAULT=spec)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split()[-1] == str(last)


def test_a_child_that_reaches_the_point_too_seldom_lives() -> None:
    ended = run(FIVE_TIMES, FLOWNB_FAULT=f"{POINT}:6")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_wrong_point_in_the_environment_stops_the_child_at_once() -> None:
    ended = run(FIVE_TIMES, FLOWNB_FAULT="tick.sometime")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no fault point 'tick.sometime'" in ended.stderr
