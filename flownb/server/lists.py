"""What waits for a person, and what a run has done: lists, each line a way to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.errors import FlownbError
from flownb.graph.drawing.words import duration
from flownb.model.state import STATUSES
from flownb.model.status import PauseReason, RunStatus
from flownb.run.handles.why import why
from flownb.run.recovery.recover import read_state
from flownb.server.frame import back_to, page, sentences
from flownb.server.markup import Html, el, icon, many
from flownb.server.moments import ago, length, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.model.state import RunState
    from flownb.server.doors import Visit
    from flownb.server.frame import Page
    from flownb.store.contract import RunRow
    from flownb.store.requests import ApprovalRow

#: Questions of one page of the list, answers beneath it, and nodes of a run.
MOST: Final = 50
_MOST_DECIDED: Final = 10
_MOST_NODES: Final = 300
_SOON: Final = 3_600
#: What runs and nodes wait for.
_WAITS: Final = {
    "human": "It waits for somebody's answer.",
    "in_doubt": "It waits for somebody who knows what it did.",
    "timer": "It waits for its time.",
    "event": "It waits for something to happen.",
    "manual": "Somebody paused it.",
    "breakpoint": "Somebody steps through it.",
    "error": "It waits for somebody who mends it.",
}


def inbox(visit: Visit, start: int = 0) -> Page:
    """All that waits for a person, the oldest first, and what was decided last.

    Args:
        visit: who looks.
        start: how many to pass over.
    """
    everything = visit.requests(pending=False)
    rows = [row for row in everything if row.status == "pending"]
    here = rows[start : start + MOST]
    count = f"{len(rows):,} wait{'s' if len(rows) == 1 else ''} for you" if rows else "nothing waits for you"
    top = el("div", el("h1", "Questions"), el("span", count, class_="sec"), class_="top")
    if not here:
        sentence = "Whatever is asked of you shows here. This page is good for as long as its link is."
        body = el("div", icon("completed"), el("p", sentence), class_="empty")
    else:
        body = _questions(visit, here, visit.token)
    note = f"You are {visit.name}. Opening this page decided nothing." if visit.name else ""
    return page("Questions", top, body, _pages(visit, start, len(rows)), _decided(visit, everything), note=note)


def _questions(visit: Visit, rows: Sequence[ApprovalRow], base: str) -> Html:
    return el("ul", *(_question(visit, row, base) for row in rows), class_="rows")


def _question(visit: Visit, row: ApprovalRow, base: str) -> Html:
    left, soon = "", False
    if row.status != "pending":
        left = row.status if row.status in ("expired", "cancelled") else f"{row.port} by {row.decided_by}"
    elif row.expires_at is not None:
        left, soon = length(row.expires_at - visit.now), row.expires_at - visit.now < _SOON
    world = row.kind == PauseReason.IN_DOUBT
    line = el(
        "a",
        el("span", icon("globe" if world else "person"), class_=f"fam{' f-world' if world else ''}"),
        el("span", row.request.question, class_="q"),
        el("span", left, class_=f"when num{' soon' if soon else ''}"),
        el("span", f"{row.workflow}, {row.node}, {ago(row.created_at, visit.now)}", class_="sub"),
        href=f"{base}/q/{row.run}/{row.id}",
        class_="row",
        data_approval=row.id,
        data_status=row.status,
    )
    return el("li", line)


def _pages(visit: Visit, start: int, count: int) -> Html | None:
    before = el("a", "Earlier ones", href=f"{visit.token}?from={max(0, start - MOST)}") if start else None
    rest = count - start - MOST
    after = el("a", f"{rest:,} more", href=f"{visit.token}?from={start + MOST}") if rest > 0 else None
    return el("div", before, after, class_="more") if before or after else None


def _decided(visit: Visit, rows: Sequence[ApprovalRow]) -> Html | None:
    ended = [row for row in rows if row.status != "pending"]
    last = sorted(ended, key=lambda row: row.decided_at or 0)[-_MOST_DECIDED:][::-1]
    if not last:
        return None
    return many([el("div", el("h2", "Decided last"), class_="top"), _questions(visit, last, visit.token)])


# --- a run ------------------------------------------------------------------------------------------------------------


def course(visit: Visit, row: RunRow, *, base: str, back: str = "") -> Page:
    """What a run has done so far: a line a node, with how it stands, how long it took, and why.

    What nodes returned is not told: whoever may answer need not know it.

    Args:
        visit: who looks.
        row: the run.
        base: where the pages behind the link are, from the address of this one.
        back: where the list is that it was opened from.
    """
    try:
        state = read_state(visit.store, row)
    except FlownbError:
        steps: Html | None = el("p", "The record of this run can't be read here.")
    else:
        steps = _steps(state)
    waiting = [each for each in visit.requests() if each.run == row.id]
    began = f"Began {moment(row.started_at or row.created_at, visit.now)}."
    ended = f"Ended {moment(row.finished_at, visit.now)}." if row.finished_at and RunStatus(row.status).ended else ""
    head = el("div", back_to(back), el("h1", row.workflow), class_="pad")
    status = sentences(f"Run {row.id} is {row.status}.", _WAITS.get(row.pause_reason or "", ""), began, ended)
    asked = many([el("div", el("h2", "Waits for an answer"), class_="top"), _questions(visit, waiting, base)])
    return page(
        f"{row.workflow}, run {row.id}",
        head,
        asked if waiting else None,
        el("div", el("p", status, class_="sec"), steps, class_="pad"),
    )


def _steps(state: RunState) -> Html:
    paths = state.topology.paths
    started = [number for number in range(len(paths)) if state.node_started[number]]
    order = sorted(started, key=lambda number: state.node_started[number] or 0.0)
    order += [number for number in range(len(paths)) if not state.node_started[number]]
    shown = [_step(state, number) for number in order[:_MOST_NODES]]
    more = el("li", el("span", f"and {len(order) - _MOST_NODES:,} nodes more")) if len(order) > _MOST_NODES else None
    return el("ol", *shown, more, class_="steps")


def _step(state: RunState, number: int) -> Html:
    status = str(STATUSES[state.node_status[number]])
    begun, done = state.node_started[number], state.node_finished[number]
    took = duration(done - begun) if begun and done else ""
    reason = why(state, number) if status in ("skipped", "failed", "cancelled") else ""
    wait = state.waits.get(number)
    if wait is not None and status == "waiting":
        reason = _WAITS.get(str(wait.waits_for), "")
    return el(
        "li",
        el("span", icon(status), class_=f"s-{status}"),
        el("span", state.topology.paths[number], el("span", f" {status}", class_="sec small"), class_="what"),
        el("span", took, class_="sec num"),
        el("span", str(reason), class_="why") if reason else None,
        data_flownb_node=state.topology.paths[number],
        data_status=status,
    )
