"""A task whose first step runs now and not a loop pass later.

Most nodes end in their first step, or wait from then on; taking that step at once halves what a node costs.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Coroutine

if sys.version_info >= (3, 12):

    def eager_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], name: str, context: contextvars.Context
    ) -> asyncio.Task[Any]:
        """Start a task in `context` and take its first step; must be called from a callback of the loop."""
        return asyncio.Task(coroutine, loop=loop, name=name, context=context, eager_start=True)

else:

    def eager_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], name: str, context: contextvars.Context
    ) -> asyncio.Task[Any]:
        """Start a task in `context` and take its first step; must be called from a callback of the loop."""
        # 3.11 has no eager start: a task schedules its first step with loop.call_soon, so that one call is caught and
        # the step is run here. No other task is current in a plain callback, so `current_task()` is right inside.
        caught: list[Callable[[], Any]] = []

        def call_soon(callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None) -> None:
            if context is None:
                caught.append(lambda: callback(*args))
            else:
                caught.append(lambda: context.run(callback, *args))

        own = loop.__dict__
        own["call_soon"] = call_soon
        try:
            task = asyncio.Task(coroutine, loop=loop, name=name, context=context)
        finally:
            del own["call_soon"]
        caught.pop()()
        return task
