"""Mail by SMTP, with the package aiosmtplib."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from typing import TYPE_CHECKING, Any, ClassVar, Final

from flownb.errors import UsageError
from flownb.services import masking, secrets
from flownb.services.channels import fields
from flownb.services.channels.channel import SECONDS, DeliveryFailed
from flownb.services.channels.extras import need
from flownb.services.channels.letter import letter, mailbox
from flownb.services.harmless import line

if TYPE_CHECKING:
    from email.headerregistry import Address

    from flownb.services.channels.channel import Message

#: How the line is secured, with the usual port of it.
_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_MOST_SAID: Final = 300


class Mail:
    """One server, and the address that mails come from."""

    FIELDS: ClassVar[tuple[str, ...]] = ("host", "port", "security", "from", "user", "password", "timeout")
    personal: ClassVar[bool] = True

    def __init__(
        self,
        host: str,
        sender: Address,
        *,
        security: str = "starttls",
        port: int | None = None,
        user: str = "",
        password: str = "",
        timeout: float = SECONDS,
    ) -> None:
        """A server.

        Args:
            host: its name.
            sender: what mails come from.
            security: `starttls` (it must offer that), `tls` from the start, or `none`.
            port: where it listens; by default as is usual for the security.
            user: whom to log in as; empty for nobody.
            password: the name of a secret, never its value.
            timeout: seconds that it gets.

        Raises:
            UsageError: a password would go over the network in the clear.
        """
        if password and security == "none" and not _is_here(host):
            raise UsageError(f"security is none: the password would go to {host} in the clear. Use starttls or tls.")
        self._host, self._sender, self._security = host, sender, security
        self._port = _PORTS[security] if port is None else port
        self._user, self._password, self._timeout = user, password, timeout

    @classmethod
    def of(cls, name: str, table: dict[str, Any]) -> Mail:
        """As the settings have it.

        Raises:
            UsageError: they are wrong, or the package is not installed.
        """
        need("aiosmtplib", f"The channel {name}")
        fields.only(table, cls.FIELDS)
        security = fields.text(table, "security", "starttls")
        if security not in _PORTS:
            raise UsageError(f"security is {security!r:.40}; it should be one of {', '.join(_PORTS)}.")
        user, password = table.get("user", ""), fields.secret(table, "password")
        if bool(user) != bool(password):
            raise UsageError("user and password belong together: give both, or none.")
        return cls(
            fields.text(table, "host"),
            mailbox(fields.text(table, "from")),
            security=security,
            port=int(fields.number(table, "port", _PORTS[security], 1, 65535)),
            user=fields.text(table, "user") if user else "",
            password=password,
            timeout=fields.number(table, "timeout", SECONDS, 1, 60),
        )

    def check(self) -> None:
        """See that the password is there.

        Raises:
            FlownbError: it is not.
        """
        if self._password:
            secrets.resolve(self._password)

    async def deliver(self, message: Message) -> None:
        """Send a mail to one person."""
        import aiosmtplib

        try:
            recipient = mailbox(message.address, message.to)
        except UsageError as error:
            raise DeliveryFailed(f"The address of {message.to} can't be used: {error}") from error
        password = secrets.as_text(self._password, secrets.resolve(self._password)) if self._password else None
        try:
            async with asyncio.timeout(self._timeout):
                await aiosmtplib.send(
                    letter(message, self._sender, recipient),
                    sender=self._sender.addr_spec,
                    recipients=[recipient.addr_spec],
                    hostname=self._host,
                    port=self._port,
                    username=self._user or None,
                    password=password,
                    use_tls=self._security == "tls",
                    start_tls=self._security == "starttls",
                    timeout=self._timeout,
                )
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, TimeoutError, ValueError) as error:
            raise DeliveryFailed(self._told(error)) from error

    def _told(self, error: Exception) -> str:
        """What went wrong, for people."""
        import aiosmtplib

        place = f"{self._host}:{self._port}"
        said = line(masking.text(str(getattr(error, "message", "") or error)), _MOST_SAID)
        match error:
            case aiosmtplib.SMTPAuthenticationError():
                return f"{place} does not let {self._user} in: {error.code} {said}"
            case TimeoutError() | aiosmtplib.SMTPTimeoutError():
                return f"{place} did not answer within {self._timeout:g} s."
            case aiosmtplib.SMTPRecipientsRefused():
                refused = "; ".join(line(f"{each.code} {each.message}", _MOST_SAID) for each in error.recipients)
                return f"{place} does not take the mail: {refused}"
            case aiosmtplib.SMTPResponseException():
                return f"{place} does not take the mail: {error.code} {said}"
            case aiosmtplib.SMTPConnectError() | OSError():
                return f"{place} can't be reached: {said}"
            case _:
                return f"{place} does not take the mail: {said or type(error).__name__}"


def _is_here(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
