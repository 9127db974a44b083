"""The real clocks and the real processes, where the suite has fakes."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from flownb.store.lease import LEASE_SECONDS, Liveness, SystemClock
from flownb.store.owner import current_owner


def test_a_lease_lasts_fifteen_seconds() -> None:
    assert LEASE_SECONDS == 15.0
    assert Liveness().lease_seconds == LEASE_SECONDS


def test_all_processes_of_a_boot_share_the_monotonic_clock() -> None:
    before = SystemClock().monotonic()
    command = "from flownb.store.lease import SystemClock; print(SystemClock().monotonic())"
    told = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert before <= float(told.stdout) <= SystemClock().monotonic()


def test_this_process_lives_and_a_dead_child_does_not() -> None:
    judge = Liveness()
    assert not judge.is_dead(current_owner(), judge.now())
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = msgspec.structs.replace(current_owner(), pid=child.pid)
    assert judge.is_dead(dead, judge.now())
