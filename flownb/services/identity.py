"""Who answers: the user of the operating system, a name that somebody claims, and what the operator trusts.

The operator's settings lie beside the store, in `.flownb/settings.toml`:

```toml
[approvals]
trust_claims = ["ci"]     # users whose `--as NAME` counts; true for everybody's

[approvals.groups]
finance = ["anna", "ben"]
```
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flownb.errors import UsageError
from flownb.services.settings import section

if TYPE_CHECKING:
    from pathlib import Path

_MOST_NAME: Final = 200
#: Who answers by a link that was made for nobody in particular.
ANYBODY: Final = "whoever has the link"
LINK: Final = "link"


@cache
def user() -> str:
    """The user that this process runs as, by the operating system's word; the environment may say anything."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # no such list here, or the user is not in it, as in many containers
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else os.environ.get("USERNAME", "somebody")


class Who(NamedTuple):
    """Somebody who answers."""

    #: Whose answer it counts as.
    name: str
    #: The real identity, and the name that they claimed, if any.
    user: str
    claim: str = ""
    groups: frozenset[str] = frozenset()
    #: How they are known, where that is not by the process that they use: `link`, with the link's number and the
    #: address that it was used from.
    via: str = ""
    link: str = ""
    address: str = ""

    @property
    def is_anybody(self) -> bool:
        """Whether nobody can tell who it is."""
        return self.via == LINK and self.name == ANYBODY

    @property
    def told(self) -> str:
        """For people: `root`, `root (as anna)`, `anna (by root)` where the claim is trusted, `anna (by link)`."""
        if self.via and not self.is_anybody:
            return f"{self.name} (by {self.via})"
        if self.name != self.user:
            return f"{self.name} (by {self.user})"
        return f"{self.user} (as {self.claim})" if self.claim not in ("", self.user) else self.user

    def is_one_of(self, names: tuple[str, ...]) -> bool:
        """Whether they, or one of their groups, are among the names."""
        return self.name in names or not self.groups.isdisjoint(names)


def who(settings: Path | None, claim: str = "") -> Who:
    """Who answers from this process.

    Args:
        settings: the operator's settings; None where there are none.
        claim: the name that they give themselves.

    Raises:
        UsageError: the name is no name, or the settings can't be read.
    """
    check_name(claim)
    known = section(settings, "approvals")
    real = user()
    trusted = known.get("trust_claims", False)
    counts = trusted is True or (isinstance(trusted, list) and real in trusted)
    name = claim if claim and counts else real
    return Who(name, real, claim, _groups(known, name, real))


def who_by_link(settings: Path | None, person: str, link: str, address: str = "") -> Who:
    """Who answers by a signed link: the person that it was made for.

    Their groups are those of the settings: this machine may have a user of the same name who is somebody else.

    Args:
        settings: the operator's settings.
        person: as the link says; empty for whoever holds it.
        link: the number of the link.
        address: where the answer came from.

    Raises:
        UsageError: the settings can't be read.
    """
    name = person or ANYBODY
    groups = _listed(section(settings, "approvals"), name) if person else frozenset[str]()
    return Who(name, name, groups=groups, via=LINK, link=link, address=address)


def check_name(name: str) -> None:
    """Refuse what is no name of a person.

    Raises:
        UsageError: it is too long, or no text that one can read.
    """
    if len(name) > _MOST_NAME or not name.isprintable():
        raise UsageError(f"{name[:40]!r} is no name: give up to {_MOST_NAME} printable characters.")


def _groups(known: dict[str, Any], name: str, real: str) -> frozenset[str]:
    """The groups of a name in the settings, and of the real user in the operating system."""
    found = _listed(known, name)
    return found | _system_groups() if name == real else found


def _listed(known: dict[str, Any], name: str) -> frozenset[str]:
    """The groups of a name in the settings."""
    listed = known.get("groups", {})
    if not isinstance(listed, dict):
        return frozenset()
    return frozenset(group for group, names in listed.items() if isinstance(names, list) and name in names)


@cache
def _system_groups() -> frozenset[str]:
    found = set()
    try:
        import grp
    except ImportError:
        return frozenset()
    for number in os.getgroups():
        try:
            found.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return frozenset(found)
