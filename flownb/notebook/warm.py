"""Kernels started ahead: processes of this one that wait to become the next notebook's kernel.

Half of a kernel's start is imports, and they are the same for every notebook. A waiting process has done them, in its
own session but as a child of this process: it has run nobody's code, and ends when this process does. It becomes a
kernel when it is told the notebook's folder and environment. One that died meanwhile, or was started in another
environment, is not used, and the kernel is started as usual.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from flownb.notebook.waiting import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Variables that may differ between a process and the kernel that it becomes: they are read after its start.
_LATE: Final = frozenset({"FLOWNB_STORE", "JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTHONEXECUTABLE"})
#: How a kernel knows whose it is; it ends when that process is gone.
_PARENT: Final = "JPY_PARENT_PID"
#: The command of a usual kernel behind its interpreter and before its connection file.
_USUAL: Final = ["-m", "ipykernel_launcher", "-f"]
#: Seconds that a process gets to end by itself.
_PATIENCE: Final = 2.0


class WarmKernels:
    """The waiting processes of this process. Methods may be called from any thread."""

    def __init__(self, interpreter: str = sys.executable) -> None:
        self._interpreter = interpreter
        self._waiting: list[tuple[subprocess.Popen[bytes], dict[str, str]]] = []
        self._kept = 0
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def __len__(self) -> int:
        """How many wait."""
        with self._lock:
            return len(self._waiting)

    def start(self, environment: Mapping[str, str], count: int = 1) -> None:
        """See to it that so many wait; returns at once, while they import.

        Args:
            environment: the variables that kernels will have.
            count: how many.
        """
        if os.name != "posix":  # elsewhere a kernel needs handles that it inherits at its start
            return
        with self._lock:
            self._sort_out(environment)
            while len(self._waiting) < count:
                try:
                    self._waiting.append((self._spawn(environment), dict(environment)))
                except OSError:  # no more processes, no memory: a kernel that is needed will say it
                    return

    def keep(self, count: int) -> None:
        """From now on, let so many wait again each time that a notebook has got its kernel."""
        self._kept = count

    def refill(self, environment: Mapping[str, str]) -> None:
        """A notebook has got its kernel: start the next ones, if they are kept."""
        if self._kept:
            self.start(environment, self._kept)

    def take(
        self, command: Sequence[str], environment: Mapping[str, str], directory: str
    ) -> subprocess.Popen[bytes] | None:
        """Let a waiting process become a kernel.

        Args:
            command: how the kernel would be started.
            environment: its variables.
            directory: where it works.

        Returns the process; None where no process that waits can become this kernel.
        """
        if command[0] != self._interpreter or list(command[1 : 1 + len(_USUAL)]) != _USUAL:
            return None
        wanted = _early(environment)
        with self._lock:
            self._waiting, all_of_them = [], self._waiting
            found = None
            for process, theirs in all_of_them:
                if found is None and process.poll() is None and _early(theirs) == wanted:
                    found = process
                else:
                    self._waiting.append((process, theirs))
        if found is None:
            return None
        order = {
            "directory": directory,
            "environment": {**environment, _PARENT: str(os.getpid())},
            "arguments": list(command[3:]),
        }
        assert found.stdin is not None
        try:
            with found.stdin:
                found.stdin.write(json.dumps(order).encode() + b"\n")
        except OSError:
            _end(found)
            return None
        return found

    def close(self) -> None:
        """End those that wait."""
        if os.getpid() != self._pid:  # a fork: they are its parent's
            return
        with self._lock:
            waiting, self._waiting, self._kept = self._waiting, [], 0
        for process, _ in waiting:
            _end(process)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _spawn(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own words
            [self._interpreter, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            env={**environment, _PARENT: str(os.getpid())},
            start_new_session=True,  # as kernels are: Ctrl-C in a terminal is not for them
        )

    def _sort_out(self, environment: Mapping[str, str]) -> None:
        """Let go of those that died or were started in another environment; under the lock."""
        wanted = _early(environment)
        kept = []
        for process, theirs in self._waiting:
            if process.poll() is None and _early(theirs) == wanted:
                kept.append((process, theirs))
            else:
                _end(process)
        self._waiting = kept


def _early(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in _LATE}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that waits: it does so by itself when nothing comes any more."""
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


#: Those of this process.
warm_kernels: Final = WarmKernels()
atexit.register(warm_kernels.close)
