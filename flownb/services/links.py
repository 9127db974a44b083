"""Signed links: to one question, to a person's list of questions, to a run; and what a page signs of its own form.

A token says what it is for, whom it was made for (empty for whoever holds it), until when it is good, and has a number
of its own. It is signed with the newest key of the store, and good as long as the key that signed it is among the
store's: nothing in it is secret, and nobody without a key can make or change one. Whether it was used is known where
the answer is kept: an answer by a link carries the link's number, and no number counts twice.

Links begin with the public address, which the operator sets in `.flownb/settings.toml`, or in `FLOWNB_PUBLIC_URL`:

```toml
[public]
url = "https://flows.example.org"
```
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from flownb.errors import NotFound, UsageError
from flownb.services.identity import check_name
from flownb.services.settings import section, settings_of

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer

    from flownb.store.contract import Store
    from flownb.store.keys import Keys
    from flownb.store.requests import ApprovalRow

VARIABLE: Final = "FLOWNB_PUBLIC_URL"
_DAY: Final = 86_400
#: How long a link is good, in days, and how long after the end of its question: so that it tells how that ended.
DAYS: Final = 30
_DAYS_AFTER: Final = 7
#: What a token can look like: anything else is not even tried.
_SHAPE: Final = re.compile(r"\.?[A-Za-z0-9_-]{8,1400}\.[A-Za-z0-9_-]{43}", re.ASCII)
_FIELDS: Final = (str, str, str, int, str)
_NUMBER: Final = 16


class LinkKind(StrEnum):
    """What a link is for; a token of one kind is none of another."""

    #: One question, and one answer to it.
    ANSWER = "a"
    #: All that a person may answer.
    INBOX = "inbox"
    #: A run, and what it asks at the moment.
    RUN = "r"
    #: No link: what a page puts into its form, so that an answer comes from a page that was shown.
    PAGE = "page"


class Unfit(StrEnum):
    """Why a token is none."""

    UNKNOWN = "unknown"
    #: It was good once.
    OLD = "old"


class Link(NamedTuple):
    """What a token says."""

    #: The run and the request that it is about; empty in the link to a person's list.
    run: str
    approval: str
    #: Whom it was made for; empty for whoever holds it.
    person: str
    #: Seconds since 1970.
    expires: int
    number: str


def link_to(store: Store, approval: ApprovalRow, person: str = "", *, now: float | None = None) -> str | None:
    """The link with which a person answers a request, once; None where no public address is set.

    Args:
        store: where the request is.
        approval: the request.
        person: who answers by it, in the words of `approvers`; empty for whoever holds it, which is nobody of them.
        now: seconds since 1970.

    Raises:
        UsageError: the public address or the person's name is none.
        StoreReadOnly: the store has no key, and none can be made.
    """
    base = public_url(store)
    if base is None:
        return None
    now = time.time() if now is None else now
    until = max(now + DAYS * _DAY, (approval.expires_at or 0) + _DAYS_AFTER * _DAY)
    link = Link(approval.run, approval.id, person, int(until), new_number())
    return _url(base, LinkKind.ANSWER, sign(store.keys, LinkKind.ANSWER, link))


def inbox_link(store: Store, person: str, *, now: float | None = None) -> str | None:
    """The link to all that a person may answer, good for as many answers; None where no public address is set.

    Raises:
        UsageError: the public address or the person's name is none, or the name is empty.
    """
    if not person.strip():
        raise UsageError("The link to a list of questions is somebody's: name the person.", name="person")
    base = public_url(store)
    if base is None:
        return None
    now = time.time() if now is None else now
    link = Link("", "", person, int(now + DAYS * _DAY), new_number())
    return _url(base, LinkKind.INBOX, sign(store.keys, LinkKind.INBOX, link))


def run_link(store: Store, run: str, *, now: float | None = None) -> str | None:
    """The link to a run and to what it asks, for whoever holds it; None where no public address is set.

    It is the same text for a whole day, so that a node that runs again says the same again.

    Raises:
        UsageError: the public address is none.
    """
    base = public_url(store)
    if base is None:
        return None
    until = (int(time.time() if now is None else now) // _DAY + 1 + DAYS) * _DAY
    number = hashlib.sha256(f"{run}\n{until}".encode()).hexdigest()[:_NUMBER]
    return _url(base, LinkKind.RUN, sign(store.keys, LinkKind.RUN, Link(run, "", "", until, number)))


def needed_run_link(store: Store, run: str, *, now: float | None = None) -> str:
    """The link to a run, where somebody can't do without.

    Raises:
        NotFound: no public address is set; the message says how to set one.
        UsageError: the public address is none.
    """
    found = run_link(store, run, now=now)
    if found is None:
        raise NotFound(f"There is no link to run {run}: {how_to_set(store)}", name=VARIABLE)
    return found


def how_to_set(store: Store) -> str:
    """What to do where no public address is set."""
    place = settings_of(store) or "the settings of a store on disk"
    return (
        f'no public address is set. Put `[public]` and `url = "https://…"` into {place}, or set {VARIABLE}; '
        "`flownb serve --public` is what has to answer there."
    )


def _url(base: str, kind: LinkKind, token: str) -> str:
    return f"{base}/{kind}/{token}"


def public_url(store: Store) -> str | None:
    """The address under which people reach the public pages, without a slash at its end; None where none is set.

    Raises:
        UsageError: what is set is no address.
    """
    settings = settings_of(store)
    place = VARIABLE
    found: Any = os.environ.get(VARIABLE)
    if not found:
        place = f"[public] url in {settings}"
        found = section(settings, "public").get("url")
    if found is None or found == "":
        return None
    fault = _fault(found)
    if fault:
        raise UsageError(f"{place} is {found!r:.120}, {fault}; write it as https://flows.example.org.", name=VARIABLE)
    return str(found).strip().rstrip("/")


def _fault(url: Any) -> str:
    """Why a text is no public address; empty where it is one."""
    if not isinstance(url, str) or not url.isprintable():
        return "which is no text"
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"which can't be read ({error})"
    if parts.scheme not in ("http", "https") or not host:
        return "which is no address of a web page"
    if parts.query or parts.fragment or "@" in parts.netloc or " " in url.strip():
        return "and has more than a host and a path"
    return ""


# --- tokens -----------------------------------------------------------------------------------------------------------


def new_number() -> str:
    """A number that no link had before."""
    return secrets.token_hex(_NUMBER // 2)


def sign(keys: Keys, kind: LinkKind, link: Link) -> str:
    """The token of a link.

    Raises:
        UsageError: the person's name is none.
        StoreReadOnly: there is no key, and none can be made.
    """
    check_name(link.person)
    _, newest = keys.newest()
    token = _serializer([newest], kind).dumps(list(link))
    return token if isinstance(token, str) else token.decode("ascii")


def read(keys: Keys, kind: LinkKind, token: str, now: float) -> Link | Unfit:
    """What a token says, or why it is none; how long that takes tells nobody how near they were.

    Args:
        keys: those of the store; each verifies.
        kind: what the token has to be for.
        token: whatever came.
        now: seconds since 1970.
    """
    from itsdangerous import BadData
    from itsdangerous.encoding import base64_decode, base64_encode

    known = list(keys.all().values())
    if not known or not isinstance(token, str) or not _SHAPE.fullmatch(token):
        return Unfit.UNKNOWN
    # The last character of a signature has bits that mean nothing: one text for a token, and no other.
    signature = token.rpartition(".")[2]
    if base64_encode(base64_decode(signature)).decode("ascii") != signature:
        return Unfit.UNKNOWN
    try:
        found: Any = _serializer(known[::-1], kind).loads(token)
    except BadData:
        return Unfit.UNKNOWN
    if not isinstance(found, list) or [type(each) for each in found] != list(_FIELDS):
        return Unfit.UNKNOWN
    link = Link(*found)
    return link if now < link.expires else Unfit.OLD


def _serializer(keys: list[bytes], kind: LinkKind) -> URLSafeSerializer:
    """What signs with the last of the keys, and verifies with each."""
    from itsdangerous import URLSafeSerializer

    how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(keys, salt=f"flownb.link.1.{kind}".encode(), signer_kwargs=how)
