"""The handlers of the Jupyter Server extension: signed in and authorized each of them, JSON in and out."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from flownb.errors import Conflict, FlownbError, InvalidInput, NotFound, StoreError, UsageError
from flownb.model.status import STATUS_ALIASES, RunStatus
from flownb.run.handles.describe import describe, describe_event, describe_request, describe_row
from flownb.run.recovery.recover import require_row
from flownb.run.waiting.decisions import look_after
from flownb.server import commands
from flownb.server.known import KnownStores, UnknownStore
from flownb.store.lists import RequestFilter, RunFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Store

#: What authorizers are asked about.
RESOURCE: Final = "flownb"
_MOST_BODY: Final = 4_000_000
_MOST_PAGE: Final = 1_000
_PAGE: Final = 50
#: The HTTP status of an error, the first that fits.
_STATUSES: Final[tuple[tuple[type[FlownbError], int], ...]] = (
    (UnknownStore, 403),
    (NotFound, 404),
    (Conflict, 409),
    (InvalidInput, 400),
    (StoreError, 503),
    (UsageError, 409),
)


class Handler(APIHandler):
    """What all of them share: the stores that this server knows, and errors as JSON with a sentence."""

    auth_resource = RESOURCE

    def initialize(self, stores: KnownStores) -> None:
        """Called by tornado for each request."""
        self._stores = stores

    async def answer(self, work: Callable[[Store], Any], store: str | None) -> None:
        """Do something with a store on a thread, so that the server goes on, and answer with what comes of it."""

        def done() -> Any:
            return work(self._stores.open(store))

        try:
            found = await asyncio.to_thread(done)
        except FlownbError as error:
            self.set_status(next((status for kind, status in _STATUSES if isinstance(error, kind)), 500))
            found = {"success": False, "message": str(error), "error": type(error).__name__}
        self.finish(json.dumps(found, default=str))

    @property
    def store(self) -> str | None:
        """The store that the request names."""
        named: str | None = self.get_query_argument("store", None)
        return named

    def number(self, name: str, default: int, most: int) -> int:
        """A number in the query."""
        text = self.get_query_argument(name, str(default))
        if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004  what SQLite can count
            raise web.HTTPError(400, f"{name} is a whole number, not {text[:40]!r}")
        return min(int(text), most)

    def body(self) -> dict[str, Any]:
        """The JSON object in the request."""
        if len(self.request.body) > _MOST_BODY:
            raise web.HTTPError(413, "The request is too large.")
        try:
            found = json.loads(self.request.body or b"{}", parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise web.HTTPError(400, f"The request is no JSON: {error}") from None
        if not isinstance(found, dict):
            raise web.HTTPError(400, "The request is no JSON object.")
        return found

    @property
    def claim(self) -> str:
        """Who is signed in, where that is more than whoever has the token."""
        user = self.current_user
        anonymous = str(user.name).startswith("Anonymous ")
        return "" if anonymous else str(user.username)[:200]


class RunsHandler(Handler):
    """The runs of a store, newest first."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """`status` (may be repeated), `text`, `limit`, `offset`."""
        names = [STATUS_ALIASES.get(each, each) for each in self.get_query_arguments("status")]
        if wrong := [each for each in names if each not in set(RunStatus)]:
            raise web.HTTPError(400, f"A run has no status {wrong[0][:40]!r}; it has {', '.join(RunStatus)}")
        limit, offset = self.number("limit", _PAGE, _MOST_PAGE), self.number("offset", 0, 10**12)
        wanted = RunFilter(status=tuple(map(str, names)), text=self.get_query_argument("text", ""))

        def work(store: Store) -> dict[str, Any]:
            counts = store.count_runs(wanted)
            total = sum(count for status, count in counts.items() if not names or status in names)
            meta = {"total": total, "running": counts.get("running", 0), "counts": counts}
            rows = store.page_of_runs(wanted, skip=offset, limit=limit)
            return {"runs": [describe_row(row) for row in rows], "meta": meta | {"limit": limit, "offset": offset}}

        await self.answer(work, self.store)


class RunHandler(Handler):
    """One run."""

    @web.authenticated
    @authorized
    async def get(self, run: str) -> None:
        """The document of `flownb show --json`."""
        await self.answer(lambda store: describe(store, run), self.store)


class EventsHandler(Handler):
    """The journal of a run."""

    @web.authenticated
    @authorized
    async def get(self, run: str) -> None:
        """The events after number `after`, at most `limit`; to reconnect is to ask again from the last."""
        after, limit = self.number("after", 0, 10**12), self.number("limit", _MOST_PAGE, _MOST_PAGE)

        def work(store: Store) -> dict[str, Any]:
            require_row(store, run)
            found = [describe_event(record) for record in store.events(run, after, limit)]
            return {"events": found, "meta": {"after": after, "last": found[-1]["seq"] if found else after}}

        await self.answer(work, self.store)


class ApprovalsHandler(Handler):
    """What runs ask people."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Pending ones, oldest first; `all=1` for those that have an answer as well; `text`, `limit`, `offset`."""
        everything = self.get_query_argument("all", "") not in ("", "0", "false")
        limit, offset = self.number("limit", _PAGE, _MOST_PAGE), self.number("offset", 0, 10**12)
        wanted = RequestFilter(pending=not everything, text=self.get_query_argument("text", ""))

        def work(store: Store) -> dict[str, Any]:
            import time

            look_after(store, time.time())
            rows, total = store.page_of_requests(wanted, skip=offset, limit=limit)
            meta = {"total": total, "limit": limit, "offset": offset}
            return {"approvals": [describe_request(row) for row in rows], "meta": meta}

        await self.answer(work, self.store)


class CommandHandler(Handler):
    """Asking something of a run."""

    @web.authenticated
    @authorized
    async def post(self, run: str, name: str) -> None:
        """`pause`, `resume`, `cancel`, `step`, `retry`, `skip`, `breakpoint`, as `commands.command` takes them."""
        body, by = self.body(), self.claim or "a browser"
        await self.answer(lambda store: commands.command(store, run, name, body, by), _named(body))


class ApproveHandler(Handler):
    """Answering what a run asks."""

    @web.authenticated
    @authorized
    async def post(self, run: str) -> None:
        """As `commands.approve` takes it; whoever is signed in answers, beside the user of the server's process."""
        body, claim = self.body(), self.claim
        await self.answer(lambda store: commands.approve(store, run, body, claim), _named(body))


def _named(body: dict[str, Any]) -> str | None:
    named = body.get("store")
    return named if isinstance(named, str) else None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")
