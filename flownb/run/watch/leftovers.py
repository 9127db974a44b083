"""Bodies that go on although they were asked to stop: which they are, where they are, and how they resist."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.model.events import SystemWarning
from flownb.run.watch.stacks import Line, stack_of

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt
    from flownb.run.executor import Execution

#: Seconds that a body may take to stop; then it is given up, or told of if its node had ended before.
CANCEL_SECONDS: Final = 5.0
#: Told one by one; of more only the names.
_MOST_TOLD: Final = 20
_NOT_THEIRS: Final = (str(Path(__file__).parents[1]), str(Path(asyncio.__file__).parent))


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
        return f"it caught its cancellation and goes on{_place(_lines_of_task(running))}"
    if getattr(running, "is_certain", False):
        return "it was killed, and its system has not ended it"
    thread = getattr(running, "thread", None)
    where = "on the main thread" if getattr(running, "is_main", False) else "on a thread"
    if thread is None:
        return f"it waits for its turn {where}"
    file = getattr(getattr(attempt.body.call, "__code__", None), "co_filename", None)
    stack = stack_of(thread)
    own = [line for line in stack if line.file == file] or stack
    return (
        f"it runs {where}, which can't be stopped{_place(own)}; a long loop should look at ctx.cancelled, "
        "and with where='process' it could be killed"
    )


def _lines_of_task(task: asyncio.Task[Any]) -> list[Line]:
    """Where a task waits, innermost first."""
    lines: list[Line] = []
    waits: Any = task.get_coro()
    while waits is not None:
        frame = getattr(waits, "cr_frame", None) or getattr(waits, "gi_frame", None)
        if frame is not None:
            lines.insert(0, Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        waits = getattr(waits, "cr_await", None) or getattr(waits, "gi_yieldfrom", None)
    return lines


def _place(lines: list[Line]) -> str:
    """` at app.py:12 (await save())`: the innermost line that is not ours; empty where there is none."""
    for line in lines:
        if not line.file.startswith(_NOT_THEIRS):
            return f" at {Path(line.file).name}:{line.number}" + (f" ({line.text})" if line.text else "")
    return ""
