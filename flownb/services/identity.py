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
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flownb.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "settings.toml"
_MOST_NAME: Final = 200


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

    @property
    def told(self) -> str:
        """For people: `root`, `root (as anna)`, or `anna (by root)` where the claim is trusted."""
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
    if len(claim) > _MOST_NAME or not claim.isprintable():
        raise UsageError(f"{claim[:40]!r} is no name: give up to {_MOST_NAME} printable characters.")
    known = _approvals(settings)
    real = user()
    trusted = known.get("trust_claims", False)
    counts = trusted is True or (isinstance(trusted, list) and real in trusted)
    name = claim if claim and counts else real
    return Who(name, real, claim, _groups(known, name, real))


def _approvals(settings: Path | None) -> dict[str, Any]:
    if settings is None:
        return {}
    try:
        found = settings.stat()
    except OSError:
        return {}
    return _read(settings, (found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=8)
def _read(settings: Path, version: object) -> dict[str, Any]:
    """The settings in a file, which is read once as long as it stays what it is."""
    del version
    try:
        text = settings.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings {settings} can't be read: {error}.") from error
    import tomllib  # only where there are settings

    try:
        found = tomllib.loads(text).get("approvals", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The settings {settings} are no TOML: {error}.") from error
    if not isinstance(found, dict):
        raise UsageError(f"The settings {settings} have an `approvals` that is no table.")
    return found


def _groups(known: dict[str, Any], name: str, real: str) -> frozenset[str]:
    """The groups of a name in the settings, and of the real user in the operating system."""
    listed = known.get("groups", {})
    found = {group for group, names in listed.items() if name in names} if isinstance(listed, dict) else set()
    return frozenset(found | _system_groups()) if name == real else frozenset(found)


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
