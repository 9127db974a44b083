"""How a command leaves a run: what it prints of it, and with which exit status."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

from flownb.cli.app import say
from flownb.cli.look import duration, status_text
from flownb.model.status import PauseReason, RunStatus
from flownb.model.times import iso
from flownb.services.harmless import block, line
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.model.state import RunState
    from flownb.store.contract import RunRow, Store

COMPLETED: Final = 0
FAILED: Final = 1
PAUSED: Final = 75
STOPPED: Final = 130
_MOST_VALUE: Final = 2_000
_MOST_TRACE: Final = 4_000


def exit_status(status: str, *, stopped: bool = False) -> int:
    """The exit status for a run in this status; `stopped` by Ctrl-C counts for one that has not ended."""
    if status == RunStatus.COMPLETED:
        return COMPLETED
    if RunStatus(status).ended:
        return FAILED
    return STOPPED if stopped else PAUSED


def tell_outcome(
    store: Store, run_id: str, print_document: Callable[[str], None], *, as_json: bool, place: str | None = None
) -> None:
    """Print how a run stands: with `as_json` the one document, and in any case what went wrong as a sentence.

    Args:
        store: where it is.
        run_id: which.
        print_document: prints to the real stdout.
        as_json: JSON and nothing else on stdout.
        place: the `--store` that was given, for the line that continues it.
    """
    from flownb.run.handles.describe import describe_state
    from flownb.run.recovery.recover import read_state, require_row

    row = require_row(store, run_id)
    state = read_state(store, row)
    if as_json:
        print_document(json.dumps(describe_state(row, state, store), indent=2))
    else:
        for text in outcome_lines(row, state):
            print_document(text)
    for text in sentences(store, row, state, place):
        say(text)


def outcome_lines(row: RunRow, state: RunState) -> Iterator[str]:
    """The outcome for people: one line about the run, then a line for each result."""
    taken = duration(state.started_at, state.finished_at)
    after = f"  {taken}" if taken != "-" else ""
    yield f"{status_text(state.status)}{why(row)}  {line(row.workflow, 100)}  {row.id}{after}"
    for name, plain in results(row, state).items():
        yield f"{line(name, 60)}: {line(values.preview(plain, _MOST_VALUE), _MOST_VALUE)}"


def results(row: RunRow, state: RunState) -> dict[str, Any]:
    """What came of a run: a notebook's results if it gave any, else the outputs by node."""
    return dict(state.results or ({} if row.kind == "notebook" and not state.topology.nodes else state.outputs()))


def why(row: RunRow) -> str:
    """The pause reason, in parentheses."""
    return f" ({row.pause_reason})" if row.pause_reason else ""


def sentences(store: Store, row: RunRow, state: RunState, place: str | None = None) -> Iterator[str]:
    """What is to be said about a run that did not simply complete: why, and the line that continues it."""
    go_on = f"`{resume_line(row.id, place)}`"
    if state.status is RunStatus.PAUSED:
        yield from _asked(store, row, state, place)
        reason = block(state.message)
        if state.pause_reason is PauseReason.IN_DOUBT:
            yield f"{reason} Then {go_on}."
        elif state.pause_reason is PauseReason.HUMAN and state.approvals:
            yield f"Run {row.id} is paused until that is answered; then {go_on} goes on."
        else:
            yield reason if f"resume {row.id}" in reason else f"{reason} {go_on} goes on with it.".strip()
    elif state.status is RunStatus.FAILED:
        error = state.error
        where = f" at {line(state.error_node, 100)}" if state.error_node else ""
        what = error.text if error is not None else "nothing is recorded of why"
        trace = f"\n{block(_tail(error.traceback))}" if error is not None and error.traceback else ""
        yield f"{line(row.workflow, 100)} failed{where}: {block(what)}{trace}"
        yield f"{go_on} starts again what failed; what was completed stays."
    elif state.status is RunStatus.CANCELLED:
        yield f"Run {row.id} was cancelled{f' by {line(state.message, 100)}' if state.message else ''}."
    elif state.status is RunStatus.COMPLETED:
        if state.message:
            yield block(state.message)
    elif not is_alive(store, row.id):
        yield f"Run {row.id} is unfinished and nobody is at work on it; {go_on} goes on."


def _asked(store: Store, row: RunRow, state: RunState, place: str | None) -> Iterator[str]:
    """The questions that wait for an answer, what is shown beside them, and the lines that answer."""
    from flownb.run.handles.question import answer_lines, question_lines

    where = f" --store {shlex.quote(place)}" if place else ""
    runs = [row.id, *(each.id for each in store.rows(group=row.id) if each.id != row.id), *state.children.values()]
    for each in [asked for run in runs for asked in store.approvals(run=run)]:
        until = f" (until {iso(each.expires_at)})" if each.expires_at else ""
        _, *rest = question_lines(each)
        lines = [f"{line(each.node, 60)} asks{until}: {block(each.request.question)}", *rest]
        if each.kind != PauseReason.IN_DOUBT:
            lines += [f"      {command}" for command in answer_lines(each.request, where)]
        yield "\n".join(lines)


def _tail(text: str) -> str:
    return text.rstrip() if len(text) <= _MOST_TRACE else f"…{text[-_MOST_TRACE:].rstrip()}"


def is_alive(store: Store, run_id: str) -> bool:
    """Whether a living process has the run."""
    owner = store.owner_of(run_id)
    return owner is not None and owner[1]


def resume_line(run_id: str, place: str | None) -> str:
    """The line that goes on with a run."""
    return f"flownb resume {run_id}{f' --store {shlex.quote(place)}' if place else ''}"
