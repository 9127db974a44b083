"""A channel delivers messages to people; one class a kind of channel, and whoever wants writes another.

```python
class Pager:
    personal = True                       # a message for each person, and not one for all

    async def deliver(self, message: Message) -> None:
        ...                               # raise DeliveryFailed where it can't be delivered
```
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import msgspec

from flownb.errors import FlownbError

#: Seconds that one delivery may take.
SECONDS: Final = 20.0


class DeliveryFailed(FlownbError):
    """A message could not be delivered; the text says why, and what to do."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is told of a request.

    Texts come from runs, and may hold anything: whoever writes them into something escapes them.
    """

    #: The same for the same notice, however often it is sent: so a receiver can tell a repetition.
    id: str
    #: The same for all that is told of one request.
    thread: str
    #: `asked`, `reminder` or `escalation`.
    kind: str
    run: str
    workflow: str
    node: str
    approval: str
    question: str
    details: str = ""
    #: The answers there are, the usual one first.
    ports: tuple[str, ...] = ()
    #: Until when an answer counts, and when it is due; seconds since 1970.
    until: float | None = None
    due: float | None = None
    #: Whose answer counts; empty for everybody's.
    approvers: tuple[str, ...] = ()
    #: Who is told, by the name that `approvers` has, and where the channel reaches them; empty where that is a room.
    to: str = ""
    address: str = ""
    #: The page that answers; None where there is no public address.
    link: str | None = None
    #: The commands that answer.
    commands: tuple[str, ...] = ()
    #: What is shown beside the question, as the request has it: `name`, `kind` and `value` in plain form.
    shown: tuple[dict[str, Any], ...] = ()


class Channel(Protocol):
    """Delivers messages."""

    @property
    def personal(self) -> bool:
        """Whether each person gets a message of their own; else one goes to all."""
        ...

    async def deliver(self, message: Message) -> None:
        """Deliver it, within about `SECONDS`.

        It may be called again with the same message, where it is not known how the call before ended. Text of an error
        is recorded and shown: it must hold no password.

        Raises:
            DeliveryFailed: it could not be delivered.
        """
        ...
