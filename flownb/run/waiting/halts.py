"""Where a run halts before nodes: at breakpoints, and after each step of somebody who goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.state import PENDING
from flownb.model.status import PauseReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flownb.model.state import RunState
    from flownb.run.executor import Execution


class Halts:
    """Holds nodes that are ready; only runs that have breakpoints or are stepped through have one."""

    def __init__(self, state: RunState, steps: int | None = None) -> None:
        """Hold at the breakpoints of a run, or after so many nodes."""
        self._state = state
        self.steps = steps
        self._held: list[int] = []

    def let_through(self, starts: Sequence[int]) -> list[int]:
        """Those of the nodes that may start; the others are held."""
        through = []
        for number in starts:
            if self._may_start(number):
                through.append(number)
            else:
                self._held.append(number)
        return through

    def _may_start(self, number: int) -> bool:
        if number in self._state.blocks:
            return True  # a loop that was begun takes up its rounds, which are held themselves
        if self.steps is not None:
            self.steps -= 1
            return self.steps >= 0
        return number in self._state.passing or not has_breakpoint(self._state, number)

    @property
    def held(self) -> list[int]:
        """The nodes that would run now if nobody held them."""
        return [number for number in self._held if self._state.node_status[number] == PENDING]

    def release(self) -> None:
        """Let the held nodes be looked at again."""
        self._state.ready += self.held
        self._held = []

    def event(self, now: float) -> ev.RunPaused | None:
        """The pause that the held nodes make; None where there are none."""
        held = self.held
        if not held:
            return None
        paths = [self._state.topology.paths[number] for number in held]
        shown = ", ".join(paths[:10]) + (" …" if len(paths) > 10 else "")  # noqa: PLR2004  what a line has room for
        message = f"Stopped before {shown}; run.step() runs one node, run.resume() goes on."
        return ev.RunPaused(at=now, reason=PauseReason.BREAKPOINT, message=message)


def has_breakpoint(state: RunState, number: int) -> bool:
    """Whether there is one at the node, or inside a loop at the node that it is an instance of."""
    points = state.breakpoints
    return state.topology.paths[number] in points or state.topology.nodes[number].id in points


def passed(state: RunState) -> tuple[str, ...]:
    """The nodes before which a run stands that goes on now: they don't hold it again."""
    if state.pause_reason is not PauseReason.BREAKPOINT:
        return ()
    ready = [number for number in state.ready if state.node_status[number] == PENDING]
    return tuple(state.topology.paths[number] for number in ready if has_breakpoint(state, number))


def halts_left(commands: Iterable[cmd.Command], at: float) -> list[ev.Event]:
    """What was said of breakpoints while a run rested, as events."""
    marks = [each for each in commands if isinstance(each, cmd.SetBreakpoint | cmd.ClearBreakpoint)]
    return [ev.BreakpointSet(at=at, node=each.node, on=isinstance(each, cmd.SetBreakpoint)) for each in marks]


def set_breakpoint(execution: Execution, node: str, *, on: bool) -> None:
    """Set or clear one on a live run."""
    execution.record(ev.BreakpointSet(at=execution.engine.now(), node=node, on=on))
    if execution.halts is None:
        execution.halts = Halts(execution.state)
    execution.halts.release()


def go_on(execution: Execution, *, steps: int | None = None) -> None:
    """Let a live run pass the breakpoints that it stands at, or run so many nodes."""
    halts = execution.halts
    if halts is None:
        halts = execution.halts = Halts(execution.state)
    halts.steps = steps
    execution.state.passing.update(halts.held)
    halts.release()
