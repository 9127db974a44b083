"""The process that makes the processes of nodes: a bare interpreter with all that they need imported, which forks.

It is no child of a fork itself, so that nothing of the kernel (threads, locks, connections) is in it; and it never runs
a node's code, so that every node begins with the same clean interpreter, a few milliseconds after it was asked for.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import struct
import time
from contextlib import suppress
from typing import Final

from flownb.run.child import keeper, linux, tree

#: Memory in bytes and CPU in seconds that a node may use; 0 for no limit.
REQUEST: Final = struct.Struct("!Qd")
#: The sockets and pipes of a node: to the keeper, to the body, stdout, stderr.
FILES: Final = 4
#: Seconds without a node after which it ends; the next node makes another.
_IDLE_SECONDS: Final = 10.0


def main() -> None:
    """Fork a keeper for each request that comes on standard input, until nobody is there to send one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.adopt_orphans()
    control = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    parent = os.getppid()
    gc.collect()
    gc.freeze()  # what is there now stays shared with the forks
    keepers: set[int] = set()
    used = time.monotonic()
    while True:
        ready = select.select([control], [], [], 1.0)[0]
        _reap(keepers)
        if os.getppid() != parent:
            return
        if not ready:
            if keepers:
                used = time.monotonic()
            elif time.monotonic() - used > _IDLE_SECONDS:
                return
            continue
        data, files, _, _ = socket.recv_fds(control, REQUEST.size, FILES)
        if len(data) != REQUEST.size or len(files) != FILES:
            return
        used = time.monotonic()
        pid = os.fork()
        if not pid:
            control.close()
            os.dup2(null, 2)
            keeper.keep(files, *REQUEST.unpack(data))  # never returns
        keepers.add(pid)
        for each in files:
            os.close(each)


def _reap(keepers: set[int]) -> None:
    """Forget the keepers that have left, and end what one that somebody killed has left behind."""
    with suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            keepers.discard(pid)
    for pid in tree.children(os.getpid()):
        if pid not in keepers:
            tree.end_stray(pid)
