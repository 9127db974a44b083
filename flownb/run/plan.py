"""What a run does next: a pure decision over its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flownb.model.events import Reason
from flownb.model.state import FAILED, PENDING, RUNNING, WAITING
from flownb.model.status import PauseReason, RunStatus
from flownb.model.times import iso

if TYPE_CHECKING:
    from flownb.model.events import ApprovalRequested
    from flownb.model.state import RunState


class Plan(msgspec.Struct, frozen=True, gc=False):
    """Nodes to start and nodes to skip, by number; `rest` stays ready for want of room."""

    starts: list[int]
    skips: list[tuple[int, Reason]]
    rest: list[int]


def plan(state: RunState, room: int) -> Plan:
    """Divide the ready nodes into those that start, those that are skipped and those that must wait for room.

    Args:
        state: the run; it is only read.
        room: how many nodes may start; 0 or less while a run is stopping or pausing (skips are decided all the same).
            Once it is taken, nothing further is decided.
    """
    ready = state.ready
    status = state.node_status
    starts: list[int] = []
    skips: list[tuple[int, Reason]] = []
    all_start = not state.dead and not state.join_counts
    if room > 0:
        # Whoever doesn't fit is not looked at: of 100,000 that are ready, each of many plans takes a few.
        for place, number in enumerate(ready):
            if status[number] != PENDING:
                continue
            reason = None if all_start else state.decide(number)
            if reason is not None:
                skips.append((number, reason))
            elif len(starts) < room:
                starts.append(number)
            else:
                return Plan(starts, skips, ready[place:])
        return Plan(starts, skips, [])
    if all_start:
        return Plan(starts, skips, ready)
    rest: list[int] = []
    for number in ready:
        if status[number] == PENDING:
            reason = state.decide(number)
            if reason is not None:
                skips.append((number, reason))
            else:
                rest.append(number)
    return Plan(starts, skips, rest)


class Verdict(msgspec.Struct, frozen=True):
    """How a run stands once nothing of it is in flight and nothing can start."""

    status: RunStatus
    pause_reason: PauseReason | None = None
    #: When the nearest timer is due.
    until: float | None = None


#: Which reason is named where nodes wait for different things: what needs a person first.
_URGENCY = (
    PauseReason.IN_DOUBT, PauseReason.HUMAN, PauseReason.ERROR, PauseReason.EVENT, PauseReason.TIMER,
    *(reason for reason in PauseReason if reason in ("manual", "breakpoint", "budget")),
)  # fmt: skip


def verdict(state: RunState) -> Verdict:
    """Completed, failed, or paused for what the waiting nodes wait for."""
    waiting = state.waits
    if waiting:
        reasons = {PauseReason(event.waits_for) for event in waiting.values()}
        reason = next(each for each in _URGENCY if each in reasons)
        due = [event.until for event in waiting.values() if event.until is not None]
        return Verdict(RunStatus.PAUSED, reason, min(due, default=None))
    if state.unhandled:
        return Verdict(RunStatus.FAILED)
    return Verdict(RunStatus.COMPLETED)


def unfinished(state: RunState) -> list[int]:
    """The nodes that must be ended when the run ends before them."""
    return [number for number, status in enumerate(state.node_status) if status in (PENDING, RUNNING, WAITING)]


def first_failure(state: RunState) -> int | None:
    """The unhandled failure that came first."""
    return min(
        (number for number in state.unhandled if state.node_status[number] == FAILED),
        key=lambda number: state.node_finished[number],
        default=None,
    )


def pause_message(state: RunState, result: Verdict) -> str:
    """What people are told about a run that waits: for what, and the way on."""
    if state.children and all(wait.request == state.children.get(number) for number, wait in state.waits.items()):
        beneath = ", ".join(
            f"{state.topology.paths[number]} for its run {wait.request} ({wait.waits_for})"
            for number, wait in sorted(state.waits.items())
        )
        return f"waits: {beneath}; `flownb show` says for what, and `flownb resume {state.run_id}` goes on then."
    return _own_message(state, result)


def _own_message(state: RunState, result: Verdict) -> str:
    names = ", ".join(state.topology.paths[number] for number in sorted(state.waits))
    if result.pause_reason is PauseReason.TIMER and result.until is not None:
        return f"{names}: waits until {iso(result.until)}; `flownb resume {state.run_id}` goes on then."
    if result.pause_reason is PauseReason.IN_DOUBT:
        asked = [state.waits[number].request for number in sorted(state.waits)]
        approval = next((each for each in asked if each in state.approvals), "ID")
        return (
            f"{names}: was in flight when its process died, and may have had effects outside. Look, then "
            f"`flownb approve {approval} --port rerun|completed|fail`, `flownb retry {state.run_id} NODE` or "
            f"`flownb skip {state.run_id} NODE`."
        )
    if result.pause_reason is PauseReason.HUMAN:
        return _questions(state)
    if result.pause_reason is PauseReason.ERROR:
        failed = [
            n for n in sorted(state.waits) if state.waits[n].waits_for == PauseReason.ERROR and n in state.retries
        ]
        told = "; ".join(f"{state.topology.paths[n]} failed: {state.retries[n].error.message}" for n in failed)
        return f"{told}. `flownb resume {state.run_id}` tries again, `flownb skip {state.run_id} NODE` goes on without."
    if result.pause_reason is PauseReason.EVENT:
        awaited = sorted({wait.request for wait in state.waits.values() if wait.waits_for == PauseReason.EVENT})
        known = " or ".join(map(repr, filter(None, awaited)))
        return f"{names}: waits for the event {known}; `flownb signal {state.run_id} NAME VALUE` brings it."
    return f"{names}: waits for {result.pause_reason}."


_MOST_QUESTIONS = 5


def _questions(state: RunState) -> str:
    """Who asks what, and the line that answers it."""
    waiting = [state.waits[number] for number in sorted(state.waits)]
    asked = [each for each in waiting if each.waits_for == PauseReason.HUMAN]
    told = []
    for each in asked[:_MOST_QUESTIONS]:
        kept = state.approvals.get(each.request)
        if kept is None:
            told.append(f"{each.node} waits for a person.")
            continue
        request = kept["request"]
        until = f" (until {iso(request.expires_at)})" if request.expires_at else ""
        told.append(f"{each.node} asks{until}: {request.question} {answer_line(request)}.")
    more = f" And {len(asked) - _MOST_QUESTIONS} more." if len(asked) > _MOST_QUESTIONS else ""
    return " ".join(told) + more


def answer_line(request: ApprovalRequested) -> str:
    """The command that answers a request."""
    approve = f"flownb approve {request.approval}"
    data = " --data '{…}'" if request.form is not None else ""
    if request.kind == "decision":
        return f"`{approve} --port {'|'.join(request.ports)}{data}` answers"
    reject = f" or `flownb reject {request.approval}`" if "rejected" in request.ports else ""
    other = [port for port in request.ports[1:] if port != "rejected"]
    rest = f" or `{approve} --port {'|'.join(other)}`" if other else ""
    return f"`{approve}{data}`{reject}{rest} answers"
