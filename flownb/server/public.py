"""The public listener: a small server of its own, without cookies, that shows the pages of `routes.py`.

Whatever it answers says that nothing of it may be kept, framed, run or sent elsewhere. It writes no log of addresses:
they hold tokens. Requests are worked off on threads, because the store's calls block.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler

from flownb.errors import EnvironmentFault, FlownbError, UsageError
from flownb.run.waiting.decisions import look_after, remind
from flownb.run.waiting.deliveries import deliveries
from flownb.server.frame import Page, broken, refused
from flownb.server.routes import METHODS, MOST_BODY, Request, Site
from flownb.server.style import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Store

_log = logging.getLogger("flownb.server")
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8642
_MOST_PORT: Final = 65_535
_BACKLOG: Final = 128
#: What is read of a request at all; what is more than a form may have is answered by a page.
_MOST_READ: Final = 4 * MOST_BODY
_MOST_HEADER: Final = 16_384
_IDLE_SECONDS: Final = 30.0
_BODY_SECONDS: Final = 20.0
#: Between two looks for requests whose time is over.
_LOOK_SECONDS: Final = 5.0


def headers() -> dict[str, str]:
    """What every answer says of itself."""
    policy = (
        f"default-src 'none'; style-src {digest()}; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


class _Pages(RequestHandler):
    """Every address and every method."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
    site: Site

    def initialize(self, site: Site) -> None:
        self.site = site

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in headers().items():
            self.set_header(name, value)

    def compute_etag(self) -> None:
        """None: a page is never the same as one that was shown."""

    async def _any(self, *_: str) -> None:
        asked = self.request
        request = Request(
            method=asked.method or "",
            path=asked.path,
            query=asked.query,
            content_type=asked.headers.get("Content-Type", ""),
            body=asked.body,
            fetch_site=asked.headers.get("Sec-Fetch-Site", ""),
            address=(asked.remote_ip or "")[:60],
        )
        try:
            page = await asyncio.to_thread(self.site.respond, request)
        except FlownbError:
            _log.exception("A public page could not be shown")
            page = broken()
        self._show(page)

    get = head = post = delete = patch = put = options = _any

    def _show(self, page: Page) -> None:
        self.set_status(page.status)
        if page.status == 405:  # noqa: PLR2004  which methods there are must be said with it
            self.set_header("Allow", ", ".join(METHODS))
        if page.location:
            self.set_header("Location", page.location)
        self.finish(page.body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What the server itself refuses, and what fails here, look like all else."""
        error = kwargs.get("exc_info", (None, None))[1]
        inside = status_code >= 500 or not isinstance(error, HTTPError)  # noqa: PLR2004  the faults that are ours
        self._show(broken() if inside else refused("That is no request that is answered here.", status_code))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """The fault, without the address that was asked for."""
        if not isinstance(value, HTTPError):
            _log.error("A public page could not be shown", exc_info=(typ, value, tb))


def _no_log(_: RequestHandler) -> None:
    """Addresses hold tokens, which belong in no log."""


class PublicListener:
    """The listener, while it listens."""

    def __init__(
        self,
        store: Store,
        *,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        behind_proxy: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin to listen; on the thread of a running loop.

        Args:
            store: whose requests are shown.
            host: the address of this machine to listen at.
            port: 0 for any that is free.
            behind_proxy: whether the address of who answers stands in `X-Forwarded-For` or `X-Real-Ip`, because only
                a proxy reaches this port.
            clock: gives seconds since 1970.

        Raises:
            UsageError: the host or the port is none.
            EnvironmentFault: somebody else listens there, or this user may not.
        """
        self._store, self._clock = store, clock
        listening = _socket(host, port)
        application = Application(
            [(r".*", _Pages, {"site": Site(store, clock)})], log_function=_no_log, serve_traceback=False
        )
        self._server = HTTPServer(
            application,
            max_body_size=_MOST_READ,
            max_header_size=_MOST_HEADER,
            idle_connection_timeout=_IDLE_SECONDS,
            body_timeout=_BODY_SECONDS,
            xheaders=behind_proxy,
        )
        self._server.add_sockets([listening])
        self.host = host
        self.port: int = listening.getsockname()[1]
        self._looking = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        """End what nobody answered in time, remind, and tell, as whoever looks after a store does."""
        while True:
            try:
                await asyncio.to_thread(self._look_once)
            except FlownbError:
                _log.exception("The requests of the store could not be looked after")
            await asyncio.sleep(_LOOK_SECONDS)

    def _look_once(self) -> None:
        look_after(self._store, self._clock())
        for row in self._store.approvals():
            if row.request.due_at is not None:
                remind(self._store, row, self._clock())
        deliveries().soon(self._store, self._clock)

    async def close(self) -> None:
        """Listen no more, and let go of who is connected."""
        self._looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._looking
        self._server.stop()
        await self._server.close_all_connections()


def _socket(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _MOST_PORT:
        raise UsageError(f"{port} is no port: give one from 1 to {_MOST_PORT}, or 0 for any that is free.", name="port")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise UsageError(f"There is no host {host!r}: try 127.0.0.1, or 0.0.0.0 for all.", name="host") from None
    try:
        found = socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise EnvironmentFault(
            f"Nothing can listen at {host}, port {port}: {why}. Give another port with --port; 0 takes any."
        ) from None
    found.setblocking(False)
    return found
