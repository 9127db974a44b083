"""A task whose first step runs now and not a loop pass later.

Most nodes end in their first step, or wait from then on; taking that step at once halves what a node costs.
"""

from __future__ import annotations

import asyncio
import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context


class EagerTasks:
    """Makes tasks on one loop; each gets a copy of the context that it is started in.

    `start` must be called from a plain callback of the loop, where no other task is current.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._own = loop.__dict__
        #: The first step of the task that is being made, and its context.
        self._step: tuple[Callable[..., Any], Context] | None = None
        self._catch_step = self._catch  # bound once

    if sys.version_info >= (3, 12):

        def start(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
            """Start a task and take its first step."""
            return asyncio.Task(coroutine, loop=self._loop, name=name, eager_start=True)

    else:

        def start(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
            """Start a task and take its first step."""
            # 3.11 has no eager start: a task schedules its first step with loop.call_soon, so that one call is caught
            # and the step is run here.
            own = self._own
            own["call_soon"] = self._catch_step
            try:
                task = asyncio.Task(coroutine, loop=self._loop, name=name)
            finally:
                del own["call_soon"]
            assert self._step is not None
            step, context = self._step
            self._step = None
            try:
                context.run(step)
            except (SystemExit, KeyboardInterrupt):
                # asyncio lets these two through; the task knows what ended it, and whoever made it asks.
                if not task.done():
                    raise
            return task

    def _catch(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> None:
        del args  # a task's first step has none
        self._step = (callback, context or copy_context())
