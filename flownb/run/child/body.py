"""The process in which a node's function runs: it takes the call from the engine, and hands back what came of it."""

from __future__ import annotations

import atexit
import contextlib
import inspect
import logging
import math
import os
import resource
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from flownb.errors import InvalidInput, NodeFailed, StoreError
from flownb.graph.nodetype import Output, Suspend
from flownb.nodes.function import load_function
from flownb.run import secrets
from flownb.run.child import linux
from flownb.run.child.context import ChildContext
from flownb.run.child.questions import Questions
from flownb.run.child.wire import Channel, Closed, Parcel, pack
from flownb.run.failure import failure_of
from flownb.run.outcome import is_small
from flownb.store import values
from flownb.store.artifacts.files import FileArtifacts

#: Memory beyond the limit that the interpreter itself and the stacks of its threads may take before an allocation
#: fails; what is really used is held to the limit by the keeper.
_OVERHEAD: Final = 48 * 1024 * 1024 + 16 * 1024 * 1024 * (os.cpu_count() or 1)
#: What the shell calls a process that SIGTERM ended.
_TERMINATED: Final = 143
#: What a call that is handed over looks like: names of arguments, and the function, as parcels.
LOG_FORMAT: Final = "%(levelname)s %(name)s: %(message)s"


def live(keeper: int, files: list[int], memory: int, cpu: float) -> NoReturn:
    """Be the process of a node, from its first breath.

    Args:
        keeper: the process that watches this one.
        files: the socket to the engine, stdout, stderr.
        memory: bytes that it may use; 0 for no limit.
        cpu: seconds of CPU that it may use; 0 for no limit.
    """
    code = 1
    try:
        os.setsid()
        linux.die_with_parent()
        if os.getppid() != keeper:  # it was gone before that held
            os._exit(1)
        os.dup2(files[1], 1)
        os.dup2(files[2], 2)
        for each in files[1:]:
            os.close(each)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        body = _Body(Channel(socket.socket(fileno=files[0])), memory)
        signal.signal(signal.SIGTERM, body.asked_to_stop)
        _limit(memory, cpu)
        body.work()
        code = 0
    except SystemExit:
        code = _TERMINATED
    except Closed:
        pass
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _limit(memory: int, cpu: float) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        # Of all its kinds of memory the one that counts what was asked for and can be written: an interpreter maps far
        # more than it uses. macOS has no such limit that works; there the sum of what is used decides.
        most = memory + _OVERHEAD
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    if cpu:
        seconds = math.ceil(cpu)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


class _Body:
    def __init__(self, channel: Channel, memory: int) -> None:
        self._channel = channel
        self._memory = memory
        self._stopped = False

    def asked_to_stop(self, *_: Any) -> None:
        """SIGTERM: what the function has opened is closed by its `finally`; what takes too long is killed."""
        self._stopped = True
        raise SystemExit(_TERMINATED)

    def work(self) -> None:
        path, surroundings, call, asked, known, room = self._channel.receive()
        _settle_in(surroundings, self._channel)
        questions = Questions(self._channel)
        secrets.work_for(partial(questions.ask, "secret"), known)
        try:
            function, arguments = _unpack(path, call)
            if asked is not None:
                arguments["ctx"] = ChildContext(self._channel, questions, asked, lambda: self._stopped)
            value = _plain(path, function(**arguments))
            message = _stored(value, room) or self._packed(path, value)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are the node's failure too
            if self._stopped:
                raise
            message = self._failed(error)
        sys.stdout.flush()
        sys.stderr.flush()
        self._channel.send(message)
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()  # noqa: SLF001  as multiprocessing does: threads of the node must not hold us up

    def _packed(self, path: str, value: Any) -> tuple[Any, ...]:
        try:
            return ("value", pack(value))
        except MemoryError:
            raise
        except Exception as error:
            kind = type(value).__qualname__
            raise NodeFailed(
                f"{path} returned a {kind}, which can't leave its process: {type(error).__name__}: {error}. "
                "Return plain data, a frame or an array, or write a file and return its path; "
                "or let the node run on a thread (where='thread').",
                node=path,
            ) from error

    def _failed(self, error: BaseException) -> tuple[Any, ...]:
        if isinstance(error, MemoryError) and self._memory:
            limit = f"{self._memory // 2**20} MB, its limits.memory_mb"
            error = MemoryError(f"it needed more memory than {limit}").with_traceback(error.__traceback__)
        failure = failure_of(error)
        try:
            parcel: Parcel | None = pack(error)
        except Exception:  # noqa: BLE001  it is told as text then
            parcel = None
        return ("error", failure, parcel)


def _settle_in(surroundings: dict[str, Any], channel: Channel) -> None:
    """Take over the folder, the environment and the import path of the engine's process as they are now."""
    os.environ.clear()
    os.environ.update(surroundings["environment"])
    sys.path[:] = surroundings["path"]
    sys.argv[:] = surroundings["argv"]
    with contextlib.suppress(OSError):  # it may be gone, for the engine's process as well
        os.chdir(surroundings["folder"])
    # Pipes would be written in blocks, and shown when the node has ended.
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    handler = _Handler(channel)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logging.getLogger().addHandler(handler)


def _stored(value: Any, room: tuple[str, bool] | None) -> tuple[Any, ...] | None:
    """Write a large value to where the run keeps its values, instead of through the pipe and the engine's memory."""
    if room is None or isinstance(value, Suspend | Output) or is_small(value):
        return None
    folder, fsync = room
    try:
        stored = values.store(value, FileArtifacts(Path(folder), fsync=fsync))
    except StoreError:
        return None  # the engine says of its store what is wrong with it, and what comes of that
    return None if stored.transient or stored.digest is None else ("stored", stored.plain)


class _Handler(logging.Handler):
    """Sends what the node logs to the engine."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._channel.send(("output", "log", self.format(record) + "\n"))
        except Exception:  # noqa: BLE001  a bad format string in a node's log call must not fail the node
            self.handleError(record)


def _plain(path: str, value: Any) -> Any:
    if inspect.iscoroutine(value):
        value.close()
        raise InvalidInput(
            f"{path} is a plain function that returned a coroutine; only `async def` nodes are awaited, and those run "
            "on the engine's loop."
        )
    return value


def _unpack(path: str, call: tuple[Any, dict[str, Parcel]]) -> tuple[Any, dict[str, Any]]:
    """The function, and the arguments by name."""
    function, given = call
    what = "its function"
    try:
        function = load_function(function, path) if isinstance(function, str) else function.open()
        arguments = {}
        for name, parcel in given.items():
            what = f"its argument {name!r}"
            arguments[name] = parcel.open()
    except Exception as error:
        raise NodeFailed(
            f"{path}: {what} can't be loaded in its process: {type(error).__name__}: {error}. "
            "What it is made from must be importable there, from the same folders as here.",
            node=path,
        ) from error
    return function, arguments
