"""Whether the numbers and words of a definition are ones that a run can use: retry, timeout, limits, settings."""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import near_names
from flownb.model.problem import Problem, Severity
from flownb.model.status import CALLING_STATUSES, FailurePolicy, OnCrash, OnError, Where
from flownb.model.workflow import JoinCount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from enum import StrEnum

    from flownb.model.workflow import Node, RetryPolicy, Settings, Watch

OVERLAPS: Final = ("block", "queue", "allow", "replace")
#: More attempts than this are a mistake: they would outlast the schedule that started the run.
MOST_ATTEMPTS: Final = 10_000
MOST_CONCURRENCY: Final = 100_000


def check_policies(node: Node, controls: int, *, has_error_edge: bool) -> Iterator[Problem]:
    """The problems of what a node says beside its config.

    Args:
        node: the node.
        controls: how many gates and orders enter it.
        has_error_edge: whether an edge leaves its `error` port.
    """
    if node.retry is not None:
        yield from _check_retry(node, node.retry)
    yield from _check_amounts(node)
    words: tuple[tuple[str, type[StrEnum], Any], ...] = (
        ("on_error", OnError, node.on_error),
        ("on_crash", OnCrash, node.on_crash),
        ("where", Where, node.where),
    )
    for field, enum, value in words:
        if value is not None and value not in list(enum):
            known = [each.value for each in enum]
            yield _bad(node, field, value, f"one of {', '.join(known)}", near_names(str(value), known))
    yield from _check_join(node, controls)
    if node.heartbeat is not None and node.type == "python" and not node.config.get("context"):
        yield Problem(
            f"{node.id} must be heard of every {node.heartbeat:g} s, its heartbeat, and its function takes no `ctx` to "
            "say anything by.",
            node=node.id,
            place="heartbeat",
            hint="Give it a parameter `ctx` and call ctx.heartbeat() in it, or use timeout.",
            code="bad_policy",
        )
    if node.on_error == OnError.FALLBACK and node.fallback is None and node.fallback_node is None:
        yield Problem(
            f"{node.id} completes with None when it fails: on_error is 'fallback' and no fallback is given.",
            severity=Severity.WARNING,
            node=node.id,
            place="fallback",
            hint="Set `fallback` to the value that it should have then.",
            code="no_fallback",
        )
    if node.on_error == OnError.ERROR_PORT and not has_error_edge:
        yield Problem(
            f"{node.id} hands its error to the port 'error', and no edge leaves that port: the error would be lost.",
            severity=Severity.WARNING,
            node=node.id,
            port="error",
            hint=f"Wire {node.id}.error to a node, or choose another on_error.",
            code="no_error_edge",
        )


def _check_amounts(node: Node) -> Iterator[Problem]:
    amounts = [("timeout", node.timeout), ("heartbeat", node.heartbeat)]
    if node.cache is not None:
        amounts.append(("cache.ttl", node.cache.ttl))
    if node.limits is not None:
        amounts += [("limits.memory_mb", node.limits.memory_mb), ("limits.cpu_seconds", node.limits.cpu_seconds)]
        amounts += [(f"limits.resources.{name}", amount) for name, amount in node.limits.resources.items()]
    for place, amount in amounts:
        if amount is not None and not _positive(amount):
            yield _bad(node, place, amount, "a number above 0")


def _check_retry(node: Node, retry: RetryPolicy) -> Iterator[Problem]:
    attempts: Any = retry.attempts
    if isinstance(attempts, bool) or not isinstance(attempts, int) or not 1 <= attempts <= MOST_ATTEMPTS:
        wanted = f"a whole number from 1 to {MOST_ATTEMPTS}: the attempts in all, the first included"
        yield _bad(node, "retry.attempts", attempts, wanted)
    for field in ("delay", "max_delay"):
        value = getattr(retry, field)
        if not _number(value) or value < 0:
            yield _bad(node, f"retry.{field}", value, "a number of seconds, 0 or more")
    if not _number(retry.backoff) or retry.backoff < 1:
        yield _bad(node, "retry.backoff", retry.backoff, "a factor of 1 or more")
    if not _number(retry.jitter) or not 0 <= retry.jitter <= 1:
        yield _bad(node, "retry.jitter", retry.jitter, "a share from 0 to 1")


