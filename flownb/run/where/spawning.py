"""The engine's side of the spawner: it is started when a node wants a process, and asked for one."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

from flownb.errors import EnvironmentFault
from flownb.run.child.spawner import REQUEST
from flownb.run.child.wire import Channel

#: Seconds that a node's process may take until it is there; the first waits for the spawner to be there.
_START_SECONDS: Final = 30.0
_BOOT: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from flownb.run.child.spawner import main; main()"
)
#: A test arms fault points through it, for the engine's process.
_NOT_HANDED_ON: Final = "FLOWNB_FAULT"


class Hatched:
    """A node's process that is there: what the engine holds of it."""

    def __init__(self, watch: socket.socket, channel: socket.socket, out: int, err: int) -> None:
        #: To its keeper; closing it ends the whole tree.
        self.watch = watch
        self.channel = Channel(channel)
        self.out, self.err = out, err

    def close(self) -> None:
        """End what is left of it."""
        self.watch.close()
        self.channel.close()
        for each in (self.out, self.err):
            os.close(each)


class Spawner:
    """The spawner of this process; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def hatch(self, memory: int, cpu: float) -> Hatched:
        """A process for a node.

        Args:
            memory: bytes that it may use; 0 for no limit.
            cpu: seconds of CPU that it may use; 0 for no limit.

        Raises:
            EnvironmentFault: this system gives none.
        """
        if not hasattr(os, "fork"):
            raise EnvironmentFault(
                "A node with where='process' needs Linux or macOS: this system can't end a process with all that it "
                "has started. Let the node run on a thread (where='thread')."
            )
        with self._lock:
            for last in (False, True):  # a spawner that was idle may have left in this moment
                hatched = self._ask(memory, cpu)
                if hatched is not None:
                    return hatched
                said = self._end()
                if last:
                    raise EnvironmentFault(f"The process for a node could not be started.{said}")
        raise AssertionError

    def _ask(self, memory: int, cpu: float) -> Hatched | None:
        watch, keepers_end = socket.socketpair()
        channel, bodys_end = socket.socketpair()
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        hatched = Hatched(watch, channel, out, err)
        try:
            control = self._started()
            files = [keepers_end.fileno(), bodys_end.fileno(), out_end, err_end]
            socket.send_fds(control, [REQUEST.pack(memory, cpu)], files)
            watch.settimeout(_START_SECONDS)
            # Until it has said so, no other request is sent: files of two could be taken for those of one.
            if not watch.recv(256).endswith(b"\n"):
                hatched.close()
                return None
            watch.settimeout(None)
        except OSError:
            hatched.close()
            return None
        finally:
            keepers_end.close()
            bodys_end.close()
            os.close(out_end)
            os.close(err_end)
        return hatched

    def _started(self) -> socket.socket:
        alive = self._process is not None and self._pid == os.getpid() and self._process.poll() is None
        if self._control is not None and alive:
            return self._control
        if self._pid == os.getpid():
            self._end()
        control, end = socket.socketpair()
        path = json.dumps([each for each in sys.path if isinstance(each, str)])
        command = [sys.executable, *(f"-W{each}" for each in sys.warnoptions), "-c", _BOOT, path]
        try:
            # A session of its own: Ctrl-C in a terminal is for the engine's process, which then decides.
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter
                command,
                stdin=end.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={name: value for name, value in os.environ.items() if name != _NOT_HANDED_ON},
            )
        except OSError:
            control.close()
            raise
        finally:
            end.close()
        self._control, self._pid = control, os.getpid()
        return control

    def _end(self) -> str:
        """Let the spawner go; comes back with its last words, if it failed."""
        control, process = self._control, self._process
        self._control = self._process = None
        if control is not None:
            control.close()
        if process is None:
            return ""
        try:
            _, said = process.communicate(timeout=2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        return f" {last}." if last else ""

    def leave(self) -> None:
        """The process ends."""
        if self._pid == os.getpid() and self._lock.acquire(timeout=1.0):
            try:
                self._end()
            finally:
                self._lock.release()


spawner: Final = Spawner()
atexit.register(spawner.leave)


def surroundings() -> dict[str, Any]:
    """What the process of a node takes over from this one, as it is now."""
    folder = ""
    with contextlib.suppress(OSError):
        folder = str(Path.cwd())
    return {
        "environment": {name: value for name, value in os.environ.items() if name != _NOT_HANDED_ON},
        "path": [each for each in sys.path if isinstance(each, str)],
        "argv": list(sys.argv),
        "folder": folder,
    }
