"""Bodies in processes of their own: killable as a whole tree, with limits, and with nothing of the kernel in them.

A worker thread of the engine sends the call, passes on what the process writes and says, answers what it asks, and
takes the value or the error that comes back. It ends when the keeper has said that the whole tree is gone.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import selectors
import threading
import time
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final

from flownb import faults
from flownb.errors import NodeFailed
from flownb.model.events import NodeMeasured
from flownb.run.child.keeper import KILL, TERMINATE
from flownb.run.child.wire import Closed, Parcel
from flownb.run.inputs import loaded
from flownb.run.outcome import Outcome, checked_outcome
from flownb.run.output.capture import writing_into
from flownb.run.secrets import filled
from flownb.run.where.answers import Answers
from flownb.run.where.call import outcome_of_type
from flownb.run.where.death import death
from flownb.run.where.sending import pack_call
from flownb.run.where.spawning import Hatched, spawner, surroundings
from flownb.services import masking
from flownb.store.artifacts.files import FileArtifacts

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt

_MEGABYTE: Final = 1024 * 1024
_BLOCK: Final = 64 * 1024
#: Seconds that a process may take to end after it has handed its value over.
_LEAVE_SECONDS: Final = 2.0
#: Seconds between two blocks of output beyond what is kept: what prints without end is slowed down, not the engine.
_BREAK_SECONDS: Final = 0.004


def start(attempt: Attempt) -> None:
    """Hand the body to a process."""
    inputs = attempt.arguments()
    if inputs is None:
        return
    process = Process(attempt, inputs)
    attempt.running = process
    attempt.execution.engine.workers.submit(process.run, process.over, writing_into(attempt.buffer))


class Process:
    """One attempt in its process."""

    #: Its end comes for certain, and the attempt waits for it: nothing of it is there when the node is over.
    is_certain: Final = True

    def __init__(self, attempt: Attempt, inputs: dict[str, Any]) -> None:
        self._attempt = attempt
        self._inputs = inputs
        self._hatched: Hatched | None = None
        self._lock = threading.Lock()
        self._asked = False
        self._ended = False
        self._told: tuple[Any, ...] | None = None
        self._report: dict[str, Any] | None = None

    def cancel(self) -> None:
        """Send SIGTERM to the tree, and SIGKILL two seconds later to what is left of it; from any thread."""
        with self._lock:
            self._asked = True
            if self._hatched is not None:
                with contextlib.suppress(OSError):
                    self._hatched.watch.send(TERMINATE)

    def done(self) -> bool:
        """Whether the whole tree is gone."""
        return self._ended

    def over(self, outcome: Outcome | None, error: BaseException | None) -> None:
        """It is over: what it used is recorded, and the attempt ends; on the engine's loop."""
        attempt = self._attempt
        execution, peak = attempt.execution, (self._report or {}).get("peak", 0)
        if peak and not execution.over and execution.alive.get(attempt.number) is attempt:
            execution.record(NodeMeasured(at=execution.engine.now(), node=attempt.path, memory=peak))
        attempt.end(outcome, error)

    def run(self) -> Outcome:
        """See the process through, on a worker thread."""
        attempt = self._attempt
        self._inputs = loaded(self._inputs)
        known: dict[str, bytes] = {}
        if attempt.execution.references:
            self._inputs = filled(attempt, self._inputs, known)
        call = pack_call(attempt, self._inputs)
        limits = attempt.body.node.limits
        memory = (limits.memory_mb or 0) * _MEGABYTE if limits else 0
        cpu = (limits.cpu_seconds or 0.0) if limits else 0.0
        hatched = spawner.hatch(memory, cpu)
        try:
            with self._lock:
                self._hatched = hatched
                if self._asked:
                    hatched.watch.send(TERMINATE)
            answers = Answers(attempt)
            asked = answers.known() if attempt.body.takes_ctx else None
            with contextlib.suppress(Closed):  # it died before it had heard all: its keeper says how
                hatched.channel.send((attempt.path, surroundings(), call, asked, known, self._room()))
            self._serve(hatched, answers)
        finally:
            with self._lock:
                self._hatched = None
                self._ended = True
            hatched.close()
        return self._outcome()

    def _room(self) -> tuple[str, bool] | None:
        """The folder where the process may write a large value itself; None where the value is needed here as well."""
        attempt = self._attempt
        artifacts = attempt.execution.store.artifacts
        if not isinstance(artifacts, FileArtifacts) or artifacts.sealed or masking.known is not None:
            return None
        needed = not attempt.body.as_is or attempt.number in attempt.execution.state.topology.wires
        return None if needed else (str(artifacts.root), artifacts.fsync)

    def _serve(self, hatched: Hatched, answers: Answers) -> None:
        """Pass on what comes, until the keeper's report is there."""
        with selectors.DefaultSelector() as selector:
            for stream, file in (("stdout", hatched.out), ("stderr", hatched.err)):
                decode = codecs.getincrementaldecoder("utf-8")("replace").decode
                selector.register(file, selectors.EVENT_READ, (stream, decode))
            selector.register(hatched.channel, selectors.EVENT_READ, "channel")
            selector.register(hatched.watch, selectors.EVENT_READ, "watch")
            until: float | None = None
            while self._report is None:
                ready = selector.select(None if until is None else max(0.0, until - time.monotonic()))
                for key, _ in ready:
                    if key.data == "watch":
                        self._hear(hatched)
                    elif key.data == "channel":
                        if not self._take(hatched, answers):
                            selector.unregister(hatched.channel)
                    elif not self._pass_on(key.fd, *key.data):
                        selector.unregister(key.fd)
                if self._told is not None and until is None:
                    until = time.monotonic() + _LEAVE_SECONDS
                elif until is not None and time.monotonic() >= until:
                    hatched.watch.send(KILL)
                    until = time.monotonic() + _LEAVE_SECONDS
            self._drain(hatched, selector, answers)

    def _drain(self, hatched: Hatched, selector: selectors.BaseSelector, answers: Answers) -> None:
        """Take what the process wrote before it ended; all of it is there already."""
        selector.unregister(hatched.watch)
        blocks = 0
        while (ready := selector.select(0)) and blocks < _BLOCK:
            for key, _ in ready:
                blocks += 1
                more = self._take(hatched, answers) if key.data == "channel" else self._pass_on(key.fd, *key.data)
                if not more:
                    selector.unregister(key.fileobj)

    def _hear(self, hatched: Hatched) -> None:
        said = hatched.watch.recv(4096)
        self._report = json.loads(said) if said.endswith(b"\n") else {"status": None}

    def _take(self, hatched: Hatched, answers: Answers) -> bool:
        """Act on one message; False when there are no more."""
        try:
            message = hatched.channel.receive()
        except Closed:
            return False
        match message:
            case ("output", stream, text):
                self._attempt.buffer.write(stream, text)
            case ("status", text):
                self._attempt.speaker().status(text)
            case ("progress", share):
                self._attempt.speaker().progress(share)
            case ("ask", name, parcel):
                with contextlib.suppress(Closed):
                    hatched.channel.send(answers.answer(name, parcel))
            case _:
                self._told = message
        return True

    def _pass_on(self, file: int, stream: str, decode: Any) -> bool:
        block = os.read(file, _BLOCK)
        self._attempt.buffer.write(stream, decode(block))
        if not self._attempt.buffer.left:
            time.sleep(_BREAK_SECONDS)
        return bool(block)

    def _outcome(self) -> Outcome:
        attempt, told = self._attempt, self._told
        match told:
            case ("value", Parcel() as parcel):
                value = self._open(parcel)
            case ("stored", plain):
                if attempt.steps is not None:
                    attempt.steps.close()
                faults.reach("node.after_body")
                return Outcome(plain)
            case _ if attempt.asked_to_stop:
                raise CancelledError
            case ("error", failure, parcel):
                raise _error(attempt.path, failure, parcel)
            case _:
                raise death(attempt.path, attempt.body.node.limits, self._report or {})
        body = attempt.body
        return checked_outcome(attempt, value if body.plain else outcome_of_type(body, value, self._inputs))

    def _open(self, parcel: Parcel) -> Any:
        path = self._attempt.path
        try:
            return parcel.open()
        except Exception as error:
            raise NodeFailed(
                f"What {path} returned can't be loaded outside of its process: {type(error).__name__}: {error}. "
                "What it is made from must be importable here.",
                node=path,
            ) from error


def _error(path: str, failure: Any, parcel: Parcel | None) -> BaseException:
    """The exception that the body raised, or one that tells of it; with the record that was made where it happened."""
    error: Any = None
    if parcel is not None:
        with contextlib.suppress(Exception):
            error = parcel.open()
    if not isinstance(error, BaseException):
        error = NodeFailed(f"{failure.type}: {failure.message}", node=path)
    with contextlib.suppress(Exception):  # an exception may have slots
        error.flownb_failure = failure
        if failure.traceback:
            error.add_note(f"In the process of {path}:\n{failure.traceback}")
    return error  # type: ignore[no-any-return]  # whatever class it has
