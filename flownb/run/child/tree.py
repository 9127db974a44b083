"""The processes below one process: who they are, what they use, and how they are all ended."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
#: Whether the system tells about other processes as Linux does; elsewhere only the process group is known.
KNOWN: Final = sys.platform == "linux" and _PROC.is_dir()
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if KNOWN else 0
_TICK: Final = os.sysconf("SC_CLK_TCK") if KNOWN else 0


class Usage(NamedTuple):
    """What some processes use together."""

    #: Bytes in memory, shared ones counted for each.
    memory: int
    #: Seconds of CPU, of children that ended as well.
    cpu: float


def below(root: int) -> list[int]:
    """The processes that descend from `root`, without itself."""
    found: list[int] = []
    queue = [root]
    while queue:
        made = children(queue.pop())
        found += made
        queue += made
    return found


def children_of_thread(thread: int) -> list[int]:
    """The processes that one thread of this process has started; empty where the system doesn't tell."""
    try:
        return [int(each) for each in Path(f"/proc/self/task/{thread}/children").read_bytes().split()]
    except OSError:
        return []


def birth(pid: int) -> int | None:
    """When a process began, in ticks since the machine was booted; with its number the name of a process for ever."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def ticks_ago(seconds: float) -> int:
    """What `birth` says of a process that began so many seconds ago."""
    return int((time.clock_gettime(time.CLOCK_BOOTTIME) - seconds) * _TICK)


def session(pid: int) -> int:
    """The session of a process; 0 where it has ended."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    """The processes that a process has made and that are still there; empty where the system doesn't tell."""
    if not KNOWN:
        return []
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []  # it has ended
    found: list[int] = []
    for thread in threads:
        try:
            found += map(int, (thread / "children").read_bytes().split())
        except FileNotFoundError:
            if not Path("/proc/self/task", str(os.getpid()), "children").exists():
                return __children_by_scan(pid)  # a kernel without that file
        except OSError:
            continue
    return found


def __children_by_scan(pid: int) -> list[int]:
    return [int(each.name) for each in _PROC.iterdir() if each.name.isdigit() and parent(each.name) == pid]


def parent(name: str | int) -> int:
    """The process that made a process, or has taken it over; 0 where it has ended."""
    fields = _stat(name)
    return int(fields[1]) if fields else 0


def _stat(name: str | int) -> list[bytes]:
    """The fields of a process from its state on; empty where it has ended."""
    try:
        return Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []


def usage(pids: list[int]) -> Usage:
    """What these processes use now."""
    memory, ticks = 0, 0
    for pid in pids:
        with suppress(OSError, IndexError, ValueError):
            memory += int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
            ticks += sum(map(int, _stat(pid)[11:15]))
    return Usage(memory, ticks / _TICK if _TICK else 0.0)


def fair_memory(pids: list[int]) -> int:
    """Bytes in memory, those that several share divided among them; slower than `usage`."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
                if line.startswith(b"Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def end_all(root: int, leader: int, seconds: float = 3.0) -> None:
    """Kill everything below `root`, which must be this process, and the process group of `leader`."""
    until = time.monotonic() + seconds
    _send_group(leader, signal.SIGKILL)
    while True:
        found = _kill(root)
        while _reap():
            pass
        if not found or time.monotonic() > until:
            return
        time.sleep(0.001)


def end_stray(pid: int) -> None:
    """Kill a process and everything below it."""
    _send(pid, signal.SIGSTOP)
    _kill(pid)
    _send(pid, signal.SIGKILL)


def _kill(root: int) -> bool:
    """Kill everything below; whether there was something.

    It is stopped first: of what forks faster than it can be listed one would else always be left.
    """
    seen: set[int] = set()
    while new := set(below(root)) - seen:
        for pid in new:
            _send(pid, signal.SIGSTOP)
        seen |= new
    for pid in seen:
        _send(pid, signal.SIGKILL)
    return bool(seen)


def ask_all(root: int, leader: int) -> None:
    """Send SIGTERM to everything below `root` and to the process group of `leader`."""
    _send_group(leader, signal.SIGTERM)
    for pid in below(root):
        if _group(pid) != leader:
            _send(pid, signal.SIGTERM)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


def _send(pid: int, number: int) -> None:
    with suppress(OSError):
        os.kill(pid, number)


def _send_group(leader: int, number: int) -> None:
    if leader > 1:
        with suppress(OSError):
            os.killpg(leader, number)


def _reap() -> bool:
    """Take the status of a child that has ended; whether there was one."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] > 0
    except OSError:
        return False
