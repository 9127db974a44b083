"""The named points at which a test may kill the process or make a call fail.

In ordinary use `reach` costs one comparison. A test arms a point in its own process with `arm`, or in a child
through the variable `FLOWNB_FAULT=point[:nth]`, which kills the child with SIGKILL when the point is reached for the
n-th time: no handler, no buffer, no farewell.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Every point there is, with where it lies. A name that is not here can't be armed.
POINTS: Final[dict[str, str]] = {
    "run.created": "the run's row and pinned definition are committed, no event yet",
    "tick.before_commit": "events of a loop tick are decided, nothing is written",
    "tick.after_commit": "events of a loop tick are committed, nothing is published or started",
    "tick.published": "events are published, the nodes they start have not begun",
    "node.before_body": "a node is about to run its function",
    "node.after_body": "a node's function has returned, its result is not committed",
    "step.done": "a step inside a node was done, its result is not committed",
    "answer.before_commit": "an answer to a person's request is judged, nothing of it is written",
    "answer.committed": "an answer is committed, nobody was told",
    "runs.claimed": "runs that go on together are claimed, nothing of that is journaled",
    "notice.claimed": "a notice to a person is claimed, nothing is sent",
    "notice.sent": "a notice was sent, its outcome is not committed",
    "artifact.written": "an artifact is on disk, the event that names it is not committed",
    "run.ending": "what is undone and who is told before the end of a run is decided, and not committed",
    "run.compensating": "a compensation is about to be decided; what those before it did is committed or not",
    "run.before_finish": "all nodes are done, the end of the run is not committed",
    "run.after_finish": "the end of the run is committed, nobody was told",
    "notebook.cell_done": "a cell of a headless notebook has ended",
    "notebook.before_save": "the output notebook is about to be written",
    "notebook.finished": "the notebook's end is committed, the output notebook is not written",
}

#: What is armed. Where a call is too much, as for each node, this is looked at first: `if faults.armed: …`.
armed: dict[str, Callable[[], None]] = {}


def reach(point: str) -> None:
    """Say that the process is at `point`; does nothing unless a test armed it."""
    if armed and (action := armed.get(point)):
        action()


def arm(point: str, action: Callable[[], None]) -> None:
    """Run `action` whenever `point` is reached.

    Raises:
        ValueError: no such point.
    """
    if point not in POINTS:
        raise ValueError(f"There is no fault point {point!r}. There is: {', '.join(POINTS)}.")
    armed[point] = action


def disarm(point: str | None = None) -> None:
    """Forget an armed point, or every one."""
    if point is None:
        armed.clear()
    else:
        armed.pop(point, None)


def kill_at(point: str, nth: int = 1) -> None:
    """Arm `point` so that this process dies by SIGKILL the `nth` time it is reached."""
    left = nth

    def die() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    arm(point, die)


if _spec := os.environ.get("FLOWNB_FAULT"):
    _point, _, _nth = _spec.partition(":")
    kill_at(_point, int(_nth or 1))
