from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from flownb.ids import new_owner_id
from flownb.notebook.takeover import end_survivors
from flownb.store.contract import NewRun, Owner
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner, process_started

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def kernel() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def headless_owner(pid: int, partner: int) -> Owner:
    return msgspec.structs.replace(
        current_owner(),
        id=new_owner_id(),
        pid=pid,
        pid_started=process_started(pid) or 0,
        partner_pid=partner,
        partner_started=process_started(partner) or 1,
    )


def owned(store: MemoryStore, owner: Owner, run: str = "r", group: str | None = None) -> None:
    new = NewRun(id=run, workflow="w", kind="notebook", group=group, created_at=1.0)
    assert store.create_run(new, owner)[1] is not None


def gone() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_kernel_of_a_runner_that_is_gone_is_ended(kernel: subprocess.Popen[bytes]) -> None:
    store = MemoryStore()
    owned(store, headless_owner(kernel.pid, gone()))

    assert end_survivors(store, "r") == [kernel.pid]
    assert kernel.wait(10) == -9


def test_so_is_one_that_has_only_a_run_beneath(kernel: subprocess.Popen[bytes]) -> None:
    store = MemoryStore()
    owned(store, headless_owner(gone(), gone()))
    owned(store, headless_owner(kernel.pid, gone()), "r.2", "r")

    assert end_survivors(store, "r") == [kernel.pid]


def test_a_kernel_with_a_living_runner_is_left_alone(kernel: subprocess.Popen[bytes]) -> None:
    store = MemoryStore()
    owned(store, headless_owner(kernel.pid, os.getpid()))

    assert end_survivors(store, "r") == []
    assert kernel.poll() is None


def test_another_process_that_has_the_id_now_is_left_alone(kernel: subprocess.Popen[bytes]) -> None:
    store = MemoryStore()
    owner = msgspec.structs.replace(headless_owner(kernel.pid, gone()), pid_started=1)
    owned(store, owner)

    assert end_survivors(store, "r") == []
    assert kernel.poll() is None


@pytest.mark.parametrize("field", ["host", "boot", "pid_namespace"])
def test_a_process_of_another_place_is_left_alone(kernel: subprocess.Popen[bytes], field: str) -> None:
    store = MemoryStore()
    owner = msgspec.structs.replace(headless_owner(kernel.pid, gone()), **{field: "elsewhere"})
    owned(store, owner)

    assert end_survivors(store, "r") == []
    assert kernel.poll() is None
