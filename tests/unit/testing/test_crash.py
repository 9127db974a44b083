from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any, cast

import pytest

from flownb import faults
from flownb.testing import Crash, crash_at


def test_it_crashes_the_nth_time_and_only_within_the_with() -> None:
    with crash_at("tick.after_commit", nth=2) as point:
        faults.reach("tick.after_commit")
        assert not point.crashed
        with pytest.raises(Crash, match="tick.after_commit:2"):
            faults.reach("tick.after_commit")
        faults.reach("tick.after_commit")
    faults.reach("tick.after_commit")
    assert (point.reached, point.crashed) == (3, True)


def test_no_handler_of_errors_handles_a_crash() -> None:
    assert not issubclass(Crash, Exception)


def test_points_within_one_another_are_left_one_by_one() -> None:
    with crash_at("node.before_body"):
        with crash_at("node.after_body"):
            pass
        faults.reach("node.after_body")
        with pytest.raises(Crash):
            faults.reach("node.before_body")


def test_a_child_is_killed_without_farewell() -> None:
    code = (
        "import atexit; atexit.register(print, 'farewell')\n"
        "from flownb import faults; from flownb.testing import crash_at\n"
        "with crash_at('tick.published', how='kill'): faults.reach('tick.published')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")


def test_a_point_a_time_or_a_way_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no fault point 'tick\.sometime'"), crash_at("tick.sometime"):
        pass
    with pytest.raises(ValueError, match="nth counts from 1"), crash_at("tick.published", nth=0):
        pass
    with pytest.raises(ValueError, match="how is"), crash_at("tick.published", how=cast("Any", "gently")):
        pass
