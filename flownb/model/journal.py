"""How an event is written: JSON, through a codec that a store may wrap to encrypt it at rest."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from flownb.model.events import AnyEvent, Event


class EventCodec(Protocol):
    """Turns an event into bytes and back; the seam for encryption at rest."""

    def encode(self, event: Event) -> bytes:
        """The bytes that are stored."""
        ...

    def decode(self, data: bytes) -> Event:
        """The event again.

        Raises:
            msgspec.DecodeError: not what this codec wrote.
        """
        ...


class JsonCodec:
    """Plain JSON with the event's name under `type`; the default."""

    def __init__(self) -> None:
        self._encoder: Final = msgspec.json.Encoder()
        self._decoder: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(AnyEvent)
        self.encode: Final = self._encoder.encode

    def decode(self, data: bytes) -> Event:
        """The event again."""
        try:
            return self._decoder.decode(data)
        except UnicodeDecodeError as error:  # msgspec lets it through
            raise msgspec.DecodeError(f"the event is not UTF-8: {error}") from error
