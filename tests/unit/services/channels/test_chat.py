from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.errors import UsageError
from flownb.services.channels.channel import DeliveryFailed
from flownb.services.channels.chat import Chat
from tests.posting import WebServer
from tests.unit.services.channels.test_letter import HOSTILE, MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM = msgspec.structs.replace(MESSAGE, to="", address="")
TOKEN = "canary-of-the-chat"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with WebServer() as running:
        monkeypatch.setenv("FLOWNB_SECRET_OPS_URL", f"json://127.0.0.1:{running.port}/{TOKEN}")
        yield running


def send(message: Any = ROOM, **table: Any) -> None:
    asyncio.run(Chat.of("ops", {"url": "ops_url", **table}).deliver(message))


def why_not(message: Any = ROOM, **table: Any) -> str:
    with pytest.raises(DeliveryFailed) as failed:
        send(message, **table)
    return str(failed.value)


def test_a_message_arrives(server: WebServer) -> None:
    send()
    (got,) = server.got
    assert got["title"] == "[invoices] Post 1500.0 EUR?"
    assert "Answer here:\nhttps://flows.example.org/a/token" in got["message"]
    assert "flownb approve a1" in got["message"]


def test_a_room_is_put_into_the_url(server: WebServer) -> None:
    send(msgspec.structs.replace(ROOM, address="#finance"))
    assert len(server.paths) == 1
    for room in ("a b", "../x", "#a?b=c", "x" * 100):
        assert "names no room" in why_not(msgspec.structs.replace(ROOM, address=room))


def test_without_a_url_each_person_has_one(server: WebServer) -> None:
    channel = Chat.of("chat", {})
    assert (channel.personal, Chat.of("ops", {"url": "ops_url"}).personal) == (True, False)
    asyncio.run(channel.deliver(msgspec.structs.replace(MESSAGE, address="secret://ops_url")))
    assert len(server.got) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(server: WebServer, text: str) -> None:
    send(msgspec.structs.replace(ROOM, question=text, details=text, workflow=text))
    (got,) = server.got
    assert len(got["message"]) <= 4_000
    assert len(got["title"]) <= 140


def test_nobody_is_called_by_a_question(server: WebServer) -> None:
    send(msgspec.structs.replace(ROOM, question="Hi @everyone, @Channel <!here> <@U123> anna@example.org"))
    (got,) = server.got
    for call in ("@everyone", "@Channel", "<!here", "<@U123"):
        assert call not in got["message"] + got["title"]
    assert "anna@example.org" in got["message"]


def test_what_the_service_says_is_told_without_its_token(server: WebServer) -> None:
    server.replies = [500]
    told = why_not()
    assert told.startswith("The service does not take the message: ")
    assert "500" in told
    assert TOKEN not in told


@pytest.mark.parametrize("url", ["nothing", "nosuch://x", "json://", "", "file:///etc/passwd"])
def test_what_is_no_url_of_a_service(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FLOWNB_SECRET_OPS_URL", url)
    told = why_not()
    assert ("Apprise knows no service of this URL" in told) or ("is empty" in told)
    assert not url or url not in told


def test_a_dead_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_SECRET_OPS_URL", "json://127.0.0.1:1/hook")
    assert why_not().startswith("The service does not take the message: ")


def test_a_secret_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWNB_SECRET_OPS_URL", raising=False)
    assert "There is no secret 'ops_url'" in why_not()


def test_the_url_itself_is_refused_where_its_name_belongs() -> None:
    with pytest.raises(UsageError) as refused:
        Chat.of("ops", {"url": f"slack://{TOKEN}/b/c"})
    assert "url names no secret" in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flownb.services.channels.extras.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"The channel ops needs .* apprise.*pip install 'flownb\[notify\]'"):
        Chat.of("ops", {"url": "ops_url"})