def _check_join(node: Node, controls: int) -> Iterator[Problem]:
    if isinstance(node.join, JoinCount):
        count = node.join.count
        if count < 1:
            yield _bad(node, "join.count", count, "a number above 0")
        elif count > controls:
            yield Problem(
                f"{node.id} waits for {count} of its gates and orders, and it has {controls}: it can never start.",
                node=node.id,
                place="join.count",
                hint="Add entries to `after`, or lower the count.",
                code="bad_join",
            )
    elif node.join not in ("all", "any"):
        yield _bad(node, "join", node.join, "'all', 'any' or a count")


def check_settings(settings: Settings) -> Iterator[Problem]:
    """The problems of the settings of every run."""
    concurrency: Any = settings.concurrency
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= MOST_CONCURRENCY:
        yield _setting("concurrency", concurrency, f"a whole number from 1 to {MOST_CONCURRENCY}")
    if settings.timeout is not None and not _positive(settings.timeout):
        yield _setting("timeout", settings.timeout, "a number of seconds above 0")
    if settings.failures not in list(FailurePolicy):
        yield _setting("failures", settings.failures, f"one of {', '.join(FailurePolicy)}")
    for name, capacity in settings.resources.items():
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            yield _setting(f"resources.{name}", capacity, "a whole number of 1 or more: how many there are")
    yield from _check_watch(settings.watch)
    if settings.overlap not in OVERLAPS:
        yield _setting("overlap", settings.overlap, f"one of {', '.join(OVERLAPS)}")
    if settings.time_zone and not _is_zone(settings.time_zone):
        yield _setting("time_zone", settings.time_zone, "an IANA name as Europe/Vienna")
    yield from _check_called(settings.on_status)
    for name, amount in settings.budget.items():
        if not _number(amount) or amount < 0:
            yield _setting(f"budget.{name}", amount, "an amount of 0 or more")


def _check_called(on_status: Mapping[str, str]) -> Iterator[Problem]:
    for status, target in on_status.items():
        place = f"settings.on_status.{status}"
        if status not in CALLING_STATUSES:
            near = near_names(status, CALLING_STATUSES)
            yield Problem(
                f"No run is {status!r:.80} so that a workflow could be started because of it.{near}",
                place=place,
                code="bad_setting",
            )
        elif not _is_there(target):
            yield Problem(
                f"{target!r:.200}, which is to be started when a run is {status}, can't be found here.",
                Severity.WARNING,
                place=place,
                hint="Name a workflow file, `module:flow` of a module that can be imported, or a Flow.",
                code="unknown_target",
            )


def _is_there(target: str) -> bool:
    """Whether there seems to be a workflow of that name; modules are looked for and not imported."""
    module, colon, name = target.partition(":")
    if module == "flow" and colon:  # only the process that made it knows it
        return True
    if colon and name.isidentifier() and all(part.isidentifier() for part in module.split(".")):
        top = module.split(".", 1)[0]
        try:
            return top in sys.modules or find_spec(top) is not None
        except (ImportError, ValueError):
            return False
    try:
        return bool(target) and Path(target).is_file()
    except (OSError, ValueError):
        return False


def _check_watch(watch: Watch) -> Iterator[Problem]:
    for name in watch.__struct_fields__:
        most = getattr(watch, name)
        if most is not None and not _positive(most):
            yield _setting(f"watch.{name}", most, "a number above 0, or None")


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a LookupError
        return False
    return True


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _bad(node: Node, place: str, found: object, wanted: str, near: str = "") -> Problem:
    return Problem(
        f"{place} of {node.id} is {found!r:.80}; it must be {wanted}.{near}",
        node=node.id,
        place=place,
        code="bad_policy",
    )


def _setting(place: str, found: object, wanted: str) -> Problem:
    return Problem(
        f"The setting {place} is {found!r:.80}; it must be {wanted}.", place=f"settings.{place}", code="bad_setting"
    )
