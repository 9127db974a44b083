"""Questions of a node's process to the engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from flownb.run.child.wire import pack
from flownb.services import masking

if TYPE_CHECKING:
    from flownb.run.child.wire import Channel


class Questions:
    """One at a time, from whichever thread."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._asking = threading.Lock()

    def ask(self, name: str, *args: Any) -> Any:
        """What the engine answers.

        Raises:
            Exception: what the engine raised.
        """
        with self._asking:
            self._channel.send(("ask", name, pack(args)))
            kind, answer = self._channel.receive()
        value = answer.open()
        if kind == "raise":
            raise value
        return value

    def share_secrets(self) -> None:
        """The engine masks what this process writes, so it learns of a secret before the node has it."""
        masking.tell(lambda name, value: self.ask("learn", name, value))


class ServiceOfSecrets:
    """The run's own service of secrets, from afar."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def get(self, name: str) -> str | bytes | None:
        """The value of a secret; None where the service has none of that name."""
        value: str | bytes | None = self._questions.ask("secret_of_service", name)
        return value
