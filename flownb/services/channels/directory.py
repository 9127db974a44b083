"""The operator's channels, and where they reach people.

```toml
[channels.mail]
kind = "mail"
host = "smtp.example.org"          # port, security ("starttls", "tls" or "none") and user as the server wants them
from = "flownb <flownb@example.org>"
user = "flownb"
password = "smtp_password"         # the name of a secret, never its value

[channels.ops]
kind = "apprise"
url = "ops_slack_url"              # the name of a secret, because such a URL holds a token

[people]
alice = {mail = "alice@example.org"}
```

Channels that need nothing are there without settings: `console` and `notebook`, where the question is shown anyway.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import UsageError, near_names
from flownb.services.channels.channel import DeliveryFailed
from flownb.services.settings import section, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flownb.services.channels.channel import Channel
    from flownb.store.contract import Store

#: The entry points that add kinds of channels: each a callable of its name and its table in the settings.
GROUP: Final = "flownb.channels"
#: Other names for channels, as older definitions have them.
ALIASES: Final = {"email": "mail", "e-mail": "mail"}
#: Channels that are given in Python, as tests do; they come before those of the settings.
_given: Final[dict[str, Channel]] = {}
_lock: Final = threading.Lock()


class Person:
    """Where somebody is reached."""

    def __init__(self, name: str, addresses: dict[str, str]) -> None:
        self.name = name
        self._addresses = addresses

    def address(self, channel: str, kind: str) -> str:
        """Where a channel reaches them: by its own name, or by that of its kind; empty where it does not."""
        return self._addresses.get(channel, self._addresses.get(kind, ""))


class Directory:
    """What the settings of a store say of channels and people."""

    def __init__(self, settings: Path | None) -> None:
        """Read the settings.

        Raises:
            UsageError: they can't be read.
        """
        self.settings = settings
        self._tables = section(settings, "channels")
        self._people = section(settings, "people")
        self._groups = section(settings, "approvals").get("groups", {})
        self._made: dict[str, Channel] = {}

    @property
    def names(self) -> list[str]:
        """The channels that there are, but for those that need nothing."""
        return sorted({*self._tables, *_given})

    @property
    def told(self) -> str:
        """How messages call the settings."""
        return str(self.settings) if self.settings is not None else "the settings of a store with a place"

    def kind(self, name: str) -> str:
        """The kind of a channel."""
        name = self._name(name)
        table = self._tables.get(name)
        found = table.get("kind", name) if isinstance(table, dict) else name
        return str(found)

    def channel(self, name: str) -> Channel:
        """A channel, ready to deliver.

        Raises:
            UsageError: there is none of that name, or its settings are wrong, or what it needs is not installed.
        """
        name = self._name(name)
        if name in _given:
            return _given[name]
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _name(self, name: str) -> str:
        """What the channel is called here: a name that somebody has set up goes before what it is an alias of."""
        return name if name in _given or name in self._tables else ALIASES.get(name, name)

    def _make(self, name: str) -> Channel:
        if name not in self._tables:
            near = near_names(name, self.names) if self.names else ""
            raise UsageError(
                f"There is no channel {name!r}.{near} Set it up as [channels.{name}] in {self.told}.", name=name
            )
        table = self._tables[name]
        if not isinstance(table, dict):
            raise UsageError(f"{self.told}: channels.{name} is {table!r:.60}; it should be a table.", name=name)
        kind = self.kind(name)
        make = _KINDS.get(kind) or _from_entry_point(kind)
        if make is None:
            raise UsageError(
                f"{self.told}: channels.{name} has the kind {kind!r}.{near_names(kind, _KINDS)}", name=name
            )
        rest = {key: each for key, each in table.items() if key != "kind"}
        try:
            return make(name, rest)
        except UsageError as error:
            raise UsageError(f"{self.told}: channels.{name}: {error.message}", name=name) from error

    def people(self, names: Iterable[str]) -> list[Person]:
        """The people behind names of people and groups, each once."""
        found: dict[str, Person] = {}
        for name in names:
            members = self._groups.get(name) if isinstance(self._groups, dict) else None
            for each in members if isinstance(members, list) else [name]:
                if isinstance(each, str) and each and each not in found:
                    found[each] = self._person(each)
        return list(found.values())

    def _person(self, name: str) -> Person:
        table = self._people.get(name, {})
        if isinstance(table, str):
            table = {"mail": table}
        addresses = {key: each for key, each in table.items() if isinstance(each, str)} if type(table) is dict else {}
        if not addresses and "@" in name:
            addresses = {"mail": name}
        return Person(name, addresses)

    def address(self, person: str, channel: str) -> str:
        """Where a channel reaches somebody.

        Raises:
            DeliveryFailed: it does not.
        """
        channel = self._name(channel)
        if channel in _given:
            return person
        kind = self.kind(channel)
        found = self._person(person).address(channel, kind)
        if not found:
            raise DeliveryFailed(
                f"{person} has no address for {channel}: write {person} = {{{kind} = …}} under [people] in {self.told}."
            )
        return found


def directory_of(store: Store) -> Directory:
    """The channels and people of a store, as its settings say now.

    Raises:
        UsageError: they can't be read.
    """
    return Directory(settings_of(store))


def give(name: str, channel: Channel) -> Callable[[], None]:
    """Let a name mean this channel in this process, whatever the settings say; returns what ends that."""
    with _lock:
        before = _given.get(name)
        _given[name] = channel

    def end() -> None:
        with _lock:
            _given.pop(name, None)
            if before is not None:
                _given[name] = before

    return end


def _mail(name: str, table: dict[str, Any]) -> Channel:
    from flownb.services.channels.mail import Mail

    return Mail.of(name, table)


def _chat(name: str, table: dict[str, Any]) -> Channel:
    from flownb.services.channels.chat import Chat

    return Chat.of(name, table)


_KINDS: Final[dict[str, Callable[[str, dict[str, Any]], Channel]]] = {"mail": _mail, "apprise": _chat}


def _from_entry_point(kind: str) -> Callable[[str, dict[str, Any]], Channel] | None:
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP, name=kind):
        made: Callable[[str, dict[str, Any]], Channel] = point.load()
        return made
    return None
