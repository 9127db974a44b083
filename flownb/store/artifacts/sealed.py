"""Files that a codec seals, chunk by chunk, so that no content is ever whole in memory or plain on the disk.

A sealed file is a row of frames: eight bytes of length (big-endian), then what the codec made of one chunk. Every
chunk but the last is `CHUNK` bytes long when plain, so any place is found without unsealing what lies before it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from flownb.errors import StoreCorrupt

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: How much is read, written and sealed at once, in bytes.
CHUNK: Final = 4 * 1024 * 1024
_LENGTH: Final = 8


class BytesCodec(Protocol):
    """The seam for encryption at rest."""

    def encode(self, data: bytes) -> bytes:
        """What is written instead of `data`."""
        ...

    def decode(self, data: bytes) -> bytes:
        """The data again; raises whatever it likes for what it didn't write."""
        ...


class SealedWriter:
    """Seals what is written to it and hands it on to a file."""

    def __init__(self, file: BinaryIO, codec: BytesCodec) -> None:
        self._file: Final = file
        self._codec: Final = codec
        self._rest = bytearray()

    def write(self, data: memoryview) -> None:
        """Take all of `data`."""
        for start in range(0, len(data), CHUNK):
            self._rest += data[start : start + CHUNK]
            while len(self._rest) >= CHUNK:
                self._seal(bytes(self._rest[:CHUNK]))
                del self._rest[:CHUNK]

    def finish(self) -> None:
        """Seal what is left."""
        if self._rest:
            self._seal(bytes(self._rest))
            self._rest.clear()

    def _seal(self, chunk: bytes) -> None:
        sealed = self._codec.encode(chunk)
        self._file.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)


class SealedReader(io.RawIOBase):
    """The plain content of a sealed file, to be read from any place.

    Raises:
        StoreCorrupt: the file is cut off, or the codec refuses a chunk.
    """

    def __init__(self, file: BinaryIO, codec: BytesCodec, place: str) -> None:
        self._file: Final = file
        self._codec: Final = codec
        self._place: Final = place
        self._frames: Final = self._find_frames()
        self._at = 0
        self._chunk = b""
        self._chunk_number = -1
        last = len(self._unseal(len(self._frames) - 1)) if self._frames else 0
        #: How many bytes the plain content has.
        self.length: Final = max(0, len(self._frames) - 1) * CHUNK + last

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """From any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in the plain content."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """The place in the plain content."""
        return self._at

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill `buffer` from one chunk at most."""
        view = memoryview(buffer).cast("B")
        if self._at >= self.length:
            return 0
        number, start = divmod(self._at, CHUNK)
        part = self._unseal(number)[start : start + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()

    def _find_frames(self) -> list[tuple[int, int]]:
        frames = []
        end = self._file.seek(0, io.SEEK_END)
        at = 0
        while at < end:
            self._file.seek(at)
            length = int.from_bytes(self._file.read(_LENGTH), "big")
            frames.append((at + _LENGTH, length))
            at += _LENGTH + length
        if at != end:
            raise StoreCorrupt(f"The sealed artifact {self._place} is cut off.", place=self._place)
        return frames

    def _unseal(self, number: int) -> bytes:
        if number != self._chunk_number:
            start, length = self._frames[number]
            self._file.seek(start)
            self._chunk = self._decode(self._file.read(length))
            self._chunk_number = number
        return self._chunk

    def _decode(self, sealed: bytes) -> bytes:
        try:
            return self._codec.decode(sealed)
        except Exception as error:
            raise StoreCorrupt(
                f"The sealed artifact {self._place} can't be read with this key: {error}", place=self._place
            ) from error
