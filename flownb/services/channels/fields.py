"""The fields of a channel's table in the settings, read with care."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import UsageError, near_names
from flownb.services.secrets import NAME, SCHEME

if TYPE_CHECKING:
    from collections.abc import Collection


def only(table: dict[str, Any], known: Collection[str]) -> None:
    """Refuse a field that there is not.

    Raises:
        UsageError: there is one.
    """
    for name in table:
        if name not in known:
            raise UsageError(f"it has no field {name!r}.{near_names(name, known)}")


def text(table: dict[str, Any], name: str, usual: str | None = None) -> str:
    """A text.

    Raises:
        UsageError: it is missing, or something else.
    """
    found = table.get(name, usual)
    if not isinstance(found, str) or not found or not found.isprintable():
        raise UsageError(f"{name} is missing." if found is None else f"{name} is {found!r:.60}; it should be a text.")
    return found


def number(table: dict[str, Any], name: str, usual: float, least: float, most: float) -> float:
    """A number within bounds.

    Raises:
        UsageError: it is none.
    """
    found = table.get(name, usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= most:
        raise UsageError(f"{name} is {found!r:.60}; it should be a number from {least:g} to {most:g}.")
    return found


def secret(table: dict[str, Any], name: str) -> str:
    """The name of a secret; empty where none is given.

    Raises:
        UsageError: it is no name, perhaps the value itself, which is not repeated.
    """
    found = table.get(name, "")
    if found == "":
        return ""
    if not isinstance(found, str) or not NAME.fullmatch(found.removeprefix(SCHEME)):
        raise UsageError(
            f'{name} names no secret. It takes the name of one, as {name} = "smtp_{name}", and never its value; '
            "FLOWNB_SECRET_… or .flownb/secrets.toml has that."
        )
    return found
