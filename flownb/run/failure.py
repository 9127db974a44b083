"""A failure: what is recorded of an exception, whether another attempt follows, and what comes of it if not."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from flownb.errors import EnvironmentFault, FlownbError, InvalidInput, NodeFailed, NodeTimeout, NotFound
from flownb.graph.nodetype import Output
from flownb.model import events as ev
from flownb.model.events import Failure
from flownb.model.ports import ERROR
from flownb.model.status import ErrorClass, OnError, PauseReason, Strategy
from flownb.model.workflow import RetryPolicy
from flownb.run.output.capture import writable
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType

    from flownb.model.workflow import ErrorHandler, Node

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
        error_class=(kind := error_class(error)),
        recoverable=kind is not ErrorClass.VALIDATION and _said(error, "recoverable") is not False,
    )


def error_class(error: BaseException) -> ErrorClass:
    """Which of the four kinds of failure it is: what it says itself as `error_class`, else what its classes tell."""
    said = _said(error, "error_class")
    if isinstance(said, str) and said in list(ErrorClass):
        return ErrorClass(said)
    names = [cls.__name__ for cls in type(error).__mro__]
    if isinstance(error, NodeTimeout | TimeoutError) or any(name.endswith(_TIMEOUTS) for name in names):
        return ErrorClass.TIMEOUT
    if isinstance(error, InvalidInput) or names[0] == "ValidationError":
        return ErrorClass.VALIDATION
    if isinstance(error, ImportError | EnvironmentFault | NotFound) or not _UNREACHABLE.isdisjoint(names):
        return ErrorClass.DEPENDENCY
    return ErrorClass.EXECUTION


#: How other packages call their errors: the ends of the names of classes, and whole names.
_TIMEOUTS: Final = ("Timeout", "TimeoutError", "TimeoutException", "TimedOut")
_UNREACHABLE: Final = frozenset({"ConnectionError", "ConnectError", "NetworkError", "EndpointConnectionError"})


def _said(error: BaseException, name: str) -> Any:
    """What an exception's author says about it; None where it says nothing that can be read."""
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001  a broken property must not hide the failure
        return None


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
    if policy is None or attempt >= policy.attempts:
        return False
    if failure.error_class == ErrorClass.VALIDATION or not failure.recoverable:
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
        "recoverable": failure.recoverable,
        "advice": failure.advice,
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


class Course(NamedTuple):
    """What the definition says about one failure."""

    retry: RetryPolicy | None
    policy: OnError
    advice: str = ""


def course_of(node: Node, shared: Sequence[ErrorHandler], failure: Failure, *, has_error_port: bool) -> Course:
    """What comes of a failure, by what the node says about such errors, else the workflow, else about all errors.

    Args:
        node: the node that failed.
        shared: the handlers of the workflow.
        failure: what happened.
        has_error_port: whether its `error` port is wired, which asks for it where nothing else is said.
    """
    policy = OnError.ERROR_PORT if node.on_error is OnError.STOP and has_error_port else node.on_error
    if not node.strategies and not shared:
        return Course(node.retry, policy)
    own, others = _fitting(node.strategies, failure), _fitting(shared, failure)
    retry, advice = node.retry, ""
    if own:
        retry = _policy(own[0], node.retry)
    elif others and node.retry is None:
        retry = _policy(others[0], None)
    ends = [each for each in own if each.strategy != Strategy.RETRY]
    if not ends and policy is OnError.STOP:
        ends = [each for each in others if each.strategy != Strategy.RETRY]
    if ends:
        policy = OnError(ends[0].strategy)
    for each in (*own, *others):
        advice = advice or each.message
    return Course(retry, policy, advice)


def _fitting(handlers: Sequence[ErrorHandler], failure: Failure) -> list[ErrorHandler]:
    return [each for each in handlers if fits((each.error,), failure)]


def fits(errors: Collection[str], failure: Failure) -> bool:
    """Whether one of the names is that of the failure: its exception, its class, or `any`."""
    return not {"any", failure.type, failure.type.rpartition(".")[2], failure.error_class}.isdisjoint(errors)


def _policy(handler: ErrorHandler, usual: RetryPolicy | None) -> RetryPolicy | None:
    if handler.strategy != Strategy.RETRY:
        return None
    usual = usual or RetryPolicy()
    delay = usual.delay if handler.delay is None else handler.delay
    return msgspec.structs.replace(usual, attempts=handler.attempts or usual.attempts, delay=delay, on=())


def after_failure(
    node: Node, path: str, failure: Failure, *, policy: OnError, at: float, fail_fast: bool = True
) -> Aftermath:
    """What `on_error` makes of a failure of a node, or its instance at `path`."""
    match policy:
        case OnError.FALLBACK:
            event: ev.Event = ev.NodeCompleted(at=at, node=path, source="fallback")
            return Aftermath(event, value=Output(node.fallback))
        case OnError.SKIP:
            why = f"{failure.advice} ({failure.message[:500]})" if failure.advice else failure.message[:500]
            message = f"it failed, and on_error is skip: {why}"
            return Aftermath(ev.NodeSkipped(at=at, node=path, reason=ev.Reason(group="command", message=message)))
        case OnError.ERROR_PORT:
            value = plain_error(failure, path)
            event = ev.NodeFailedEvent(at=at, node=path, error=failure, handled=True, port=True, output=value)
            return Aftermath(event, value=Output(values={ERROR: value}))
        case OnError.PAUSE:
            return Aftermath(ev.NodeWaiting(at=at, node=path, waits_for=PauseReason.ERROR))
        case _:
            compensates = policy is OnError.COMPENSATE
            event = ev.NodeFailedEvent(at=at, node=path, error=failure, compensates=compensates)
            return Aftermath(event, stops=fail_fast and policy is not OnError.CONTINUE)
