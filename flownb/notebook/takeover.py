"""Before a run is taken from a dead owner: the kernel that survived its runner is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Final

from flownb.store.owner import here, is_gone

if TYPE_CHECKING:
    from flownb.store.contract import Owner, Store

_SECONDS: Final = 5.0


def end_survivors(store: Store, run_id: str) -> list[int]:
    """End the kernels of a notebook's runs whose runner is gone, and wait until they are; returns their process ids.

    A headless owner is a kernel (`pid`) with a runner beside it (`partner_pid`). Only a process with the recorded start
    time on this machine is touched, and never this one.
    """
    ended = []
    for run in [run_id, *(row.id for row in store.rows(group=run_id))]:
        found = store.owner_of(run)
        if found is None or found[1]:
            continue
        owner = found[0]
        if owner.partner_pid and _is_here(owner) and _survives(owner) and owner.pid not in ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(owner.pid, signal.SIGKILL)
                ended.append(owner.pid)
                _wait_until_gone(owner)
    return ended


def _is_here(owner: Owner) -> bool:
    place = here()
    return bool(place.boot) and (owner.host, owner.boot, owner.pid_namespace) == tuple(place)


def _survives(owner: Owner) -> bool:
    """Whether its kernel is there and certainly the recorded one: an unknown start time is not enough to kill by."""
    return bool(owner.pid_started) and owner.pid != os.getpid() and not is_gone(owner.pid, owner.pid_started)


def _wait_until_gone(owner: Owner) -> None:
    end = time.monotonic() + _SECONDS
    while not is_gone(owner.pid, owner.pid_started) and time.monotonic() < end:
        time.sleep(0.01)
