"""A message as a mail: plain text, and HTML beside it that needs no picture and no script.

Everything that comes from a run is put on one line for headers, bounded, and escaped for HTML; addresses are only ever
the operator's, and checked. So no text of a run can add a header, a recipient or a tag.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from html import escape
from typing import TYPE_CHECKING, Final

from flownb.errors import UsageError
from flownb.model.fingerprint import digest_of
from flownb.model.times import iso
from flownb.services.channels.shown import SMALL, as_html, as_text
from flownb.services.harmless import block, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.services.channels.channel import Message

_MOST_SUBJECT: Final = 120
_MOST_QUESTION: Final = 4_000
_MOST_NAME: Final = 80
#: A mailbox: letters, digits and what needs no quotes before the `@`, a host name behind it (RFC 5321, 4.1.2).
_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_NAMED: Final = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<box>[^<>\s]+)>\s*")
#: Seven bits, because not every server takes eight.
_POLICY: Final = SMTP.clone(cte_type="7bit")
_HEADS: Final = {"asked": "", "reminder": "Reminder: ", "escalation": "Still unanswered: "}
_BUTTON: Final = (
    "display:inline-block;padding:10px 18px;border-radius:6px;background:#0063a0;color:#ffffff;text-decoration:none;"
    "font-weight:500"
)


def mailbox(text: str, name: str = "") -> Address:
    """An address, as `alice@example.org` or `Alice <alice@example.org>`.

    Args:
        text: the address.
        name: what to call it, where the text does not.

    Raises:
        UsageError: it is none.
    """
    match = _NAMED.fullmatch(text)
    box, shown = (match["box"], match["name"].strip('"')) if match is not None else (text.strip(), name)
    if not _MAILBOX.fullmatch(box) or ".." in box or not text.isprintable():
        raise UsageError(f"{text!r:.80} is no mail address; write it as alice@example.org.", name="address")
    user, _, host = box.rpartition("@")
    return Address(display_name=line(shown, _MOST_NAME), username=user, domain=host)


def letter(message: Message, sender: Address, recipient: Address) -> EmailMessage:
    """The mail."""
    mail = EmailMessage(policy=_POLICY)
    question = line(message.question, _MOST_SUBJECT)
    head = f"{_HEADS.get(message.kind, '')}[{line(message.workflow, 40)}] {question}"
    mail["Subject"] = line(head, _MOST_SUBJECT)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Date"] = formatdate()
    mail["Message-ID"] = _id(message.id, sender)
    if message.id != message.thread:
        mail["References"] = mail["In-Reply-To"] = _id(message.thread, sender)
    mail["Auto-Submitted"] = "auto-generated"  # so that nobody's absence answers it (RFC 3834)
    mail.set_content(as_plain(message))
    mail.add_alternative(_html(message), subtype="html")
    return mail


def _id(text: str, sender: Address) -> str:
    return f"<{digest_of(text)[:24]}.flownb@{sender.domain}>"


def as_plain(message: Message) -> str:
    """The message as text, for mails and chats."""
    parts = [block(message.question)[:_MOST_QUESTION]]
    if message.details:
        parts.append(block(message.details)[:_MOST_QUESTION])
    if message.shown:
        parts.append(as_text(message.shown))
    parts.append("\n".join(facts(message)))
    if message.link is not None:
        parts.append(f"Answer here:\n{message.link}")
    if message.commands:
        parts.append("Or in a terminal, where the run is:\n" + "\n".join(f"  {each}" for each in message.commands))
    return "\n\n".join(parts) + "\n"


def facts(message: Message) -> Iterator[str]:
    """Where it comes from, who may answer, and until when."""
    yield f"Asked by {line(message.workflow, 60)}, node {line(message.node, 80)}, run {message.run}."
    if message.approvers:
        yield f"May answer: {line(', '.join(message.approvers), 200)}."
    if message.due is not None:
        yield f"Due {iso(message.due)}."
    if message.until is not None:
        yield f"Expires {iso(message.until)}."


def _html(message: Message) -> str:
    parts = [f'<p style="margin:0 0 12px;font-size:18px">{_lines(message.question)}</p>']
    if message.details:
        parts.append(f'<p style="margin:0 0 12px">{_lines(message.details)}</p>')
    parts.append(as_html(message.shown))
    if message.link is not None:
        link = f'<a href="{escape(message.link)}" style="{_BUTTON}">Look and answer</a>'
        parts.append(f'<p style="margin:20px 0">{link}</p>')
    parts.append(f'<p style="{SMALL}">{"<br>".join(escape(each) for each in facts(message))}</p>')
    if message.commands:
        lines = "<br>".join(escape(each) for each in message.commands)
        parts.append(f'<p style="{SMALL}">Or in a terminal, where the run is:<br><code>{lines}</code></p>')
    style = "font-family:system-ui,sans-serif;font-size:15px;color:#1c1c1c;max-width:640px"
    return f'<!doctype html><html><body><div style="{style}">{"".join(parts)}</div></body></html>'


def _lines(text: str) -> str:
    return "<br>".join(escape(each) for each in block(text)[:_MOST_QUESTION].splitlines())
