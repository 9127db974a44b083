"""Who this process is, and whether another one still lives."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from flownb.ids import new_owner_id
from flownb.store.contract import Owner

#: Where the start time and the state stand in `/proc/<pid>/stat`, counted behind the name in parentheses (proc(5)).
_STATE, _STARTED = 0, 19
#: A process in these states has ended; only its parent hasn't asked how.
_ENDED: Final = frozenset("ZXx")
#: What `process_started` says of a process that is there, but doesn't tell when it began.
UNKNOWN: Final = 0


class Here(NamedTuple):
    """What must agree before process ids of two owners mean the same thing."""

    host: str
    #: Changes at every start of the machine; empty where it can't be known.
    boot: str
    pid_namespace: str


@functools.cache
def here() -> Here:
    """Where this process runs; the same for its whole life and in its forks."""
    return Here(host=socket.gethostname(), boot=_boot(), pid_namespace=_pid_namespace())


def current_owner(partner_pid: int = 0) -> Owner:
    """A new owner that describes this process.

    Args:
        partner_pid: the second process without which this one counts as dead, as the runner of a headless kernel.
    """
    place = here()
    pid = os.getpid()
    return Owner(
        id=new_owner_id(),
        host=place.host,
        boot=place.boot,
        pid_namespace=place.pid_namespace,
        pid=pid,
        pid_started=process_started(pid) or UNKNOWN,
        partner_pid=partner_pid,
        partner_started=(process_started(partner_pid) or UNKNOWN) if partner_pid else UNKNOWN,
    )


def is_gone(pid: int, started: int) -> bool:
    """Whether the process with this id and start time has ended; its id may have come again since."""
    now = process_started(pid)
    if now is None:
        return True
    return UNKNOWN not in (now, started) and now != started


def process_started(pid: int) -> int | None:
    """When a process began: in clock ticks since boot on Linux, in seconds since 1970 on macOS.

    Returns None where there is no such process any more, and `UNKNOWN` where it doesn't say.
    """
    if sys.platform == "linux":
        return _started_on_linux(pid)
    if sys.platform == "darwin":
        return _started_on_macos(pid)
    return UNKNOWN


def _started_on_linux(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN if _answers(pid) else None
    # The name may hold blanks and parentheses of its own: count from the last one.
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in _ENDED else int(fields[_STARTED])


def _answers(pid: int) -> bool:
    """Whether there is such a process, although `/proc` hides it, as `hidepid` does with those of other users."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _started_on_macos(pid: int) -> int | None:
    command = ["/bin/ps", "-o", "state=", "-o", "lstart=", "-p", str(pid)]
    environment = {"LC_ALL": "C", "PATH": "/bin:/usr/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603  our own words
    state, _, began = done.stdout.strip().partition(" ")
    if not state or state[0] in _ENDED:
        return None
    return int(time.mktime(time.strptime(began.strip(), "%a %b %d %H:%M:%S %Y")))


def _boot() -> str:
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603  our own words
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return ""
