from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flownb.errors import UsageError
from flownb.services.channels.channel import Message
from flownb.services.channels.letter import letter, mailbox

SENDER = mailbox("flownb <flows@example.org>")
ANNA = mailbox("anna@example.org", "anna")
MESSAGE = Message(
    id="r1/a1/asked/mail/anna/0",
    thread="r1/a1/asked/mail/anna/0",
    kind="asked",
    run="r1",
    workflow="invoices",
    node="ok",
    approval="a1",
    question="Post 1500.0 EUR?",
    details="Two lines look odd.",
    ports=("approved", "rejected"),
    until=1_000_000.0,
    approvers=("anna", "finance"),
    to="anna",
    address="anna@example.org",
    link="https://flows.example.org/a/token?x=1&y=2",
    commands=("flownb approve a1", "flownb reject a1"),
    shown=({"name": "load", "kind": "value", "value": [{"item": "tea <b>", "n": 3}]},),
)

HOSTILE = [
    "Fine?\r\nBcc: eve@example.org\r\n\r\nhello",
    "Fine?\nBcc: eve@example.org",
    "Fine?\x00\x1b[2J\x85Bcc: eve@example.org\u2028X-Odd: 1",
    "=?utf-8?q?Bcc=3A_eve=40example=2Eorg?=\n",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\u202eevil\u2066 \ud800 half",
    "x" * 1_000_000,
    "\n.\nMAIL FROM:<eve@example.org>\n.\nQUIT\n",
    "{{ secret }} %s %(x)s {0} \\",
]


def read_back(message: Message) -> Any:
    """The mail as a receiver reads it."""
    return message_from_bytes(letter(message, SENDER, ANNA).as_bytes(), policy=policy.default)


def test_a_mail_says_what_is_asked_and_how_to_answer() -> None:
    mail = read_back(MESSAGE)
    assert mail["Subject"] == "[invoices] Post 1500.0 EUR?"
    assert (mail["From"], mail["To"]) == ("flownb <flows@example.org>", "anna <anna@example.org>")
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    for part in (
        "Post 1500.0 EUR?",
        "Two lines look odd.",
        "tea <b>  3",
        "Asked by invoices, node ok, run r1.",
        "May answer: anna, finance.",
        "Expires 1970-01-12T13:46:40",
        "Answer here:\nhttps://flows.example.org/a/token?x=1&y=2",
        "  flownb approve a1",
    ):
        assert part in text
    html = mail.get_body(("html",)).get_content()
    assert 'href="https://flows.example.org/a/token?x=1&amp;y=2"' in html
    assert "tea &lt;b&gt;" in html


def test_a_reminder_says_so_and_belongs_to_the_first_mail() -> None:
    first = read_back(MESSAGE)
    again = read_back(msgspec.structs.replace(MESSAGE, id="r1/a1/reminder/mail/anna/1", kind="reminder"))
    assert again["Subject"] == "Reminder: [invoices] Post 1500.0 EUR?"
    assert again["In-Reply-To"] == first["Message-ID"] != again["Message-ID"]
    assert read_back(MESSAGE)["Message-ID"] == first["Message-ID"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["question", "details", "workflow", "node", "to"])
def test_no_text_of_a_run_adds_a_header_a_recipient_or_a_tag(text: str, field: str) -> None:
    given_message = msgspec.structs.replace(MESSAGE, **{field: text})
    mail = read_back(given_message)
    assert set(mail.keys()) == set(read_back(MESSAGE).keys())
    assert [each.addr_spec for each in mail["To"].addresses] == ["anna@example.org"]
    assert len(mail["Subject"]) <= 120
    assert len(mail.as_bytes()) < 100_000
    html = mail.get_body(("html",)).get_content()
    assert "<script" not in html
    assert "<img" not in html


@settings(max_examples=50)
@given(st.text(), st.text(), st.text())
def test_whatever_the_text_the_headers_are_the_same(question: str, workflow: str, name: str) -> None:
    message = msgspec.structs.replace(MESSAGE, question=question or "?", workflow=workflow, to=name)
    data = letter(message, SENDER, mailbox("anna@example.org", name)).as_bytes()
    mail: Any = message_from_bytes(data, policy=policy.default)
    assert set(mail.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert [each.addr_spec for each in mail["To"].addresses] == ["anna@example.org"]


def test_what_is_shown_is_kept_small() -> None:
    rows = [{"name": "x" * 500, "n": number} for number in range(10_000)]
    shown = tuple({"name": f"part {number}", "kind": "value", "value": rows} for number in range(50))
    diff = {"name": "d", "kind": "diff", "value": "+a <b>\n" * 100_000}
    assert len(read_back(msgspec.structs.replace(MESSAGE, shown=(diff, *shown))).as_bytes()) < 100_000


@pytest.mark.parametrize(
    "text",
    [
        "", "anna", "@example.org", "anna@", "anna@example.org, eve@example.org", "anna@example.org\nBcc: x@y.z",
        "anna @example.org", "anna@exa mple.org", "<anna@example.org", "anna@@example.org", "anna@example..org",
        "anna@[127.0.0.1]", '"a b"@example.org', "änna@example.org", "a\x00@example.org", "anna@-example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no mail address; write it as alice@example.org"):
        mailbox(text)


def test_addresses_may_have_a_name() -> None:
    assert str(mailbox("Anna Example <anna@example.org>")) == "Anna Example <anna@example.org>"
    assert str(mailbox("anna.x+y@mail.example.org")) == "anna.x+y@mail.example.org"
