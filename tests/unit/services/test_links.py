"""Tokens: what is signed is read again, and nothing else is."""

from __future__ import annotations

import base64
import os
import random
import string
from typing import TYPE_CHECKING

import pytest

from flownb.errors import UsageError
from flownb.model.events import ApprovalRequested
from flownb.services.links import (
    DAYS,
    Link,
    LinkKind,
    Unfit,
    inbox_link,
    link_to,
    new_number,
    public_url,
    read,
    run_link,
    sign,
)
from flownb.store.audit import seal
from flownb.store.keys import Keys
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from flownb.store.requests import ApprovalRow

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.store.contract import Store

NOW = 1_800_000_000.0
DAY = 86_400
ALPHABET = string.ascii_letters + string.digits + "-_.~%/= \n\0é"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "https://flows.example.org/")
    return MemoryStore()


@pytest.fixture
def home(tmp_path: Path) -> Store:
    """A store with a place, whose settings can be written."""
    return open_store(f"sqlite:///{tmp_path}/.flownb/flownb.db")


def a_link(person: str = "anna") -> Link:
    return Link("01k2f7qz", "5e1c0a9b77d2", person, int(NOW) + DAY, new_number())


@pytest.mark.parametrize("person", ["anna", "", "Ünal Çelik <ü@example.org>", "a" * 200])
@pytest.mark.parametrize("kind", list(LinkKind))
def test_a_token_says_what_was_signed_and_is_good_for_one_purpose_only(kind: LinkKind, person: str) -> None:
    keys, link = Keys(), a_link(person)
    token = sign(keys, kind, link)
    assert read(keys, kind, token, NOW) == link
    assert [read(keys, other, token, NOW) for other in LinkKind if other is not kind] == [Unfit.UNKNOWN] * 3
    assert not set(token) - set(string.ascii_letters + string.digits + "-_.")


def test_a_token_has_a_time_after_which_it_is_old(store: Store) -> None:
    token = sign(store.keys, LinkKind.ANSWER, a_link())
    assert isinstance(read(store.keys, LinkKind.ANSWER, token, NOW + DAY - 1), Link)
    assert read(store.keys, LinkKind.ANSWER, token, NOW + DAY) is Unfit.OLD
    assert read(Keys(), LinkKind.ANSWER, token, NOW + DAY) is Unfit.UNKNOWN  # who has no key isn't told that


