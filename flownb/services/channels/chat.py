"""Chats, push services and webhooks, by the package Apprise: whatever has a URL there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Final

from flownb.errors import FlownbError
from flownb.services import masking, secrets
from flownb.services.channels import fields
from flownb.services.channels.channel import SECONDS, DeliveryFailed
from flownb.services.channels.extras import need
from flownb.services.channels.letter import as_plain
from flownb.services.harmless import line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.services.channels.channel import Message

_MOST_TITLE: Final = 120
_MOST_BODY: Final = 3_500
_MOST_SAID: Final = 300
_HEADS: Final = {"asked": "", "reminder": "Reminder: ", "escalation": "Still unanswered: "}
#: What calls everybody in a room, in the services that have that.
_CALL: Final = re.compile(r"@(?=everyone|here|channel|all)|<(?=[!@#])", re.IGNORECASE)
_ROOM: Final = re.compile(r"[#A-Za-z0-9_.@:-]{1,80}")


class Chat:
    """One URL, or for each person one of their own."""

    FIELDS: ClassVar[tuple[str, ...]] = ("url", "timeout")

    def __init__(self, url: str = "", *, timeout: float = SECONDS) -> None:
        """A service.

        Args:
            url: the name of a secret whose value is the URL; empty where each person has one.
            timeout: seconds that it gets.
        """
        self._url, self._timeout = url, timeout
        #: Without a URL of its own it goes to each person's.
        self.personal = not url

    @classmethod
    def of(cls, name: str, table: dict[str, Any]) -> Chat:
        """As the settings have it.

        Raises:
            UsageError: they are wrong, or the package is not installed.
        """
        need("apprise", f"The channel {name}")
        fields.only(table, cls.FIELDS)
        return cls(fields.secret(table, "url"), timeout=fields.number(table, "timeout", SECONDS, 1, 60))

    def check(self) -> None:
        """See that the URL is there.

        Raises:
            FlownbError: it is not.
        """
        if self._url:
            secrets.resolve(self._url)

    async def deliver(self, message: Message) -> None:
        """Send it to the room, or to one person."""
        name = self._url or message.address
        room = message.address if self._url else ""
        if room and not _ROOM.fullmatch(room):
            raise DeliveryFailed(f"{room!r:.80} names no room.")
        try:
            url = secrets.as_text(name, secrets.resolve(name))
        except FlownbError as error:
            raise DeliveryFailed(str(error)) from error
        head, mark, rest = url.partition("?")
        await self._send(f"{head.rstrip('/')}/{room}{mark}{rest}" if room else url, message)

    async def _send(self, url: str, message: Message) -> None:
        with _said() as said:
            try:
                apprise = _apprise()
                service = apprise.Apprise()
                if not service.add(url):
                    raise DeliveryFailed("Apprise knows no service of this URL; its documentation lists them.")
                async with asyncio.timeout(self._timeout):
                    done = await service.async_notify(
                        title=_calm(_title(message)),
                        body=_calm(as_plain(message)[:_MOST_BODY]),
                        body_format=apprise.NotifyFormat.TEXT,
                    )
            except TimeoutError as error:
                raise DeliveryFailed(f"The service did not answer within {self._timeout:g} s.") from error
        if not done:
            why = line(masking.text("; ".join(said)), _MOST_SAID)
            raise DeliveryFailed(f"The service does not take the message: {why or 'it does not say why'}")


def _apprise() -> Any:
    """The package, with its services: it reads them all the first time, and Python warns of some."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        apprise.Apprise.instantiate("json://localhost", suppress_exceptions=True)
    return apprise


def _title(message: Message) -> str:
    head = f"{_HEADS.get(message.kind, '')}[{line(message.workflow, 40)}] {line(message.question, _MOST_TITLE)}"
    return line(head, _MOST_TITLE)


def _calm(text: str) -> str:
    """The text, calling nobody."""
    return _CALL.sub(lambda match: f"{match[0]}\u200b", text)


@contextlib.contextmanager
def _said() -> Iterator[list[str]]:
    """What Apprise says of a failure, which it tells its log and nobody else."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING:
                found.append(record.getMessage())

    log, keep = logging.getLogger("apprise"), Keep()
    log.addHandler(keep)
    try:
        yield found
    finally:
        log.removeHandler(keep)
