"""A failure: what is recorded of an exception, whether another attempt follows, and what comes of it if not."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import FlownbError, InvalidInput, NodeFailed, NodeTimeout, NotFound
from flownb.graph.nodetype import Output
from flownb.model import events as ev
from flownb.model.events import Failure
from flownb.model.ports import ERROR
from flownb.model.status import ErrorClass, OnError, PauseReason
from flownb.run.output.capture import writable
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from flownb.model.workflow import Node, RetryPolicy

_MOST_TEXT: Final = 20_000
_OWN_FRAMES: Final = str(Path(__file__).parent)


def failure_of(error: BaseException) -> Failure:
    """The record: class, message, traceback from the node's own first line on, error class.

    Never fails, whatever the exception's own methods do. Of one that was raised in another process it is the record
    that was made there.
    """
    made = getattr(error, "flownb_failure", None)
    if isinstance(made, Failure):
        return made if masking.known is None else masking.known.struct(made)
    return Failure(
        type=writable(masking.text(_name(error))),
        message=writable(masking.text(_text(error))[:_MOST_TEXT]),
        traceback=writable(masking.text(_traceback(error))[-_MOST_TEXT:]),
        error_class=error_class(error),
    )


def error_class(error: BaseException) -> ErrorClass:
    """Which of the four kinds of failure it is."""
    if isinstance(error, NodeTimeout | TimeoutError):
        return ErrorClass.TIMEOUT
    if isinstance(error, InvalidInput) or type(error).__name__ == "ValidationError":
        return ErrorClass.VALIDATION
    if isinstance(error, ImportError | ConnectionError | NotFound):
        return ErrorClass.DEPENDENCY
    return ErrorClass.EXECUTION


def _name(error: BaseException) -> str:
    cls = type(error)
    return cls.__qualname__ if cls.__module__ in ("builtins", "__main__") else f"{cls.__module__}.{cls.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  a broken __str__ must not hide the failure, nor end the engine
        return f"<{type(error).__name__} whose text can't be made>"


def _traceback(error: BaseException) -> str:
    if isinstance(error, FlownbError) and error.__cause__ is None:
        return ""  # the sentence says it all; our own frames would only hide it
    try:
        return "".join(traceback.format_exception(type(error), error, _user_frames(error.__traceback__)))
    except BaseException:  # noqa: BLE001  as with a broken __str__ of a cause
        return ""


def _user_frames(frames: TracebackType | None) -> TracebackType | None:
    """The traceback without the engine's frames at its top."""
    here = frames
    while here is not None and here.tb_frame.f_code.co_filename.startswith(_OWN_FRAMES):
        here = here.tb_next
    return here or frames


def may_retry(policy: RetryPolicy | None, attempt: int, failure: Failure) -> bool:
    """Whether another attempt follows the failed one; a validation error never gets better."""
    if policy is None or attempt >= policy.attempts or failure.error_class == ErrorClass.VALIDATION:
        return False
    short = failure.type.rpartition(".")[2]
    return not policy.on or bool({failure.type, short, failure.error_class} & set(policy.on))


def retry_delay(policy: RetryPolicy, attempt: int, chance: float) -> float:
    """Seconds until the attempt after `attempt`; `chance` is a random number from 0 to 1."""
    try:
        delay = policy.delay * policy.backoff ** (attempt - 1)
    except OverflowError:
        delay = policy.max_delay
    delay = min(delay, policy.max_delay)
    return max(0.0, delay * (1 + policy.jitter * (2 * chance - 1)))


def plain_error(failure: Failure, node: str) -> dict[str, Any]:
    """What the `error` port carries."""
    return {
        "type": failure.type,
        "message": failure.message,
        "class": str(failure.error_class),
        "node": node,
        "traceback": failure.traceback,
    }


def all_together(failed: Mapping[str, Failure], raised: Mapping[str, BaseException]) -> BaseExceptionGroup[Any]:
    """The errors of several nodes as one; of those that another process raised there is only what is recorded.

    Args:
        failed: what is recorded, by node.
        raised: the exceptions themselves, where they are at hand.
    """
    errors = [
        raised.get(path) or NodeFailed(f"{path}: {each.type}: {each.message}", node=path)
        for path, each in failed.items()
    ]
    return BaseExceptionGroup(f"{len(errors)} of the nodes failed: {', '.join(failed)}", errors)


class Aftermath(msgspec.Struct):
    """What comes of a failure for which there is no other attempt."""

    event: ev.Event
    #: Whether the run stops.
    stops: bool = False
    #: The live value that the node has all the same: a fallback, or the error for its port.
    value: Output | None = None


def after_failure(
    node: Node, path: str, failure: Failure, *, has_error_port: bool, at: float, fail_fast: bool = True
) -> Aftermath:
    """What `on_error` makes of a failure of a node, or its instance at `path`; wiring the `error` port asks for it."""
    policy = node.on_error
    if policy is OnError.STOP and has_error_port:
        policy = OnError.ERROR_PORT
    match policy:
        case OnError.FALLBACK:
            event: ev.Event = ev.NodeCompleted(at=at, node=path, source="fallback")
            return Aftermath(event, value=Output(node.fallback))
        case OnError.SKIP:
            message = f"it failed, and on_error is skip: {failure.message[:500]}"
            return Aftermath(ev.NodeSkipped(at=at, node=path, reason=ev.Reason(group="command", message=message)))
        case OnError.ERROR_PORT:
            value = plain_error(failure, path)
            event = ev.NodeFailedEvent(at=at, node=path, error=failure, handled=True, port=True, output=value)
            return Aftermath(event, value=Output(values={ERROR: value}))
        case OnError.PAUSE:
            return Aftermath(ev.NodeWaiting(at=at, node=path, waits_for=PauseReason.ERROR))
        case _:
            event = ev.NodeFailedEvent(at=at, node=path, error=failure)
            return Aftermath(event, stops=fail_fast and policy is not OnError.CONTINUE)
