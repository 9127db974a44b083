from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import UsageError
from flownb.services.channels.channel import DeliveryFailed
from flownb.services.channels.chat import Chat
from flownb.services.channels.directory import Directory
from flownb.services.channels.mail import Mail

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[channels.mail]
host = "smtp.example.org"
from = "flows@example.org"

[channels.alerts]
kind = "mail"
host = "other.example.org"
from = "alerts@example.org"

[channels.chat]
kind = "apprise"

[people]
anna = {mail = "anna@example.org", alerts = "anna@pager.example.org", chat = "anna_url"}
ben = "ben@example.org"
odd = 3
worse = {mail = 3}

[approvals.groups]
finance = ["anna", "ben", 3, "anna"]
broken = 3
"""


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return Directory(path)


def test_channels_are_made_once_of_their_settings(directory: Directory) -> None:
    assert directory.names == ["alerts", "chat", "mail"]
    assert isinstance(directory.channel("alerts"), Mail)
    assert isinstance(directory.channel("chat"), Chat)
    assert directory.channel("mail") is directory.channel("email")


def test_people_are_reached_by_the_channel_or_by_its_kind(directory: Directory) -> None:
    assert directory.address("anna", "mail") == "anna@example.org"
    assert directory.address("anna", "alerts") == "anna@pager.example.org"
    assert directory.address("ben", "alerts") == "ben@example.org"
    assert directory.address("anna", "chat") == "anna_url"
    assert directory.address("carl@example.org", "mail") == "carl@example.org"
    for name, channel in (("ben", "chat"), ("odd", "mail"), ("worse", "mail"), ("nobody", "mail")):
        with pytest.raises(DeliveryFailed, match=f"{name} has no address for {channel}: write {name} = "):
            directory.address(name, channel)


def test_groups_are_their_members_each_once(directory: Directory) -> None:
    assert [each.name for each in directory.people(["finance", "ben", "carl", "broken", ""])] == [
        "anna", "ben", "carl", "broken",
    ]  # fmt: skip


def test_without_settings_there_is_no_channel() -> None:
    empty = Directory(None)
    assert (empty.names, [each.name for each in empty.people(["a"])]) == ([], ["a"])
    with pytest.raises(UsageError, match=r"There is no channel 'mail'\. Set it up as \[channels\.mail\] in"):
        empty.channel("mail")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("[channels]\nmail = 3\n", "channels.mail is 3; it should be a table."),
        ("[channels.mail]\nkind = 'fax'\n", "channels.mail has the kind 'fax'. There is: apprise, mail."),
        ("[channels.mail]\nkind = 3\n", "channels.mail has the kind '3'"),
        ("[channels.mail]\nkind = 'mail'\nhost = 3\n", "channels.mail: host is 3; it should be a text."),
    ],
)
def test_settings_that_are_wrong_are_told_with_their_place(tmp_path: Path, settings: str, why: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(settings, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        Directory(path).channel("mail")
    assert str(refused.value).startswith(f"{path}: {why}")


def test_a_package_may_bring_a_kind_of_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def make(name: str, table: dict[str, Any]) -> Chat:
        made.append((name, table))
        return Chat()

    class Point:
        def load(self) -> Any:
            return make

    def points(*, group: str, name: str) -> list[Any]:
        return [Point()] if (group, name) == ("flownb.channels", "pager") else []

    monkeypatch.setattr("importlib.metadata.entry_points", points)
    path = tmp_path / "settings.toml"
    path.write_text("[channels.duty]\nkind = 'pager'\nnumber = 7\n", encoding="utf-8")
    Directory(path).channel("duty")
    assert made == [("duty", {"number": 7})]
