"""What the process of a node asks the engine: one question at a time, from whichever thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from flownb.run.child.wire import pack

if TYPE_CHECKING:
    from flownb.run.child.wire import Channel


class Questions:
    """The questions of one body."""

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
