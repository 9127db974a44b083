"""An owner says who it is, and whether a process has ended can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flownb.store.owner import UNKNOWN, current_owner, here, is_gone, process_started

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAITS = "import sys; print('here', flush=True); sys.stdin.read()"
_RENAMES = "import ctypes; ctypes.CDLL(None).prctl(15, b'a) Z 7 (b', 0, 0, 0);" + _WAITS


@pytest.fixture(
    params=[_WAITS, pytest.param(_RENAMES, marks=pytest.mark.skipif(sys.platform != "linux", reason="proc"))]
)
def child(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", request.param], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started
        started.kill()


def test_an_owner_describes_this_process() -> None:
    owner = current_owner()
    assert (owner.pid, owner.pid_started) == (os.getpid(), process_started(os.getpid()))
    assert (owner.host, owner.boot, owner.pid_namespace) == here()
    assert all(here())
    assert (owner.partner_pid, owner.partner_started) == (0, UNKNOWN)


def test_two_engines_of_one_process_are_two_owners() -> None:
    assert current_owner().id != current_owner().id


def test_a_living_process_is_not_gone(child: subprocess.Popen[bytes]) -> None:
    started = process_started(child.pid)
    assert started
    assert not is_gone(child.pid, started)


def test_the_partner_is_described_too(child: subprocess.Popen[bytes]) -> None:
    owner = current_owner(child.pid)
    assert (owner.partner_pid, owner.partner_started) == (child.pid, process_started(child.pid))


def test_an_ended_process_is_gone_even_before_its_parent_asked(child: subprocess.Popen[bytes]) -> None:
    started = process_started(child.pid)
    assert started
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
    assert is_gone(child.pid, started)
    child.wait()
    assert is_gone(child.pid, started)
    assert process_started(child.pid) is None


def test_a_reused_pid_is_another_process() -> None:
    started = process_started(os.getpid())
    assert started
    assert is_gone(os.getpid(), started - 1)


def test_who_does_not_tell_its_start_is_not_declared_dead() -> None:
    assert not is_gone(os.getpid(), UNKNOWN)
