"""Whether an answer counts, and what comes of it: pure, so that it can be asked inside a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.errors import Conflict, FlownbError, InvalidInput, near_names
from flownb.graph.form import faults_in
from flownb.model import events as ev
from flownb.model.status import ApprovalStatus, PauseReason
from flownb.model.times import iso
from flownb.services.identity import Who
from flownb.store import refusals

if TYPE_CHECKING:
    from flownb.store.requests import ApprovalRow

#: What `skip` answers to a node in doubt; it is no port of the question.
SKIP: Final = "skip"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
#: Of an answer to a request with a form whose data may be changed as well: where the changed data are.
EDITED: Final = "edited"
_ACTIONS: Final = {"": "fail", EXPIRED: "expired", REJECTED: "auto_reject"}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says to a request."""

    port: str
    who: Who
    at: float
    #: In plain form.
    data: Any = None
    comment: str = ""


def votes_needed(request: ev.ApprovalRequested, port: str) -> int:
    """How many people must give an answer for it to count."""
    if port == REJECTED:
        return request.rejections_needed
    usual = request.kind == "decision" or port == request.ports[0]
    return request.approvals_needed if usual else 1


def check_port(row: ApprovalRow, port: str) -> None:
    """Refuse an answer that the request does not offer.

    Raises:
        InvalidInput: it has no such port.
    """
    ports = row.request.ports
    if port not in ports and not (port == SKIP and row.kind == PauseReason.IN_DOUBT):
        raise InvalidInput(f"{row.node} can't be answered with {port!r}.{near_names(port, ports)}", name="port")


def checked_data(request: ev.ApprovalRequested, port: str, data: Any) -> Any:
    """What came with an answer, held against the form; defaults are put in.

    Raises:
        InvalidInput: it does not fit; the message lists every fault with its field.
    """
    if request.kind == PauseReason.IN_DOUBT or (data is None and not _is_asked_for(request, port)):
        return data
    form, edits = request.form, request.edits
    rest = data
    faults: list[str] = []
    if form is not None and edits is not None and isinstance(data, dict) and EDITED in data:
        rest = {name: value for name, value in data.items() if name != EDITED}
        found, wrong = faults_in(edits, data[EDITED], EDITED)
        faults += wrong
        edited = {EDITED: found}
    else:
        edited = {}
    schema = edits if form is None else {"type": "object", **form}
    if schema is not None and not (form is None and data is None):
        rest, wrong = faults_in(schema, {} if rest is None else rest)
        faults += wrong
    if faults:
        told = "; ".join(faults[:10]) + (f"; and {len(faults) - 10} more" if len(faults) > 10 else "")  # noqa: PLR2004  as many as one reads
        raise InvalidInput(f"The answer to {request.node} can't be taken: {told}.", name="data", faults=faults)
    return {**rest, **edited} if edited else rest


def _is_asked_for(request: ev.ApprovalRequested, port: str) -> bool:
    """Whether a form must be filled in for this answer: not to reject, nor to take a way of one's own."""
    return request.form is not None and (request.kind == "decision" or port == request.ports[0])


def judge(row: ApprovalRow, answer: Answer) -> tuple[list[ev.Event], FlownbError | None]:
    """What is to be recorded of an answer, and why it does not count, if it doesn't.

    Args:
        row: the request as it stands.
        answer: its port and data are checked.
    """
    request = row.request
    if row.status != ApprovalStatus.PENDING:
        error: FlownbError = refusals.answered(row)
        return [refused(row, answer, str(error))], error
    if row.expires_at is not None and row.expires_at <= answer.at:
        over = expiry(row, answer.at)
        late = refusals.answered(
            msgspec.structs.replace(
                row, status=ApprovalStatus.EXPIRED, decided_at=answer.at, port=over.port or None, decision=over
            )
        )
        return [over, refused(row, answer, str(late))], late
    barred = _why_not(row, answer.who, answer.at)
    if barred is not None:
        return [refused(row, answer, str(barred))], barred
    needed = votes_needed(request, answer.port)
    given = sum(vote.port == answer.port for vote in row.votes)
    said = _of(row, answer) | {"comment": answer.comment, "data": answer.data}
    found: list[ev.Event] = []
    if needed > 1 or row.votes:
        found.append(ev.ApprovalVoted(**said))
    if given + 1 >= needed:
        found.append(ev.ApprovalDecided(**said))
    return found, None


