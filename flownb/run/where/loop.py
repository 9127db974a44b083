"""Bodies on the engine's loop: async functions, and `execute` of node types."""

from __future__ import annotations

import inspect
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING

from flownb.nodes.prepare import prepare
from flownb.run.context import NodeContext
from flownb.run.inputs import Unloaded
from flownb.run.outcome import Outcome, checked_outcome, is_small
from flownb.run.output.capture import OUTPUT
from flownb.run.secrets import filled
from flownb.run.where.call import call, outcome_of_type

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt


def start(attempt: Attempt) -> None:
    """Take the body's first step; it may end in it."""
    execution = attempt.execution
    engine = execution.engine
    # A task copies the context that it is made in, which is the engine's own here; the variable is taken back at
    # once, so that nothing the engine does is taken for the node's. That costs a third of a context of our own.
    OUTPUT.set(attempt.buffer)
    try:
        task = engine.tasks.start(run(attempt), attempt.path)
    finally:
        OUTPUT.set(None)
    if task.done():
        attempt.task_ended(task)
    else:
        attempt.running = task
        task.add_done_callback(attempt.task_ended, context=engine.base_context)


def start_function(attempt: Attempt) -> None:
    """As `start`, for an async function whose value is the node's output: its coroutine is the task, nothing around it.

    Most nodes are such, so each step counts.
    """
    execution, body = attempt.execution, attempt.body
    engine = execution.engine
    try:
        inputs = execution.values.arguments(body)
        if type(inputs) is Unloaded or execution.references or not engine.owns_loop:
            start(attempt)
            return
        if body.takes_ctx:
            inputs["ctx"] = NodeContext(attempt)
        coroutine = body.call(**inputs)  # type: ignore[misc]  # it has a function
    except Exception as error:  # noqa: BLE001  an input that can't be loaded, or doesn't fit, is the node's failure
        attempt.end(None, error)
        return
    OUTPUT.set(attempt.buffer)
    try:
        task = engine.tasks.start(coroutine, attempt.path)
    except (SystemExit, KeyboardInterrupt) as error:
        attempt.end(None, error)
        return
    finally:
        OUTPUT.set(None)
    if task.done():
        attempt.task_returned(task)
    else:
        attempt.running = task
        task.add_done_callback(attempt.task_returned, context=engine.base_context)


async def run(attempt: Attempt) -> Outcome | None:
    """What the task of an attempt does."""
    body, execution = attempt.body, attempt.execution
    try:
        inputs = execution.values.arguments(body)
        if type(inputs) is Unloaded:
            inputs = await execution.engine.on_thread(inputs.load)
        if body.call is not None:
            if execution.references:
                inputs = await execution.engine.on_thread(partial(filled, attempt, inputs))
            value = call(attempt, inputs)
            # A coroutine is what comes, and `isawaitable` takes a microsecond to say so.
            if type(value) is CoroutineType or inspect.isawaitable(value):
                value = await value
            if not body.plain:
                value = outcome_of_type(body, value, inputs)
        else:
            context = NodeContext(attempt)
            if body.refers or context.references:  # a keyring may take its time
                work = partial(prepare, body.type, body.node, context, inputs, secret=context.secret)
                value = await (await execution.engine.on_thread(work)).execute(context, inputs)
            else:
                value = await prepare(body.type, body.node, context, inputs).execute(context, inputs)
        if is_small(value):
            return checked_outcome(attempt, value)
        # Writing parquet takes seconds: not on the loop that all runs share.
        stored: Outcome = await execution.engine.on_thread(lambda: checked_outcome(attempt, value))
    except (SystemExit, KeyboardInterrupt) as error:
        # asyncio lets these two out of the task and through the loop: they would end the engine.
        attempt.end(None, error)
        return None
    return stored
