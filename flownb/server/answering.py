"""From what was posted to an answer that counts, or to the page that says why not; nothing else here decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from flownb.errors import Conflict, InvalidInput, NotFound
from flownb.model.status import PauseReason
from flownb.run.waiting.decisions import decide
from flownb.run.waiting.judging import EDITED
from flownb.server.asking import COMMENT, PORT, SHOWN, VALUE, Draft, asking
from flownb.server.edits import Edits
from flownb.server.fields import NOTHING, Form
from flownb.server.frame import Page, nowhere, refused
from flownb.server.markup import Html
from flownb.server.settled import counted, has_answered, settled
from flownb.services.links import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.server.doors import Visit
    from flownb.store.requests import ApprovalRow

_MOST_FIELDS: Final = 20_000
_MOST_COMMENT: Final = 4_000
_FORM: Final = "application/x-www-form-urlencoded"


def posted_of(content_type: str, body: bytes) -> dict[str, str] | None:
    """The fields of a form, the last of each name; None for what is no form."""
    if content_type.partition(";")[0].strip().lower() not in ("", _FORM):
        return None
    try:
        text = body.decode("ascii")
        found = parse_qs(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # no such text, or more fields than any form has
        return None
    return {name: each[-1] for name, each in found.items()}


def answer(visit: Visit, row: ApprovalRow, posted: Mapping[str, str], *, here: str, back: str = "") -> Page:  # noqa: PLR0911  a page for each way that it can end
    """Give an answer, and say where to look then.

    Args:
        visit: who answers.
        row: the request.
        posted: what was filled in.
        here: the page of the request, from its own address.
        back: where the list is that it was opened from.
    """
    with_form = visit.with_form(posted.get(SHOWN, ""), row)
    if isinstance(with_form, Unfit):
        return refused("This form is too old, or is not from this page. Open the link again, and answer there.", 403)
    visit = with_form
    comment, port = posted.get(COMMENT, "").replace("\r\n", "\n").strip(), posted.get(PORT, "")
    if len(comment) > _MOST_COMMENT:
        message = f"The comment has {len(comment):,} characters; {_MOST_COMMENT:,} are the most."
        return asking(visit, row, Draft(posted, message=message), back=back, status=422)
    try:
        data = _data(row, visit, posted, port)
        decide(
            visit.store, row.run, row.id, port=port or "(none)", at=visit.now, data=data, comment=comment,
            person=visit.who,
        )  # fmt: skip
    except Conflict:
        return _too_late(visit, row, back)
    except NotFound:  # its run was deleted this moment
        return nowhere()
    except InvalidInput as error:
        if error.fields.get("name") == "by":
            return refused(f"{error.message} Nothing was decided.", 403)
        faults = error.fields.get("faults", ())
        draft = Draft(posted, faults, "" if faults else error.message)
        return asking(visit, row, draft, back=back, status=422)
    return Page(Html(""), 303, here)


def _too_late(visit: Visit, row: ApprovalRow, back: str) -> Page:
    """Somebody answered before, or this one has already; the page says so."""
    now = visit.request(row.run, row.id)
    if now is None:
        return nowhere()
    if now.status == "pending" and has_answered(visit, now):
        return counted(visit, now, back=back, status=409)
    return settled(visit, now, back=back, status=409)


def _data(row: ApprovalRow, visit: Visit, posted: Mapping[str, str], port: str) -> Any:
    """What comes with an answer.

    Raises:
        InvalidInput: what should be JSON is none.
    """
    request = row.request
    if request.kind == PauseReason.IN_DOUBT:
        return _value(posted.get(VALUE, "")) if port == "completed" else None
    usual = request.kind == "decision" or port == (request.ports or ("",))[0]
    filled = Form(request.form).read(posted) if request.form is not None and usual else None
    edited = Edits.of(row, visit.store).read(posted) if usual else NOTHING
    if edited is NOTHING:
        return filled
    return edited if request.form is None else {**(filled or {}), EDITED: edited}


def _value(given: str) -> Any:
    if not given.strip():
        return None
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        raise InvalidInput('What came of it is no JSON: text stands in quotes, as "done".', name="data") from None
