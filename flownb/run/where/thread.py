"""Bodies on threads: sync functions."""

from __future__ import annotations

from contextvars import copy_context
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput
from flownb.run.capture import OUTPUT
from flownb.run.inputs import loaded
from flownb.run.outcome import Outcome, outcome_of
from flownb.run.where.call import call, outcome_of_type

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt


def start(attempt: Attempt) -> None:
    """Hand the body to a worker thread."""
    execution = attempt.execution
    try:
        inputs = execution.values.arguments(attempt.body)
    except Exception as error:  # noqa: BLE001  an input that can't be loaded is the node's failure
        attempt.end(None, error)
        return
    OUTPUT.set(attempt.buffer)
    context = copy_context()
    OUTPUT.set(None)
    execution.engine.workers.submit(lambda: run(attempt, inputs), attempt.end, context)


def run(attempt: Attempt, inputs: dict[str, Any]) -> Outcome:
    """What the thread of an attempt does."""
    inputs = loaded(inputs)
    value = call(attempt, inputs)
    if type(value) is CoroutineType:
        value.close()
        raise InvalidInput(
            f"{attempt.path} is a plain function that returned a coroutine; write `async def` so that it is awaited."
        )
    return outcome_of(attempt, value if attempt.body.plain else outcome_of_type(attempt.body, value, inputs))