def changes_are_refused(count: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, keys = random.Random(seed), Keys()
    for number in range(count):
        kind = chance.choice(list(LinkKind))
        if not number % 100:
            tokens = {each: sign(keys, each, a_link(chance.choice(["anna", ""]))) for each in LinkKind}
        token = tokens[kind]
        place = chance.randrange(len(token))
        match chance.randrange(3):
            case 0:
                other = token[:place] + chance.choice(ALPHABET) + token[place + 1 :]
            case 1:
                other = token[:place] + token[place + 1 :]
            case _:
                other = token[:place] + chance.choice(ALPHABET) + token[place:]
        assert other == token or read(keys, kind, other, NOW) is Unfit.UNKNOWN, (token, other)


def test_no_change_of_one_character_leaves_a_token() -> None:
    changes_are_refused(2_000)


@pytest.mark.soak
def test_no_change_of_one_character_leaves_a_token_in_full_numbers() -> None:
    changes_are_refused(20_000)


def test_every_last_character_but_the_one_that_was_signed_is_refused() -> None:
    keys = Keys()
    token = sign(keys, LinkKind.ANSWER, a_link())
    others = [token[:-1] + each for each in ALPHABET if each != token[-1]]
    assert {read(keys, LinkKind.ANSWER, other, NOW) for other in others} == {Unfit.UNKNOWN}


@pytest.mark.parametrize(
    "text", ["", ".", "a.b", "." * 3, "A" * 5_000, "A" * 40 + "." + "A" * 43, "é" * 80, "\ud800", "..", "a" * 60 + "."]
)
def test_what_never_was_a_token_is_unknown(text: str) -> None:
    assert read(Keys(), LinkKind.ANSWER, text, NOW) is Unfit.UNKNOWN
    signed = Keys()
    sign(signed, LinkKind.ANSWER, a_link())
    assert read(signed, LinkKind.ANSWER, text, NOW) is Unfit.UNKNOWN


def test_a_new_key_signs_and_an_old_one_verifies_until_it_is_taken_away(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    old, new = os.urandom(32).hex(), os.urandom(32).hex()
    file.write_text(f"{old}\n")
    keys, link = Keys(file), a_link()
    before = sign(keys, LinkKind.ANSWER, link)
    file.write_text(f"{new}\n{old}\n")
    after = sign(Keys(file), LinkKind.ANSWER, link)
    assert before != after
    assert [read(keys, LinkKind.ANSWER, each, NOW) for each in (before, after)] == [link, link]
    file.write_text(f"{new}\n")
    assert [read(keys, LinkKind.ANSWER, each, NOW) for each in (before, after)] == [Unfit.UNKNOWN, link]
    file.unlink()
    assert read(keys, LinkKind.ANSWER, after, NOW) is Unfit.UNKNOWN


def test_a_seal_of_the_audit_log_is_no_signature(store: Store) -> None:
    body, _, _ = sign(store.keys, LinkKind.ANSWER, a_link()).rpartition(".")
    _, key = store.keys.newest()
    forged = base64.urlsafe_b64encode(bytes.fromhex(seal(key, "r", 1, "", body.encode()))).decode().rstrip("=")
    assert read(store.keys, LinkKind.ANSWER, f"{body}.{forged}", NOW) is Unfit.UNKNOWN


# --- where links lead -------------------------------------------------------------------------------------------------


def test_links_begin_with_the_public_address(store: Store, home: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    url = inbox_link(store, "anna", now=NOW)
    assert url is not None
    assert url.startswith("https://flows.example.org/inbox/")
    link = read(store.keys, LinkKind.INBOX, url.rpartition("/")[2], NOW)
    assert isinstance(link, Link)
    assert (link.person, link.expires) == ("anna", NOW + DAYS * DAY)
    monkeypatch.delenv("FLOWNB_PUBLIC_URL")
    assert (public_url(store), public_url(home), inbox_link(home, "anna"), run_link(home, "r")) == (None,) * 4
    assert home.keys.path is not None
    settings = home.keys.path.with_name("settings.toml")
    settings.write_text('[public]\nurl = "http://[::1]:8642/flows/"\n')
    assert public_url(home) == "http://[::1]:8642/flows"
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "https://other.example.org")
    assert public_url(home) == "https://other.example.org"


def test_the_link_to_a_run_is_the_same_all_day(store: Store) -> None:
    first, later, tomorrow = (run_link(store, "r", now=NOW // DAY * DAY + each) for each in (0, DAY - 1, DAY))
    assert first == later != tomorrow


@pytest.mark.parametrize(
    "url",
    [
        "flows.example.org",
        "ftp://x.org",
        "https://",
        "https://x.org/?a=1",
        "https://me:pw@x.org",
        "http://[",
        "https://x y",
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", url)
    with pytest.raises(UsageError, match=r"FLOWNB_PUBLIC_URL is .*write it as https://flows\.example\.org"):
        public_url(store)


@pytest.mark.parametrize("settings", ["[public]\nurl = 7\n", "public = 3\n", "[public\n", '[public]\nurl = "x"\n'])
def test_settings_that_make_no_sense_are_refused_in_a_sentence(home: Store, settings: str) -> None:
    assert home.keys.path is not None
    home.keys.path.with_name("settings.toml").write_text(settings)
    with pytest.raises(UsageError, match=r"settings\.toml"):
        public_url(home)


def test_a_name_that_nobody_can_have_gets_no_link(store: Store) -> None:
    for name in ("a\x1b[2J", "a" * 201):
        with pytest.raises(UsageError, match="is no name"):
            inbox_link(store, name)
    with pytest.raises(UsageError, match="name the person"):
        inbox_link(store, " ")


def test_the_link_to_a_question_is_good_as_long_as_the_question_waits(store: Store) -> None:
    request = ApprovalRequested(at=NOW, node="ok", approval="5e1c0a9b77d2", kind="confirmation", question="Fine?")
    asked = ApprovalRow(
        id="5e1c0a9b77d2", run="01k2f7qz", workflow="w", node="ok", kind="confirmation", status="pending",
        created_at=NOW, expires_at=NOW + 90 * DAY, decided_at=None, decided_by=None, port=None, request=request,
        decision=None,
    )  # fmt: skip
    url = link_to(store, asked, "anna", now=NOW)
    assert url is not None
    link = read(store.keys, LinkKind.ANSWER, url.rpartition("/")[2], NOW + 91 * DAY)
    assert isinstance(link, Link)
    assert link[:3] == (asked.run, asked.id, "anna")
    assert url != link_to(store, asked, "anna", now=NOW)  # each has a number of its own
