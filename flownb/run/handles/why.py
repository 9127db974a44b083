"""Why a node is as it is, in a sentence: what it waits for, why it ran, was skipped, or did not run and has a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.model.state import STATUSES
from flownb.model.status import NodeStatus
from flownb.model.times import iso
from flownb.store import values

if TYPE_CHECKING:
    from flownb.model.state import RunState

#: What took the place of running a node, by the word in its event.
_SOURCES: Final = {
    "cache": "it did not run: a result of the same code, config and inputs was in the cache",
    "pinned": "it did not run: its output is pinned",
    "reused": "it did not run: its output is that of an earlier run, and nothing that it depends on has changed",
    "disabled": "it is disabled: what came in was passed on, and it did not run",
    "fallback": "it failed, and its fallback is its output",
    "set": "it did not run: its output was set when the run was forked",
}
_WAITS: Final = {
    "human": "a person's answer",
    "timer": "its time",
    "event": "an event",
    "in_doubt": "a decision: it was in flight when its process died, and may have had effects outside",
    "error": "somebody to look at its failure",
}


def why(state: RunState, number: int) -> str:
    """The sentence, without a capital and a full stop, so that it can stand behind a colon."""
    if number in state.reasons:
        reason = state.reasons[number]
        return f"{reason.message} ({reason.group} {reason.edge})" if reason.edge else reason.message
    match STATUSES[state.node_status[number]]:
        case NodeStatus.COMPLETED:
            text = _completed(state, number)
        case NodeStatus.FAILED:
            failure = state.failures[number]
            text = f"{failure.error.type}: {failure.error.message}{_tries(state, number)}{_handled(state, number)}"
        case NodeStatus.WAITING if number in state.retries:
            failed = state.retries[number].error
            text = f"it failed and waits for somebody to look: {failed.type}: {failed.message}"
        case NodeStatus.WAITING:
            text = _waiting(state, number)
        case NodeStatus.RUNNING if number in state.retries:
            again = state.retries[number]
            text = (
                f"attempt {again.attempt} failed ({again.error.type}: {again.error.message}), and another follows "
                f"after {again.delay:g} s"
            )
        case NodeStatus.RUNNING:
            text = f"its inputs were there, and it runs{_tries(state, number)}"
        case _:
            text = _pending(state, number)
    return text


def _completed(state: RunState, number: int) -> str:
    source = state.sources.get(number)
    if source is not None:
        text = _SOURCES.get(source, f"it did not run: its value came from: {source}")
    elif _was_before_the_fork(state, number):
        forked = state.forked_from
        assert forked is not None
        text = (
            f"it ran in run {forked.source}, from which this one was forked, and nothing that it depends on was changed"
        )
    else:
        text = f"it ran, and its result is committed{_tries(state, number)}"
    if number in state.remarks:
        text = f"{text}; {state.remarks[number]}"
    if values.is_transient(plain := state.output[number]):
        reason = plain["$transient"].get("reason", "")
        text = f"{text}; it is transient, known in the memory of its process only: {reason}"
    return text


def _was_before_the_fork(state: RunState, number: int) -> bool:
    return state.forked_from is not None and 0 < state.node_finished[number] < state.forked_from.at


def _handled(state: RunState, number: int) -> str:
    failed = state.failures[number]
    if failed.port:
        return "; its error port fired"
    return "; the run goes on without it" if failed.handled else ""


def _waiting(state: RunState, number: int) -> str:
    wait = state.waits[number]
    what = _WAITS.get(wait.waits_for, wait.waits_for)
    named = f" {wait.request!r}" if wait.waits_for == "event" and wait.request else ""
    until = f", until {iso(wait.until)} at the latest" if wait.until is not None and wait.waits_for != "timer" else ""
    due = f", at {iso(wait.until)}" if wait.until is not None and wait.waits_for == "timer" else ""
    return f"it waits for {what}{named}{until}{due}"


def _pending(state: RunState, number: int) -> str:
    sources: Any = {state.topology.paths[wire.source] for wire in state.topology.entering[number]}
    missing = sorted(path for path in sources if not state.status_of(path).ended)
    if missing:
        return f"it waits for {', '.join(missing)}"
    if state.topology.paths[number] in state.breakpoints:
        return "the run halts before it: it has a breakpoint"
    return "it has not started" if not sources else "what it waited for is there, and it has not started"


def _tries(state: RunState, number: int) -> str:
    return f" (attempt {state.attempts[number]})" if state.attempts[number] > 1 else ""
