"""How a node's process died before it had said anything, in a sentence."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import NodeDied
from flownb.run.child.keeper import MOST_PROCESSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.workflow import Limits

_MEGABYTE: Final = 1024 * 1024


def death(path: str, limits: Limits | None, report: Mapping[str, Any]) -> NodeDied:
    """The error of a node whose process ended by itself or was killed.

    Args:
        path: the node.
        limits: what it may use.
        report: the keeper's: `status` as `wait` gives it, `broke` (the limit that was), `peak` in bytes.
    """
    status, broke = report.get("status"), report.get("broke", "")
    peak = f"at most {max(1, report.get('peak', 0) // _MEGABYTE):,} MB were in use"
    number = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None
    limit = ""
    if broke == "memory":
        assert limits is not None
        limit = "memory_mb"
        said = f"used more than the {limits.memory_mb:,} MB of its limits.memory_mb and was ended ({peak})"
    elif broke == "cpu" or number == signal.SIGXCPU:
        limit = "cpu_seconds"
        seconds = limits.cpu_seconds if limits is not None else None
        said = (
            f"used more than the {seconds:g} s of CPU of its limits.cpu_seconds and was ended"
            if seconds
            else "used more CPU time than its system allows (SIGXCPU)"
        )
    elif broke == "processes":
        limit = "processes"
        said = f"had more than {MOST_PROCESSES} processes at once and was ended with all of them"
    elif number == signal.SIGKILL:
        said = f"was killed from outside (SIGKILL), as the system does when memory runs out ({peak})"
    elif number:
        said = f"was ended by {_name(number)} ({peak})"
    elif code is not None:
        said = f"ended its process with exit status {code} before it returned, as os._exit({code}) does"
    else:
        said = "lost its process: nothing is known of its end"
    return NodeDied(f"{path} {said}.", node=path, limit=limit, signal=number or None, exit_status=code)


def _name(number: int) -> str:
    try:
        each = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    described = signal.strsignal(number)
    return f"{each.name} ({described.lower()})" if described else each.name
