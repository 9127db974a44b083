"""Answers to what a run asks people: given by one compare-and-swap, written by whoever has the run.

A node that was in flight when its process died, and whose `on_crash` is `ask`, is *in doubt*: the run asks whether it
is to run again (`rerun`), had done its work (`completed`, with its value as data), or failed (`fail`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.errors import Conflict, ExpressionError, InvalidInput, NotFound, near_names
from flownb.graph.nodetype import Output
from flownb.model import events as ev
from flownb.model.fingerprint import digest_of
from flownb.model.state import WAITING
from flownb.model.status import ApprovalStatus, PauseReason
from flownb.run.aftermath import failed_for_good

if TYPE_CHECKING:
    from flownb.model.state import RunState
    from flownb.run.executor import Execution
    from flownb.store.contract import ApprovalRow, Store

RERUN: Final = "rerun"
COMPLETED: Final = "completed"
FAIL: Final = "fail"
#: What `skip` answers; it is no port of the question.
SKIP: Final = "skip"
#: The answers to a node in doubt.
DOUBT_PORTS: Final = (RERUN, COMPLETED, FAIL)
_ID_LENGTH: Final = 12


def ask_about_doubt(state: RunState, path: str, at: float, why: str = "") -> list[ev.Event]:
    """The question about a node that may not simply run again, and the node's waiting for the answer.

    By default it was in flight when its process died; `why` says what else brought it in doubt.
    """
    number = state.topology.index[path]
    # Of one pause only, and the same for whoever recovers the run from the same journal.
    approval = digest_of([state.run_id, path, state.seq])[:_ID_LENGTH]
    what = why or _in_flight(path, state.attempts[number])
    answers = "Run it again (rerun), take it as done (completed, with its value as data), or as failed (fail)?"
    question = f"{what} {answers}"
    return [
        ev.ApprovalRequested(
            at=at, node=path, approval=approval, kind=PauseReason.IN_DOUBT, question=question, ports=DOUBT_PORTS
        ),
        ev.NodeWaiting(at=at, node=path, waits_for=PauseReason.IN_DOUBT, request=approval),
    ]


def _in_flight(path: str, attempt: int) -> str:
    return f"{path} was in flight (attempt {attempt}) when its process died, and may have had effects outside."


def answered(store: Store, state: RunState) -> list[ApprovalRow]:
    """The requests of a run that have an answer which its journal does not have yet."""
    asked = {name for name, each in state.approvals.items() if each["status"] == ApprovalStatus.PENDING}
    if not asked:
        return []
    rows = store.approvals(run=state.run_id, pending=False)
    return [row for row in rows if row.id in asked and row.decision is not None]


def decide(
    store: Store,
    run: str,
    approval: str,
    *,
    port: str,
    at: float,
    by: str,
    data: Any = None,
    comment: str = "",
) -> ApprovalRow:
    """Give a request its one answer; whoever has the run, or takes it up, goes on with it.

    Args:
        store: where it is.
        run: the run that asks.
        approval: the request's id.
        port: which answer.
        at: seconds since 1970.
        by: who answers.
        data: what comes with the answer, in plain form.
        comment: a word for the record.

    Raises:
        NotFound: the run has no such request.
        InvalidInput: the request has no such port.
        Conflict: it was answered before, by whom and when; or nobody waits for it any more.
    """
    rows = {row.id: row for row in store.approvals(run=run, pending=False)}
    if approval not in rows:
        raise NotFound(f"Run {run} has no request {approval!r}.{near_names(approval, rows)}", run=run)
    row = rows[approval]
    ports = row.request.ports
    if port not in ports and not (port == SKIP and row.kind == PauseReason.IN_DOUBT):
        raise InvalidInput(f"{row.node} can't be answered with {port!r}.{near_names(port, ports)}", name="port")
    decision = ev.ApprovalDecided(at=at, node=row.node, approval=approval, by=by, port=port, data=data, comment=comment)
    return store.decide(run, decision)


def settle_doubt(store: Store, state: RunState, path: str, port: str, *, at: float, by: str) -> bool:
    """Answer for a node, if it is in doubt and was asked about; False where it is not.

    Somebody else's answer that came first stands, and is no error: the doubt is settled.
    """
    number = state.topology.index.get(path)
    wait = state.waits.get(number) if number is not None else None
    if wait is None or wait.waits_for != PauseReason.IN_DOUBT or wait.request not in state.approvals:
        return False
    try:
        decide(store, state.run_id, wait.request, port=port, at=at, by=by)
    except Conflict:
        return True
    return True


# --- by whoever has the run -------------------------------------------------------------------------------------------


def take(execution: Execution) -> None:
    """Write the answers that have come, and let their nodes go on; on the engine's loop."""
    for row in answered(execution.store, execution.state):
        decision = row.decision
        assert decision is not None
        execution.record(decision)
        number = execution.state.topology.index.get(row.node)
        if number is None or execution.state.node_status[number] != WAITING:
            continue
        if row.kind == PauseReason.IN_DOUBT:
            _settle(execution, number, decision)


def _settle(execution: Execution, number: int, decision: ev.ApprovalDecided) -> None:
    path, now = decision.node, execution.engine.now()
    said = f" ({decision.comment})" if decision.comment else ""
    match decision.port:
        case "rerun":
            execution.record(ev.RunResumed(at=now, reset=(path,), cause="decided"))
        case "completed":
            _complete(execution, number, decision)
        case "skip":
            reason = ev.Reason(group="command", message=f"skipped by {decision.by or 'a command'}{said}")
            execution.record(ev.NodeSkipped(at=now, node=path, reason=reason))
        case _:
            failure = ev.Failure(
                type="ProcessDied",
                message=f"The process died while {path} ran; {decision.by or 'somebody'} said that it failed{said}.",
                error_class="dependency",
            )
            failed_for_good(execution, execution.definition.body(execution.state.topology, number), failure)


def _complete(execution: Execution, number: int, decision: ev.ApprovalDecided) -> None:
    """The node had done its work: what came with the answer is its value."""
    output = Output(execution.values.decode(decision.data))
    try:
        verdicts = execution.values.verdicts(number, output) if number in execution.state.topology.wires else {}
    except ExpressionError as error:
        message = f"The condition of an edge that leaves {decision.node} can't be evaluated: {error}"
        failure = ev.Failure(type="ExpressionError", message=message, error_class="validation")
        failed_for_good(execution, execution.definition.body(execution.state.topology, number), failure)
        return
    execution.values.keep(number, output)
    execution.record(
        ev.NodeCompleted(
            at=execution.engine.now(), node=decision.node, output=decision.data, verdicts=verdicts, source="decided"
        )
    )
