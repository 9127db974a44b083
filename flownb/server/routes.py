"""Which address shows or does what. GET and HEAD show; only POST, with what the page signed into its form, decides.

```
/a/TOKEN                        one question, for one answer
/inbox/TOKEN                    all that a person may answer
/r/TOKEN                        a run, and what it asks
/inbox|r/TOKEN/q/RUN/ID         one of these questions
/inbox|r/TOKEN/run/RUN          the course of a run
```

All else leads nowhere, and looks the same as a token that is none. Addresses are only ever named from the one that was
asked, so that nothing depends on what a request says of its host.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, NamedTuple

from flownb.server.answering import answer, posted_of
from flownb.server.asking import asking
from flownb.server.doors import Visit, knock
from flownb.server.frame import Page, nowhere, refused, too_old
from flownb.server.lists import course, inbox
from flownb.server.markup import Html
from flownb.server.settled import counted, has_answered, settled
from flownb.services.links import LinkKind, Unfit

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

#: Bytes of a form.
MOST_BODY: Final = 1_000_000
METHODS: Final = ("GET", "HEAD", "POST")
_ID: Final = r"[A-Za-z0-9_.-]{1,100}"
#: A proxy may leave its own folders before the address.
_ADDRESS: Final = re.compile(
    rf"(?:/[^/]{{1,100}}){{0,4}}/(?P<kind>a|r|inbox)/(?P<token>[^/]{{1,2000}})"
    rf"(?:/q/(?P<run>{_ID})/(?P<id>{_ID})|/run/(?P<course>{_ID}))?",
    re.ASCII,
)
_START: Final = re.compile(r"from=([0-9]{1,7})")
#: Forms that one link may post within so many seconds.
_MOST_POSTS: Final = 30
_SECONDS: Final = 60.0
_MOST_LINKS: Final = 10_000


class Request(NamedTuple):
    """What came in."""

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    #: What the browser says of the page that it comes from.
    fetch_site: str = ""
    address: str = ""


class Site:
    """The pages of one store."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        """The pages.

        Args:
            store: where runs and requests are.
            clock: gives seconds since 1970.
        """
        self.store = store
        self._clock = clock
        #: When links posted forms, by their number, the newest link last.
        self._posts: OrderedDict[str, deque[float]] = OrderedDict()

    def respond(self, request: Request) -> Page:  # noqa: PLR0911  one way out for each thing that is wrong
        """The answer to a request; from any thread.

        Raises:
            FlownbError: the store or the operator's settings can't be read.
        """
        if request.method not in METHODS:
            return refused("Pages like this one are opened, and their forms are sent; nothing else is done here.", 405)
        if len(request.body) > MOST_BODY:
            return refused("That is more than any form here can hold. Nothing was decided.", 413)
        found = _ADDRESS.fullmatch(request.path)
        if found is None:
            return nowhere()
        visit = knock(self.store, LinkKind(found["kind"]), found["token"], self._clock(), request.address)
        if isinstance(visit, Unfit):
            return too_old() if visit is Unfit.OLD else nowhere()
        if found["course"]:
            return self._course(visit, found["course"]) if request.method != "POST" else _no_form()
        if visit.kind is LinkKind.ANSWER or found["id"]:
            return self._question(visit, request, found["run"], found["id"])
        return self._list(visit, request) if request.method != "POST" else _no_form()

    # --- one question

    def _question(self, visit: Visit, request: Request, run: str | None, approval: str | None) -> Page:
        if visit.kind is LinkKind.ANSWER:
            row = visit.only() if approval is None else None
            here, back = visit.token, ""
        else:
            row = visit.request(run or "", approval or "")
            here, back = approval or "", f"../../../{visit.token}"
        if row is None:
            return nowhere()
        if request.method == "POST":
            return self._answer(visit, row, request, here, back)
        if row.status != "pending":
            return settled(visit, row, back=back)
        return counted(visit, row, back=back) if has_answered(visit, row) else asking(visit, row, back=back)

    def _answer(self, visit: Visit, row: ApprovalRow, request: Request, here: str, back: str) -> Page:
        if request.fetch_site == "cross-site":
            return refused("This form was sent from another page. Open the link, and answer there.", 403)
        if not self._may_post(visit):
            return refused("This link has sent many forms within a minute. Nothing was decided; wait a little.", 429)
        posted = posted_of(request.content_type, request.body)
        if posted is None:
            return refused("What was sent is no form of this page. Nothing was decided.", 400)
        return answer(visit, row, posted, here=here, back=back)

    def _may_post(self, visit: Visit) -> bool:
        posts = self._posts.setdefault(visit.link.number, deque(maxlen=_MOST_POSTS))
        self._posts.move_to_end(visit.link.number)
        if len(self._posts) > _MOST_LINKS:
            self._posts.popitem(last=False)
        if len(posts) == _MOST_POSTS and visit.now - posts[0] < _SECONDS:
            return False
        posts.append(visit.now)
        return True

    # --- several

    def _list(self, visit: Visit, request: Request) -> Page:
        if visit.kind is LinkKind.INBOX:
            start = _START.fullmatch(request.query)
            return inbox(visit, int(start[1]) if start else 0)
        waiting = visit.requests()
        if len(waiting) == 1:
            return Page(Html(""), 303, f"{visit.token}/q/{waiting[0].run}/{waiting[0].id}")
        row = self.store.row(visit.link.run)
        return nowhere() if row is None else course(visit, row, base=visit.token)

    def _course(self, visit: Visit, run: str) -> Page:
        row = self.store.row(run) if run in visit.runs() else None
        return nowhere() if row is None else course(visit, row, base="..", back=f"../../{visit.token}")


def _no_form() -> Page:
    return refused("There is no form on this page. Nothing was decided.", 405)
