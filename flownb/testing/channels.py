"""A channel for tests: it keeps what it is given, and fails as often as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from flownb.run.waiting.deliveries import deliveries
from flownb.services.channels.channel import DeliveryFailed
from flownb.services.channels.directory import give

if TYPE_CHECKING:
    from flownb.services.channels.channel import Message


class FakeChannel:
    """Stands in for the channel of its name in this process, from when it is made until `leave`."""

    def __init__(self, name: str = "mail", *, personal: bool = True) -> None:
        """Stand in for a channel.

        Args:
            name: which, as questions name it.
            personal: whether each person gets a message of their own.
        """
        self.name, self.personal = name, personal
        #: What was delivered, in order.
        self.messages: list[Message] = []
        #: What the next deliveries fail with, one each.
        self.failures: list[str] = []
        self._leave = give(name, self)

    async def deliver(self, message: Message) -> None:
        """Keep it, or fail.

        Raises:
            DeliveryFailed: it was told to.
        """
        if self.failures:
            raise DeliveryFailed(self.failures.pop(0))
        self.messages.append(message)

    @property
    def told(self) -> list[str]:
        """Who was told, in order, once everything that is due has been tried."""
        deliveries().wait()
        return [message.to for message in self.messages]

    def leave(self) -> None:
        """Stand in for it no more."""
        self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def fake_channel(name: str = "mail", *, personal: bool = True) -> FakeChannel:
    """Let a test keep what people would be told, instead of telling them.

    ```python
    with fake_channel("mail") as mail:
        run = flow.run()                       # asks, with channel="mail" and approvers=["anna"]
        ...
        assert mail.told == ["anna"]
        assert mail.messages[0].question == "Post 1500.0 EUR?"
    ```

    Every person has an address there, and no settings are needed.

    Args:
        name: the channel, as questions name it.
        personal: whether each person gets a message of their own, as by mail; else one goes to all, as in a chat.
    """
    return FakeChannel(name, personal=personal)
