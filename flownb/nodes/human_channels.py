"""Whether people can be told of a question as its node says: what the operator's settings have to say to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.errors import FlownbError
from flownb.model.problem import Problem, Severity
from flownb.services.channels.directory import Directory
from flownb.services.settings import usual_settings
from flownb.store.notices import PASSIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.model.workflow import Node

_CHANNELS: Final = ("channel", "channels", "channel_type")
_PEOPLE: Final = ("approvers", "required_approvers", "assigned_user_id", "assignedUserId")


def channel_problems(node: Node) -> Iterator[Problem]:
    """What keeps people from being told; warnings, because another machine may have other settings."""
    channels = [each for each in _texts(node, *_CHANNELS) if each not in PASSIVE]
    if not channels:
        return
    try:
        directory = Directory(usual_settings())
    except FlownbError as error:
        yield _warning(node, str(error), "bad_settings")
        return
    names = [each for each in _texts(node, "to") or _texts(node, *_PEOPLE) if not each.startswith("#")]
    names += _texts(node, "escalate_to")
    dynamic = any("{{" in str(node.config.get(key, "")) for key in ("to", "escalate_to", *_PEOPLE))
    for channel in channels:
        try:
            personal = directory.channel(channel).personal
        except FlownbError as error:
            yield _warning(node, f"{node.id} tells nobody through {channel!r}: {error}", "unknown_channel")
            continue
        if personal and not names and not dynamic:
            message = f"{node.id} names nobody whom {channel} could tell: give it `to`, or approvers."
            yield _warning(node, message, "nobody_told")
        for person in directory.people(names) if personal else ():
            try:
                directory.address(person.name, channel)
            except FlownbError as error:
                yield _warning(node, f"{node.id}: {error}", "no_address")


def _texts(node: Node, *keys: str) -> list[str]:
    """The texts of a field that are no templates, under any of its names."""
    found: Any = next((node.config[key] for key in keys if node.config.get(key)), None)
    several = found if isinstance(found, list | tuple) else [found]
    return [each for each in several if isinstance(each, str) and each and "{{" not in each]


def _warning(node: Node, message: str, code: str) -> Problem:
    return Problem(message, severity=Severity.WARNING, node=node.id, place="config.channel", code=code)
