from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.errors import NotFound, UsageError
from flownb.services import masking
from flownb.services.channels.channel import DeliveryFailed
from flownb.services.channels.mail import Mail
from tests.posting import MailServer
from tests.unit.services.channels.test_letter import HOSTILE, MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "canary-of-the-mail-server"
TABLE = {"host": "127.0.0.1", "security": "none", "from": "flows@example.org"}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def send(port: int, message: Any = MESSAGE, **more: Any) -> None:
    asyncio.run(Mail.of("mail", {**TABLE, "port": port, **more}).deliver(message))


def why_not(port: int, **more: Any) -> str:
    with pytest.raises(DeliveryFailed) as failed:
        send(port, **more)
    return str(failed.value)


def test_a_mail_arrives_as_text_and_html(server: MailServer) -> None:
    send(server.port)
    (mail,) = server.mails
    assert server.recipients == ["anna@example.org"]
    assert mail["Subject"] == "[invoices] Post 1500.0 EUR?"
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_reaches_one_person_as_one_mail(server: MailServer, text: str) -> None:
    send(server.port, msgspec.structs.replace(MESSAGE, question=text, details=text, workflow=text))
    assert (len(server.mails), server.recipients) == (1, ["anna@example.org"])


@pytest.mark.parametrize("reply", ["451 4.3.0 try later", "550 5.7.1 we take no mail", "554 no \x1b[31mred"])
def test_what_the_server_says_is_told(server: MailServer, reply: str) -> None:
    server.replies = [reply]
    told = why_not(server.port)
    assert told.startswith(f"127.0.0.1:{server.port} does not take the mail: {reply[:3]} ")
    assert told.isprintable()


def test_a_slow_server_is_not_waited_for(server: MailServer) -> None:
    server.slow = 60.0
    assert why_not(server.port, timeout=1) == f"127.0.0.1:{server.port} did not answer within 1 s."


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert why_not(port).startswith(f"127.0.0.1:{port} can't be reached: ")


def test_a_host_that_does_not_exist() -> None:
    assert "can't be reached" in why_not(25, host="no-such-host.invalid")


def test_a_server_that_talks_nonsense() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\xfe hello\r\n\r\n")
        writer.close()

    async def main() -> str:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(DeliveryFailed) as failed:
                await Mail.of("mail", {**TABLE, "port": port}).deliver(MESSAGE)
        finally:
            server.close()
            await server.wait_closed()
        return str(failed.value)

    assert asyncio.run(main()).isprintable()


def test_a_server_that_offers_no_encryption_gets_nothing(server: MailServer) -> None:
    assert "STARTTLS" in why_not(server.port, security="starttls")
    assert server.mails == []


def test_who_logs_in_with_the_password_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_SECRET_SMTP_PASSWORD", PASSWORD)
    with MailServer(user="flows", password=PASSWORD) as server:
        send(server.port, user="flows", password="secret://smtp_password")
        assert len(server.mails) == 1
        monkeypatch.setenv("FLOWNB_SECRET_SMTP_PASSWORD", "canary-that-is-wrong")
        told = why_not(server.port, user="flows", password="smtp_password")
        assert told.startswith(f"127.0.0.1:{server.port} does not let flows in: 535 ")
        assert "canary" not in told
    assert masking.text(f"x {PASSWORD} y") == "x *** y"


def test_a_secret_that_is_missing_is_named(server: MailServer) -> None:
    with pytest.raises(NotFound, match="There is no secret 'smtp_pasword'"):
        send(server.port, user="flows", password="smtp_pasword")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"host": 3}, "host is 3; it should be a text."),
        ({"host": "a\nb"}, "it should be a text."),
        ({"from": "flows"}, "'flows' is no mail address"),
        ({"port": 0}, "port is 0; it should be a number from 1 to 65535."),
        ({"port": True}, "port is True; it should be a number"),
        ({"port": "25"}, "port is '25'; it should be a number"),
        ({"security": "ssl"}, "security is 'ssl'; it should be one of starttls, tls, none."),
        ({"timeout": 0}, "timeout is 0; it should be a number from 1 to 60."),
        ({"user": "x"}, "user and password belong together"),
        ({"password": "smtp"}, "user and password belong together"),
        ({"user": "x", "password": f"{PASSWORD}!"}, "password names no secret"),
        ({"user": "x", "password": "smtp", "host": "smtp.example.org"}, "would go to smtp.example.org in the clear"),
        ({"passwort": "x"}, "it has no field 'passwort'. Did you mean 'password' or 'port'?"),
    ],
)
def test_settings_that_are_wrong_are_told_in_a_sentence(change: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError) as refused:
        Mail.of("mail", {**TABLE, **change})
    assert why in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flownb.services.channels.extras.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"The channel mail needs .* aiosmtplib.*pip install 'flownb\[notify\]'"):
        Mail.of("mail", TABLE)
