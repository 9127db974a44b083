"""A question as a page: the question largest, then what is shown, the form, a comment, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.model.status import PauseReason
from flownb.run.waiting.judging import approvers_at, standing
from flownb.server.edits import Edits
from flownb.server.fields import Form
from flownb.server.frame import back_to, lines, page, sentences
from flownb.server.markup import Html, el, icon
from flownb.server.moments import ago, length, moment, until
from flownb.server.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flownb.model.events import ApprovalRequested
    from flownb.server.doors import Visit
    from flownb.server.frame import Page
    from flownb.store.requests import ApprovalRow

COMMENT: Final = "comment"
PORT: Final = "port"
SHOWN: Final = "page"
#: The value of a node in doubt.
VALUE: Final = "value"
_LONG_QUESTION: Final = 160
_WORDS: Final = {
    "approved": "Approve",
    "rejected": "Reject",
    "submitted": "Send",
    "rerun": "Run it again",
    "completed": "It was done",
    "fail": "It failed",
}
_ACTIONS: Final = {"approved": "approve", "rejected": "reject"}


def word_of(port: str) -> str:
    """An answer as people say it."""
    plain = port.replace("_", " ")
    return _WORDS.get(port) or plain[:1].upper() + plain[1:]


class Draft:
    """What somebody has filled in so far, and what was wrong with it."""

    def __init__(self, posted: Mapping[str, str] | None = None, faults: Sequence[str] = (), message: str = "") -> None:
        self.posted = posted
        self.faults = faults
        self.message = message


def asking(visit: Visit, row: ApprovalRow, draft: Draft | None = None, *, back: str = "", status: int = 200) -> Page:
    """The page of a request that waits for an answer.

    Args:
        visit: who looks.
        row: the request.
        draft: what was filled in, where it was refused.
        back: where the list is that it was opened from.
        status: of the answer.
    """
    draft = draft or Draft()
    request = row.request
    form, edits = Form(request.form), Edits.of(row, visit.store)
    filled = {**form.begin(), **edits.begin(), **(draft.posted or {})}
    if draft.posted is not None:  # a box that is not ticked is not posted
        filled |= {each.key: "" for each in form.fields if each.key not in draft.posted}
    wrong, rest = form.sort(edits.own(draft.faults))
    said = sentences(draft.message, *rest)
    inside = el(
        "div",
        back_to(back),
        _head(visit, row),
        el("h1", request.question, class_="long" if len(request.question) > _LONG_QUESTION else None),
        el("p", request.details) if request.details else None,
        _facts(visit, row, back),
        el("div", said, class_="said s-failed", role="alert") if said else None,
        *(shown(each, visit.store) for each in request.preview or ()),
        edits.html(filled, draft.faults),
        _fields(request, form, filled, wrong),
        class_="pad",
    )
    asked = el(
        "form",
        el("input", type="hidden", name=SHOWN, value=visit.form_token(row)),
        inside,
        _answers(visit, request),
        method="post",
        action="",
        novalidate=True,
        autocomplete="off",
        class_="flownb-approval",
        data_approval=row.id,
        data_status=row.status,
    )
    return page(f"{row.workflow}: {row.node}", asked, status=status, state="open")


def _head(visit: Visit, row: ApprovalRow) -> Html:
    world = " f-world" if row.kind == PauseReason.IN_DOUBT else ""
    left = ""
    if row.expires_at is not None:
        left = f"expires in {length(row.expires_at - visit.now)}"
    where = el("span", el("b", row.workflow), f", {row.node}", class_="what")
    sign = el("span", icon("person" if not world else "globe"), class_=f"fam{world}")
    return el("div", sign, where, el("span", class_="grow"), el("span", left, class_="sec num"), class_="from")


def _facts(visit: Visit, row: ApprovalRow, back: str) -> Html:
    """Who asks, until when, who may answer, and how many have."""
    request, now = row.request, visit.now
    by = f"{request.asked_by} asks" if request.asked_by else "Asked"
    votes = ""
    if row.votes or request.approvals_needed > 1 or request.rejections_needed > 1:
        told = standing(row)
        votes = f"{told[:1].upper()}{told[1:]}."
    named = f"run {row.run}"
    run = el("a", named, href=f"../../run/{row.run}") if back else named
    approvers = approvers_at(request, now)
    who = f"May decide: {', '.join(approvers[:20])}." if approvers else ""
    barred = f"Not {request.asked_by}, who started the run." if not request.self_approval and request.asked_by else ""
    due = f"Due {moment(request.due_at, now)}." if request.due_at is not None else ""
    end = f"Open {until(row.expires_at, now)}." if row.expires_at is not None else ""
    return el(
        "div",
        el("div", f"{by}, {ago(row.created_at, now)}, in ", run, "."),
        lines(sentences(end, due), sentences(who, barred, votes)),
        class_="facts",
    )


def _fields(request: ApprovalRequested, form: Form, filled: Mapping[str, str], wrong: Mapping[str, str]) -> Html:
    first = next((each.key for each in form.fields if each.key in wrong), "")
    fields = [
        each.html(filled.get(each.key, ""), wrong.get(each.key, ""), first=each.key == first) for each in form.fields
    ]
    if request.kind == PauseReason.IN_DOUBT:
        fields.append(_value_of_doubt(filled.get(VALUE, "")))
    return el("fieldset", *fields, _comment(filled.get(COMMENT, "")))


def _comment(value: str) -> Html:
    label = el("label", "Comment ", el("span", "optional, kept in the journal", class_="hint"), for_=COMMENT)
    box = el(
        "textarea", f"\n{value}", class_="fnb-in", id=COMMENT, name=COMMENT, rows=1, maxlength=4000,
        placeholder="Why, in a few words",
    )  # fmt: skip
    return el("div", label, box, class_="fnb-field wide")


def _value_of_doubt(value: str) -> Html:
    hint = el("span", "where it was done; as JSON", class_="hint")
    label = el("label", "What came of it ", hint, for_=VALUE)
    box = el("textarea", f"\n{value}", class_="fnb-in code", id=VALUE, name=VALUE, rows=2, spellcheck="false")
    return el("div", label, box, class_="fnb-field wide")


def _answers(visit: Visit, request: ApprovalRequested) -> Html:
    """A button an answer: the usual one first and alone, the others beside one another."""
    several = request.kind in ("decision", PauseReason.IN_DOUBT)
    buttons = []
    for number, port in enumerate(request.ports):
        look = " line" if several or number == 1 else " primary" if number == 0 else ""
        alone = (0 if several else len(request.ports) - 1) if len(request.ports) % 2 == several else -1
        whole = " whole" if number == alone else ""
        how: dict[str, Any] = {"name": PORT, "value": port, "data_action": _ACTIONS.get(port, port)}
        buttons.append(el("button", word_of(port), type="submit", class_=f"fnb-btn{look}{whole}", **how))
    you = f"You are {visit.name}." if visit.name else "This link is for whoever holds it."
    note = el("div", f"{you} Opening this page decided nothing.", class_="note")
    return el("div", *buttons, note, class_="end")
