"""The process that watches a node's process: it ends the whole tree, at the latest when the engine is gone.

It runs no code of the node, so that nothing that a node does can keep it from its work. On Linux it is the reaper of
everything below it: a daemon that a node leaves behind is still its child, and is ended with the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Final, NoReturn

from flownb.run.child import body, linux, tree

#: Seconds between SIGTERM and SIGKILL.
GRACE_SECONDS: Final = 2.0
#: Seconds between two looks at what the tree uses, where it has limits and where not.
_LOOK_SECONDS: Final = 0.1
_SLOW_LOOK_SECONDS: Final = 0.5
#: Processes that one node may have at once. RLIMIT_NPROC would count all of the user's, and none of root's.
MOST_PROCESSES: Final = 512
#: What the engine may send.
TERMINATE: Final = b"T"
KILL: Final = b"K"


def keep(files: list[int], memory: int, cpu: float) -> NoReturn:
    """Fork the body, watch it, report its end, and leave.

    Args:
        files: the sockets to the engine from here and from the body, and the body's stdout and stderr.
        memory: bytes that the tree may use; 0 for no limit.
        cpu: seconds of CPU that it may use; 0 for no limit.
    """
    code = 1
    try:
        linux.adopt_orphans()
        _Keeper(files, memory, cpu).work()
        code = 0
    finally:
        os._exit(code)


class _Keeper:
    def __init__(self, files: list[int], memory: int, cpu: float) -> None:
        self._memory, self._cpu = memory, cpu
        self._spawner = os.getppid()
        self._me = os.getpid()
        self._watch = socket.socket(fileno=files[0])
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._body = os.fork()
        if not self._body:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (self._wake, wake, files[0]):
                os.close(each)
            self._watch.detach()
            body.live(self._me, files[1:], memory, cpu)  # never returns
        for each in files[1:]:
            os.close(each)
        #: When what was asked to end is killed.
        self._deadline: float | None = None
        #: Which limit it broke: `memory`, `cpu` or `processes`.
        self._broke = ""
        self._status: int | None = None
        self._peak = 0

    def work(self) -> None:
        self._say({"pid": self._body})
        try:
            while self._status is None:
                self._look()
        finally:
            tree.end_all(self._me, self._body)
        self._say({"status": self._status, "broke": self._broke, "peak": self._peak})

    def _look(self) -> None:
        pause = _LOOK_SECONDS if self._memory or self._cpu else _SLOW_LOOK_SECONDS
        if self._deadline is not None:
            pause = max(0.0, min(pause, self._deadline - time.monotonic()))
        ready = select.select([self._watch.fileno(), self._wake], [], [], pause)[0]
        if self._wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
        if self._watch.fileno() in ready:
            self._obey(self._hear())
        self._reap()
        if self._status is not None:
            return
        if os.getppid() != self._spawner or (self._deadline is not None and time.monotonic() >= self._deadline):
            self._kill()
        else:
            self._check()

    def _hear(self) -> bytes:
        try:
            return self._watch.recv(64)
        except OSError:
            return b""

    def _obey(self, said: bytes) -> None:
        if not said or KILL in said:
            self._kill()
        elif TERMINATE in said and self._deadline is None:
            self._deadline = time.monotonic() + GRACE_SECONDS
            tree.ask_all(self._me, self._body)

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(self._body, signal.SIGKILL)
        with contextlib.suppress(OSError):
            _, self._status, used = os.wait4(self._body, 0)
            self._note(used.ru_maxrss)
        if self._status is None:
            self._status = signal.SIGKILL

    def _reap(self) -> None:
        while self._status is None:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except OSError:
                return
            if not pid:
                return
            if pid == self._body:
                self._status = status
                self._note(used.ru_maxrss)

    def _note(self, most: int) -> None:
        self._peak = max(self._peak, most * (1 if sys.platform == "darwin" else 1024))

    def _check(self) -> None:
        """Kill the tree if it uses more than it may."""
        pids = tree.below(self._me)
        if len(pids) > MOST_PROCESSES:
            self._broke = "processes"
        elif self._memory or self._cpu:
            used = tree.usage(pids)
            self._peak = max(self._peak, used.memory)
            if self._cpu and used.cpu > self._cpu:
                self._broke = "cpu"
            elif self._memory and used.memory > self._memory and tree.fair_memory(pids) > self._memory:
                self._broke = "memory"
        if self._broke:
            tree.end_all(self._me, self._body)
            if self._status is None:
                self._status = signal.SIGKILL

    def _say(self, what: dict[str, object]) -> None:
        with contextlib.suppress(OSError):
            self._watch.sendall(json.dumps(what).encode() + b"\n")