def _of(row: ApprovalRow, answer: Answer) -> dict[str, Any]:
    """What each record of an answer says: to what, which, whose, and how they were known."""
    who = answer.who
    return {
        "at": answer.at,
        "node": row.node,
        "approval": row.id,
        "port": answer.port,
        "by": who.name,
        "user": who.user if who.user != who.name else "",
        "claim": who.claim,
        "via": who.via,
        "link": who.link,
        "address": who.address,
    }


def approvers_at(request: ev.ApprovalRequested, at: float) -> tuple[str, ...]:
    """Who may answer at a moment: when it took too long, others as well; empty for everybody."""
    late = request.escalate_at is not None and request.escalate_at <= at
    return (*request.approvers, *request.escalate_to) if late and request.approvers else request.approvers


def _why_not(row: ApprovalRow, who: Who, at: float) -> FlownbError | None:
    """Why somebody may not answer."""
    request, approvers = row.request, approvers_at(row.request, at)
    hint = f" The name {who.claim!r} is a claim, which counts only where the operator's settings trust it."
    claimed = hint if who.claim and who.name != who.claim else ""
    if approvers and not who.is_one_of(approvers):
        may = ", ".join(approvers)
        return InvalidInput(f"{who.name} may not answer {row.node}; {may} may.{claimed}", name="by")
    if not request.self_approval and request.asked_by and request.asked_by in (who.name, who.user):
        return InvalidInput(
            f"{request.asked_by} started run {row.run} and may not answer {row.node}: somebody else has to.",
            name="by",
        )
    if not request.self_approval and who.is_anybody:
        return InvalidInput(
            f"{row.node} may not be answered by who started the run, and nobody can tell who has this link: a link "
            "that was made for a person is needed.",
            name="by",
        )
    used = next((vote for vote in row.votes if who.link and vote.link == who.link), None)
    if used is not None:
        return Conflict(
            f"This link was used at {iso(used.at)}, for {used.port}, and counts once; {standing(row)}.",
            run=row.run,
            row=row,
        )
    mine = next((vote for vote in row.votes if vote.by == who.name), None)
    if mine is not None:
        return Conflict(
            f"{who.name} has answered {row.node} already, with {mine.port}; {standing(row)}.", run=row.run, row=row
        )
    return None


def standing(row: ApprovalRow) -> str:
    """How many votes there are, for people."""
    counts: dict[str, int] = {}
    for vote in row.votes:
        counts[vote.port] = counts.get(vote.port, 0) + 1
    if not counts:
        needed = votes_needed(row.request, row.request.ports[0])
        return "nobody has answered yet" if needed == 1 else f"0 of {needed} votes"
    return ", ".join(f"{count} of {votes_needed(row.request, port)} votes for {port}" for port, count in counts.items())


def refused(row: ApprovalRow, answer: Answer, why: str) -> ev.ApprovalRefused:
    """The record of an answer that was not taken."""
    return ev.ApprovalRefused(why=why, **_of(row, answer))


def expiry(row: ApprovalRow, now: float) -> ev.ApprovalExpired:
    """What happens to a request whose time is over."""
    request = row.request
    return ev.ApprovalExpired(
        at=now,
        node=row.node,
        approval=row.id,
        action=_ACTIONS.get(request.expiry_port, "auto_approve"),
        port=request.expiry_port,
        data=request.default if request.expiry_port not in _ACTIONS else None,
    )
