"""A question that has its answer, or waits for none any more: a few lines that say who decided, when, and what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model.events import ApprovalDecided
from flownb.model.status import RunStatus
from flownb.run.waiting.judging import EXPIRED, standing
from flownb.server.asking import word_of
from flownb.server.fields import Form
from flownb.server.frame import back_to, page, sentences
from flownb.server.markup import Html, el, icon
from flownb.server.moments import length, moment
from flownb.services.identity import ANYBODY
from flownb.store.forms.summary import text_of_plain

if TYPE_CHECKING:
    from flownb.server.doors import Visit
    from flownb.server.frame import Page
    from flownb.store.requests import ApprovalRow

_MOST_DATA: Final = 2_000
#: Status: the icon and the tone of its colour.
_SIGNS: Final = {
    "approved": ("completed", "completed"),
    "answered": ("completed", "completed"),
    "rejected": ("cancelled", "cancelled"),
    "expired": ("clock", "cancelled"),
    "cancelled": ("cancelled", "cancelled"),
    "pending": ("waiting", "waiting"),
}


def settled(visit: Visit, row: ApprovalRow, *, back: str = "", status: int = 200) -> Page:
    """The page of a request that ended.

    Args:
        visit: who looks.
        row: the request.
        back: where the list is that it was opened from.
        status: of the answer.
    """
    return _closed(row, _title(visit, row), _how(visit, row), _goes_on(visit, row), back=back, status=status)


def counted(visit: Visit, row: ApprovalRow, *, back: str = "", status: int = 200) -> Page:
    """The page of a request that waits for others, for somebody who has answered."""
    mine = next(vote for vote in row.votes if is_theirs(visit, vote.by, vote.link))
    title = f"Your answer is counted: {word_of(mine.port)}"
    how = f"{moment(mine.at, visit.now)}. {standing(row)}."
    return _closed(row, title, how, "Others have to answer as well.", back=back, status=status)


def has_answered(visit: Visit, row: ApprovalRow) -> bool:
    """Whether somebody's vote is among those that a request has."""
    return any(is_theirs(visit, vote.by, vote.link) for vote in row.votes)


def is_theirs(visit: Visit, by: str, link: str) -> bool:
    """Whether an answer is the visitor's: given by this link, or under their name."""
    return (bool(link) and link == visit.who.link) or (bool(visit.name) and by == visit.name)


def _closed(row: ApprovalRow, title: str, how: str, then: str, *, back: str, status: int) -> Page:
    sign, tone = _SIGNS.get(row.status, _SIGNS["cancelled"])
    inside = el(
        "section",
        el("span", icon(sign), class_=f"mark s-{tone}"),
        el("h1", sentences(title)),
        el("p", sentences(how, then), class_="sec"),
        _data(row),
        el("div", el("p", row.request.question), _where(row), class_="asked"),
        back_to(back),
        class_="pad done flownb-approval",
        data_approval=row.id,
        data_status=row.status,
    )
    return page(f"{row.workflow}: {row.node}", inside, status=status)


def _where(row: ApprovalRow) -> Html:
    return el("p", f"{row.workflow}, {row.node}, run {row.run}", class_="sec small")


def _title(visit: Visit, row: ApprovalRow) -> str:
    decision = row.decision
    if row.status == "cancelled":
        return "Nobody waits for an answer any more"
    if not isinstance(decision, ApprovalDecided):
        waited = f" after {length(round((row.expires_at or visit.now) - row.created_at))}"
        return f"Expired{waited}"
    word = {"approved": "Approved", "rejected": "Rejected"}.get(row.status) or f"Answered: {word_of(decision.port)}"
    if is_theirs(visit, decision.by, decision.link):
        then = _goes_on(visit, row, short=True)
        return f"{word}. {then}" if then else word
    return f"{word} by {decision.by}"


def _how(visit: Visit, row: ApprovalRow) -> str:
    decision, now = row.decision, visit.now
    if row.status == "cancelled":
        return f"The node was skipped, asked again, or its run has ended{_at(row, visit)}."
    if not isinstance(decision, ApprovalDecided):
        return f"Nobody answered until {moment(row.decided_at or row.expires_at or now, now)}. {_took(row)}"
    said = f"“{decision.comment}” " if decision.comment else ""
    by = decision.by if decision.by != ANYBODY else "Somebody with a link"
    claim = f" (as {decision.claim})" if decision.claim not in ("", decision.by) else ""
    return f"{said}{by}{claim}, {moment(decision.at, now)}."


def _took(row: ApprovalRow) -> str:
    """What followed from nobody's answer."""
    if not row.port:
        return "The node has failed because of that."
    return "Its port “expired” fired." if row.port == EXPIRED else f"By itself, the answer is: {word_of(row.port)}."


def _at(row: ApprovalRow, visit: Visit) -> str:
    return f", {moment(row.decided_at, visit.now)}" if row.decided_at else ""


def _data(row: ApprovalRow) -> Html | None:
    data = getattr(row.decision, "data", None)
    if data is None:
        return None
    if isinstance(data, dict) and not any(str(name).startswith("$") for name in data):
        titles = {each.name: each.title for each in Form(row.request.form).fields}
        pairs = []
        for name, value in list(data.items())[:20]:
            said = {True: "yes", False: "no"}[value] if isinstance(value, bool) else text_of_plain(value, 200)
            pairs += [el("dt", titles.get(name, str(name))), el("dd", said)]
        return el("dl", *pairs)
    return el("p", text_of_plain(data, _MOST_DATA))


def _goes_on(visit: Visit, row: ApprovalRow, *, short: bool = False) -> str:
    """What the run does now."""
    run = visit.store.row(row.run)
    if run is None or row.status == "cancelled":
        return ""
    status = RunStatus(run.status)
    if short:
        return "" if status.ended else "The run goes on."
    if status.ended:
        return f"The run is {status.value}."
    if status is RunStatus.PAUSED:
        return "The answer is in the record; whatever looks after the run carries it on."
    return "The answer is already in the notebook, in the inbox and in the journal."
