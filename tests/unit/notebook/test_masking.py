from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb.notebook.masking import _Guard
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "sk-live-4f9a8b7c6d5e"


@pytest.fixture(autouse=True)
def one_secret() -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    masking.forget()
    masking.learn("key", SECRET)
    yield
    masking.forget()
    logging.setLogRecordFactory(factory)


class Session:
    """What a kernel's session does, as far as the guard stands before it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def send(
        self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, ident: Any = None, **more: Any
    ) -> Any:
        message = msg_or_type
        if not isinstance(message, dict):
            message = {"header": {"msg_type": message}, "content": content, "parent_header": parent or {}}
        self.sent.append((message["header"]["msg_type"], self.serialize(message, ident)))
        return message

    def serialize(self, msg: dict[str, Any], ident: Any = None) -> Any:
        return msg["content"]

    def message(self, kind: str, content: Any, request: str = "1") -> None:
        """Send as a stream does: the whole message."""
        self.send(None, {"header": {"msg_type": kind}, "content": content, "parent_header": {"msg_id": request}})

    def text(self, name: str = "stdout") -> str:
        return "".join(content["text"] for kind, content in self.sent if kind == "stream" and content["name"] == name)


@pytest.fixture
def session() -> Session:
    made = Session()
    _Guard(made)
    return made


def say(session: Session, *texts: str, name: str = "stdout", request: str = "1") -> None:
    for text in texts:
        session.message("stream", {"name": name, "text": text}, request)


def idle(session: Session, request: str = "1") -> None:
    session.send(None, "status", {"execution_state": "idle"}, parent={"header": {"msg_id": request}})


def test_every_message_is_masked_and_the_protocols_own_words_stay(session: Session) -> None:
    masking.learn("word", "stdout-error")
    session.message("display_data", {"data": {"text/html": f"<b>{SECRET}</b>"}, "metadata": {}})
    session.send(None, "execute_reply", {"status": "stdout-error", "evalue": SECRET, "traceback": [SECRET]})
    say(session, f"{SECRET} stdout-error\n", name="stdout-error")
    assert [content for _, content in session.sent] == [
        {"data": {"text/html": "<b>***</b>"}, "metadata": {}},
        {"status": "stdout-error", "evalue": "***", "traceback": ["***"]},
        {"name": "stdout-error", "text": "*** ***\n"},
    ]


def test_a_secret_in_two_messages_is_masked(session: Session) -> None:
    say(session, f"x {SECRET[:8]}")
    assert session.text() == "x "
    say(session, f"{SECRET[8:]} y\n")
    assert session.text() == "x *** y\n"


def test_the_end_of_a_text_comes_before_the_end_of_its_cell_and_before_other_output(session: Session) -> None:
    say(session, "is")
    session.message("display_data", {"data": {}})
    say(session, "it is")
    say(session, "as", request="2")
    idle(session)
    assert [kind for kind, _ in session.sent] == [
        "stream",
        "stream",
        "display_data",
        "stream",
        "stream",
        "stream",
        "status",
    ]
    assert [content["text"] for kind, content in session.sent if kind == "stream"] == ["i", "s", "it i", "a", "s"]
    idle(session, "2")
    assert session.text() == "isit iass"


def test_most_of_a_secret_at_the_end_of_a_cell_is_not_shown(session: Session) -> None:
    say(session, f"x {SECRET[:-2]}")
    idle(session)
    assert session.text() == "x ***"


def test_what_is_written_after_the_end_of_its_cell_comes_all_the_same(session: Session) -> None:
    idle(session)
    say(session, "is")
    for _ in range(500):
        if session.text() == "is":
            break
        threading.Event().wait(0.01)
    assert session.text() == "is"


def test_without_secrets_messages_go_as_they_are(session: Session) -> None:
    masking.forget()
    say(session, SECRET)
    assert session.text() == SECRET
