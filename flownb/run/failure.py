"""An exception made into what is recorded of it."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError, InvalidInput, NodeTimeout, NotFound
from flownb.model.events import Failure
from flownb.model.status import ErrorClass

if TYPE_CHECKING:
    from types import TracebackType

    from flownb.model.workflow import RetryPolicy

_MOST_TEXT: Final = 20_000
_OWN_FRAMES: Final = str(Path(__file__).parent)


def failure_of(error: BaseException) -> Failure:
    """The record: class, message, traceback from the node's own first line on, error class.

    Never fails, whatever the exception's own methods do.
    """
    return Failure(
        type=_name(error),
        message=_text(error)[:_MOST_TEXT],
        traceback=_traceback(error)[-_MOST_TEXT:],
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
    except Exception:  # noqa: BLE001  a broken __str__ must not hide the failure
        return f"<{type(error).__name__} whose text can't be made>"


def _traceback(error: BaseException) -> str:
    if isinstance(error, FlownbError) and error.__cause__ is None:
        return ""  # the sentence says it all; our own frames would only hide it
    try:
        return "".join(traceback.format_exception(type(error), error, _user_frames(error.__traceback__)))
    except Exception:  # noqa: BLE001  as with a broken __str__ of a cause
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
