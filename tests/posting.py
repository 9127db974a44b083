"""A real mail server, and a real web server, on loopback; both keep what they get, and fail as they are told."""

from __future__ import annotations

import asyncio
import json
import threading
import warnings
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from email.message import EmailMessage


class MailServer:
    """Takes mails on loopback; `replies` are given to the next ones, `slow` keeps the sender waiting."""

    def __init__(self, *, user: str = "", password: str = "") -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.replies: list[str] = []
        self.slow = 0.0
        login = (user.encode(), password.encode()) if user else None
        self._options: dict[str, Any] = {"auth_require_tls": False, "loop": asyncio.new_event_loop()}
        if login is not None:
            self._options |= {"auth_required": True, "authenticator": lambda *given: _is_login(given[-1], login)}
        self._loop: asyncio.AbstractEventLoop = self._options["loop"]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.replies:
            return self.replies.pop(0)
        self.raw.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def settings(self, **more: Any) -> str:
        """The table of a channel that leads here."""
        fields = {"kind": "mail", "host": "127.0.0.1", "port": self.port, "security": "none"}
        fields |= {"from": "flownb <flows@example.org>", **more}
        return "[channels.mail]\n" + "".join(f"{name} = {json.dumps(each)}\n" for name, each in fields.items())

    def _serve(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(loop.create_server(self._session, "127.0.0.1", 0))
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        loop.run_forever()
        server.close()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _session(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of logins without TLS, and this is loopback
            return SMTP(self, **self._options)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_login(given: Any, login: tuple[bytes, bytes] | None) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == login
    return AuthResult(success=right, handled=right)


class WebServer:
    """Takes JSON by POST on loopback."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.replies: list[int] = []
        home = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = home.replies.pop(0) if home.replies else 200
                if status < 300:
                    home.paths.append(self.path)
                    home.got.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name of the base class
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
