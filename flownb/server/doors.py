"""What a signed link opens: which requests, for whom; nothing else decides what a stranger gets to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flownb.errors import NotFound
from flownb.run.waiting.decisions import expire
from flownb.run.waiting.judging import approvers_at
from flownb.services.identity import Who, who_by_link
from flownb.services.links import Link, LinkKind, Unfit, new_number, read, sign
from flownb.services.settings import settings_of

if TYPE_CHECKING:
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

#: How long a form may lie open that was shown behind a link to several requests.
_FORM_LIFE: Final = 86_400


class Visit(NamedTuple):
    """Somebody at the door with a link that is good."""

    store: Store
    kind: LinkKind
    link: Link
    #: The token as it stands in the address.
    token: str
    who: Who
    #: Seconds since 1970.
    now: float

    @property
    def name(self) -> str:
        """Who they are, for themselves; empty for whoever has the link."""
        return self.link.person

    def requests(self, *, pending: bool = True) -> list[ApprovalRow]:
        """The requests behind the door, oldest first; those whose time is over have ended."""
        rows = self._rows(pending=False) if self.kind is not LinkKind.INBOX else self._rows(pending=pending)
        found = [self._looked_at(row) for row in rows if self._may_see(row)]
        return [row for row in found if not pending or row.status == "pending"]

    def request(self, run: str, approval: str) -> ApprovalRow | None:
        """One of them, however it stands."""
        for row in self.store.approvals(run=run, pending=False):
            if row.id == approval and self._may_see(row) and self._is_behind(run):
                return self._looked_at(row)
        return None

    def only(self) -> ApprovalRow | None:
        """The one request that the link is about."""
        return self.request(self.link.run, self.link.approval)

    def runs(self) -> list[str]:
        """The runs whose course may be looked at; none behind a link to one request."""
        if self.kind is LinkKind.RUN:
            return self._beneath()
        return sorted({row.run for row in self.requests(pending=False)}) if self.kind is LinkKind.INBOX else []

    def _beneath(self) -> list[str]:
        run = self.link.run
        return [run, *(each.id for each in self.store.rows(group=run) if each.id != run)]

    def _rows(self, *, pending: bool) -> list[ApprovalRow]:
        if self.kind is LinkKind.INBOX:
            return self.store.approvals(pending=pending)
        return [row for run in self._beneath() for row in self.store.approvals(run=run, pending=False)]

    def _is_behind(self, run: str) -> bool:
        return self.kind is LinkKind.INBOX or run == self.link.run or run in self._beneath()

    def _may_see(self, row: ApprovalRow) -> bool:
        """By a list, only what the person may answer; a link to one request shows it even to whom may not."""
        if self.kind is LinkKind.ANSWER:
            return row.id == self.link.approval
        approvers = approvers_at(row.request, self.now)
        return not approvers or (self.kind is LinkKind.INBOX and self.who.is_one_of(approvers))

    def _looked_at(self, row: ApprovalRow) -> ApprovalRow:
        """The request; its time may be over this moment, and whoever looks says so."""
        if row.status != "pending" or row.expires_at is None or row.expires_at > self.now:
            return row
        try:
            expire(self.store, row.run, row.id, self.now)
        except NotFound:  # its run was deleted this moment
            return row
        return next((each for each in self.store.approvals(run=row.run, pending=False) if each.id == row.id), row)

    def form_token(self, row: ApprovalRow) -> str:
        """What the page of a request puts into its form: that it was shown, to whom, behind which link."""
        mine = self.kind is LinkKind.ANSWER
        number = self.link.number if mine else new_number()
        expires = self.link.expires if mine else min(self.link.expires, int(self.now) + _FORM_LIFE)
        return sign(self.store.keys, LinkKind.PAGE, Link(row.run, row.id, self.link.person, expires, number))

    def with_form(self, token: str, row: ApprovalRow) -> Visit | Unfit:
        """The visit as the one that a form belongs to: its answer counts once, under the form's number."""
        form = read(self.store.keys, LinkKind.PAGE, token, self.now)
        if isinstance(form, Unfit):
            return form
        if (form.run, form.approval, form.person) != (row.run, row.id, self.link.person):
            return Unfit.UNKNOWN
        if self.kind is LinkKind.ANSWER and form.number != self.link.number:
            return Unfit.UNKNOWN
        return self._replace(who=self.who._replace(link=form.number))


def knock(store: Store, kind: LinkKind, token: str, now: float, address: str = "") -> Visit | Unfit:
    """Try a link.

    Args:
        store: where what it opens is.
        kind: what it has to be for.
        token: whatever came.
        now: seconds since 1970.
        address: where it came from.

    Raises:
        UsageError: the operator's settings can't be read.
    """
    link = read(store.keys, kind, token, now)
    if isinstance(link, Unfit):
        return link
    who = who_by_link(settings_of(store), link.person, link.number, address)
    return Visit(store, kind, link, token, who, now)
