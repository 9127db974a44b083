"""Answers to what a run asks people: given by one compare-and-swap, written by whoever has the run.

A node that was in flight when its process died, and whose `on_crash` is `ask`, is *in doubt*: the run asks whether it
is to run again (`rerun`), had done its work (`completed`, with its value as data), or failed (`fail`).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import Conflict, ExpressionError, InvalidInput, NotFound, near_names
from flownb.graph.form_source import as_data
from flownb.graph.nodetype import Output
from flownb.model import events as ev
from flownb.model.journal import JsonCodec
from flownb.model.state import WAITING
from flownb.model.status import ApprovalStatus, PauseReason
from flownb.run.aftermath import failed_for_good
from flownb.run.waiting.judging import Answer, check_port, checked_data, expiry, judge, refused
from flownb.run.waiting.people import approval_id, go_on
from flownb.services import masking
from flownb.services.identity import who
from flownb.services.settings import settings_of
from flownb.store import values

if TYPE_CHECKING:
    from flownb.errors import FlownbError
    from flownb.model.state import RunState
    from flownb.run.executor import Execution
    from flownb.services.identity import Who
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow, AuditEntry

RERUN: Final = "rerun"
COMPLETED: Final = "completed"
FAIL: Final = "fail"
#: The answers to a node in doubt.
DOUBT_PORTS: Final = (RERUN, COMPLETED, FAIL)
#: Kinds of request without a usual answer.
_SEVERAL: Final = ("decision", PauseReason.IN_DOUBT)


def ask_about_doubt(state: RunState, path: str, at: float, why: str = "") -> list[ev.Event]:
    """The question about a node that may not simply run again, and the node's waiting for the answer.

    By default it was in flight when its process died; `why` says what else brought it in doubt.
    """
    number = state.topology.index[path]
    approval = approval_id(state.run_id, path, state.seq)
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


def answered(store: Store, state: RunState, rows: list[ApprovalRow] | None = None) -> list[ApprovalRow]:
    """The requests of a run that have an answer, or have expired, which its journal does not have yet."""
    asked = {name for name, each in state.approvals.items() if each["status"] == ApprovalStatus.PENDING}
    if not asked:
        return []
    if rows is None:
        rows = store.approvals(run=state.run_id, pending=False)
    return [row for row in rows if row.id in asked and row.decision is not None]


def decide(
    store: Store,
    run: str,
    approval: str,
    *,
    port: str | None,
    at: float,
    claim: str = "",
    data: Any = None,
    comment: str = "",
    person: Who | None = None,
) -> ApprovalRow:
    """Give a request an answer; where it is the last that was needed, whoever has the run goes on with it.

    Args:
        store: where it is.
        run: the run that asks.
        approval: the request's id.
        port: which answer; None for the usual one.
        at: seconds since 1970.
        claim: the name that the one who answers gives; their real identity is recorded in any case.
        data: what comes with the answer: of a form plain data, of a node in doubt any value that can be stored.
        comment: a word for the record.
        person: who answers, where that is known by other means than by this process, as by a signed link.

    Returns the request as it stands then; it may wait for more votes.

    Raises:
        NotFound: the run has no such request.
        InvalidInput: the request has no such port, the data don't fit its form, or this person may not answer.
        Conflict: it was answered before, by whom and when; or nobody waits for it any more.
    """
    person = person or who(settings_of(store), claim)
    stored = _Given(store, data) if data is None else _Given(store, data, *_looked_at(store, run, approval, port))
    errors: list[FlownbError] = []

    def decided(now: ApprovalRow) -> list[ev.Event]:
        chosen, plain = port or _usual(now), None
        try:
            check_port(now, chosen)
            plain = stored.plain(now, chosen)
        except InvalidInput as error:
            if now.status == ApprovalStatus.PENDING:
                errors.append(error)
                return masked([refused(now, Answer(port=chosen, who=person, at=at), str(error))])
            # whoever comes too late is told that, and not what else is wrong
        events, why_not = judge(now, Answer(port=chosen, who=person, at=at, data=plain, comment=comment))
        if why_not is not None:
            errors.append(why_not)
        return masked(events)

    try:
        after = store.answer(run, approval, decided)
    except NotFound:
        raise _no_such(store, run, approval) from None
    if errors:
        raise errors[-1]
    return after


def masked(events: list[ev.Event]) -> list[ev.Event]:
    """What people say as it may be written: without what is known to be secret here."""
    known = masking.known
    return events if known is None else [known.struct(event) for event in events]


class _Given:
    """What comes with an answer; what may be large is stored before the transaction that answers."""

    def __init__(self, store: Store, data: Any, row: ApprovalRow | None = None, port: str = "") -> None:
        self._store, self._data = store, data
        self._found: Any = None
        self._fault: InvalidInput | None = None
        self._is_looked_at = row is not None
        if row is not None:
            try:
                self._found = _plain(store, row, port, data)
            except InvalidInput as error:
                self._fault = error

    def plain(self, row: ApprovalRow, port: str) -> Any:
        """Its stored form.

        Raises:
            InvalidInput: it does not fit the form, or can't be stored.
        """
        if not self._is_looked_at:
            return _plain(self._store, row, port, self._data)
        if self._fault is not None:
            raise self._fault
        return self._found


def _looked_at(store: Store, run: str, approval: str, port: str | None) -> tuple[ApprovalRow, str]:
    """A request, and the answer that is given."""
    row = next((each for each in store.approvals(run=run, pending=False) if each.id == approval), None)
    if row is None:
        raise _no_such(store, run, approval)
    return row, port or _usual(row)


def _no_such(store: Store, run: str, approval: str) -> NotFound:
    known = [row.id for row in store.approvals(run=run, pending=False)]
    return NotFound(f"Run {run} has no request {approval!r}.{near_names(approval, known)}", run=run)


def _usual(row: ApprovalRow) -> str:
    """The answer that a plain yes is.

    Raises:
        InvalidInput: it has several answers, none of which is the usual one.
    """
    request = row.request
    if request.kind in _SEVERAL:
        ports = "|".join(request.ports)
        raise InvalidInput(f"{request.node} has several answers; say which: {ports}.", name="port")
    return request.ports[0]


def _plain(store: Store, row: ApprovalRow, port: str, data: Any) -> Any:
    if row.kind != PauseReason.IN_DOUBT:
        data = checked_data(row.request, port, as_data(data))
    stored = values.store(data, store.artifacts)
    if stored.transient:
        raise InvalidInput(f"The data of an answer are journaled; a {type(data).__name__} can't be.", name="data")
    return stored.plain


# --- time -------------------------------------------------------------------------------------------------------------


def expire(store: Store, run: str, approval: str, now: float) -> bool:
    """End a request whose time is over, unless an answer was faster; whether it has ended now."""

    def over(row: ApprovalRow) -> list[ev.Event]:
        late = row.status == ApprovalStatus.PENDING and row.expires_at is not None and row.expires_at <= now
        return [expiry(row, now)] if late else []

    return store.answer(run, approval, over).status == ApprovalStatus.EXPIRED


def expire_due(execution: Execution) -> bool:
    """End the requests of a run at work whose time is over; whether there were any."""
    now, found = execution.engine.now(), False
    for approval, asked in execution.state.approvals.items():
        until = asked["request"].expires_at
        if asked["status"] == ApprovalStatus.PENDING and until is not None and until <= now:
            found = True
            with contextlib.suppress(NotFound):  # it is not committed yet
                expire(execution.store, execution.run_id, approval, now)
    return found


def late(execution: Execution) -> bool:
    """Whether a run that is about to pause goes on instead, because the time of a request is over this moment."""
    state, now = execution.state, execution.engine.now()
    if not state.approvals or not any(wait.until is not None and wait.until <= now for wait in state.waits.values()):
        return False
    expire_due(execution)
    take(execution)
    return bool(execution.starts)


def look_after(store: Store, now: float) -> None:
    """End every request of a store whose time is over, and note the reminders that are due: whoever looks does so."""
    for row in store.due_approvals(now):
        with contextlib.suppress(NotFound):  # its run was deleted this moment
            expire(store, row.run, row.id, now)


def remind(store: Store, row: ApprovalRow, now: float) -> bool:
    """Note that a request is due, where the time for a reminder has come and no channel sends one."""
    request = row.request
    if row.notices:
        return False
    if request.due_at is None or request.due_at > now or row.status != ApprovalStatus.PENDING:
        return False
    reminders = [event.at for event in _notes(store, row) if isinstance(event, ev.ApprovalReminded)]
    if reminders and (not request.remind or max(reminders) + request.remind > now):
        return False
    note = ev.ApprovalReminded(at=now, node=row.node, approval=row.id)
    store.answer(row.run, row.id, lambda _: [note])
    return True


def _notes(store: Store, row: ApprovalRow) -> list[ev.Event]:
    known = [event for _, event in audited(store, row.run) if event is not None]
    return [event for event in known if getattr(event, "approval", "") == row.id]


def audited(store: Store, run: str) -> list[tuple[AuditEntry, ev.Event | None]]:
    """The audit log of a run, with the event of each entry that can be read."""
    codec = getattr(store, "codec", None) or JsonCodec()
    found: list[tuple[AuditEntry, ev.Event | None]] = []
    for entry in store.audit(run):
        try:
            found.append((entry, codec.decode(entry.body)))
        except ValueError:  # msgspec's errors are
            found.append((entry, None))
    return found


def settle_doubt(store: Store, state: RunState, path: str, port: str, *, at: float, claim: str = "") -> bool:
    """Answer for a node, if it is in doubt and was asked about; False where it is not.

    Somebody else's answer that came first stands, and is no error: the doubt is settled.
    """
    number = state.topology.index.get(path)
    wait = state.waits.get(number) if number is not None else None
    if wait is None or wait.waits_for != PauseReason.IN_DOUBT or wait.request not in state.approvals:
        return False
    try:
        decide(store, state.run_id, wait.request, port=port, at=at, claim=claim)
    except Conflict:
        return True
    return True


# --- by whoever has the run -------------------------------------------------------------------------------------------


def take(execution: Execution, rows: list[ApprovalRow] | None = None) -> None:
    """Write the answers that have come, and let their nodes go on; on the engine's loop.

    Args:
        execution: the run at work.
        rows: its requests, where somebody has read them; an answer that comes after that is a command.
    """
    state = execution.state
    for row in answered(execution.store, state, rows):
        decision = row.decision
        assert decision is not None
        known = state.approvals[row.id]["votes"]
        for vote in row.votes:
            if vote not in known:
                execution.record(vote)
        execution.record(decision)
        number = state.topology.index.get(row.node)
        if number is None or state.node_status[number] != WAITING:
            continue
        if row.kind == PauseReason.IN_DOUBT and isinstance(decision, ev.ApprovalDecided):
            _settle(execution, number, decision)
        elif number in state.delivered:
            go_on(execution, number)


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
