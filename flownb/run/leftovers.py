"""Bodies that go on although they were asked to stop: which they are, where they are, and how they resist."""

from __future__ import annotations

import asyncio
import linecache
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.model.events import SystemWarning

if TYPE_CHECKING:
    from types import FrameType

    from flownb.run.attempt import Attempt
    from flownb.run.executor import Execution

#: Seconds that a body may take to stop; then it is given up, or told of if its node had ended before.
CANCEL_SECONDS: Final = 5.0
#: Told one by one; of more only the names.
_MOST_TOLD: Final = 20
_NOT_THEIRS: Final = (str(Path(__file__).parent), str(Path(asyncio.__file__).parent))


def tell(execution: Execution, left: list[Attempt]) -> None:
    """Record of each body that is left how it resists, with the way out."""
    now = execution.engine.now()
    for attempt in left[:_MOST_TOLD]:
        message = (
            f"{attempt.path} did not stop within {CANCEL_SECONDS:g} s and was given up: {how(attempt)}. What comes of "
            "it is refused."
        )
        execution.record(SystemWarning(at=now, message=message, node=attempt.path))
    if more := [attempt.path for attempt in left[_MOST_TOLD:]]:
        names = ", ".join(more[:100]) + (" …" if len(more) > 100 else "")  # noqa: PLR2004  a line that can be read
        message = f"{len(more)} more did not stop within {CANCEL_SECONDS:g} s and were given up: {names}."
        execution.record(SystemWarning(at=now, message=message))


def watch(attempt: Attempt) -> None:
    """Tell of a body whose node has ended before it, if it is still there after a while."""
    home = attempt.execution.engine
    home.loop.call_later(CANCEL_SECONDS, _look_again, attempt, context=home.base_context)


def _look_again(attempt: Attempt) -> None:
    execution = attempt.execution
    if not execution.over and attempt.running is not None and not attempt.running.done():
        tell(execution, [attempt])


def how(attempt: Attempt) -> str:
    """How a body resists, and where it is."""
    running = attempt.running
    if isinstance(running, asyncio.Task):
        return f"it caught its cancellation and goes on{_place(_frames_of_task(running))}"
    if getattr(running, "is_certain", False):
        return "it was killed, and its system has not ended it"
    thread = getattr(running, "thread", None)
    where = "on the main thread" if getattr(running, "is_main", False) else "on a thread"
    if thread is None:
        return f"it waits for its turn {where}"
    code = getattr(attempt.body.call, "__code__", None)
    frames = _frames_of_thread(thread)
    own = [frame for frame in frames if code is not None and frame.f_code.co_filename == code.co_filename]
    return (
        f"it runs {where}, which can't be stopped{_place(own or frames)}; a long loop should look at ctx.cancelled, "
        "and with where='process' it could be killed"
    )


def _frames_of_task(task: asyncio.Task[Any]) -> list[FrameType]:
    """The frames of a task that waits, innermost first."""
    frames: list[FrameType] = []
    waits: Any = task.get_coro()
    while waits is not None:
        frame = getattr(waits, "cr_frame", None) or getattr(waits, "gi_frame", None)
        if frame is not None:
            frames.insert(0, frame)
        waits = getattr(waits, "cr_await", None) or getattr(waits, "gi_yieldfrom", None)
    return frames


def _frames_of_thread(ident: int) -> list[FrameType]:
    frames: list[FrameType] = []
    frame = sys._current_frames().get(ident)  # noqa: SLF001  documented, for tools like this one
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def _place(frames: list[FrameType]) -> str:
    """` at app.py:12 (await save())`: the innermost line that is not ours; empty where there is none."""
    for frame in frames:
        name = frame.f_code.co_filename
        if not name.startswith(_NOT_THEIRS):
            line = linecache.getline(name, frame.f_lineno).strip()
            return f" at {Path(name).name}:{frame.f_lineno}" + (f" ({line[:100]})" if line else "")
    return ""
