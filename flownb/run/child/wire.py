"""Messages between the engine and a node's process: pickles, with large buffers beside them and never copied.

Both ends unpickle what the other one sends. That is no hole: the process runs the author's own function with the
author's own rights, and whatever it could smuggle into a pickle it could do as well by itself. Nothing of it is stored.
"""

from __future__ import annotations

import io
import pickle
import struct
import threading
from typing import TYPE_CHECKING, Any, Final

import cloudpickle

from flownb.graph.refs import NodeRef

if TYPE_CHECKING:
    import socket

_COUNT: Final = struct.Struct("!I")
_LENGTH: Final = struct.Struct("!Q")
#: Written or read in one go.
_CHUNK: Final = 4 * 1024 * 1024


class Parcel:
    """An object as a pickle and the buffers that it needs; itself cheap to pickle."""

    __slots__ = ("buffers", "data")

    def __init__(self, data: bytes, buffers: list[Any]) -> None:
        self.data = data
        self.buffers = buffers

    def __reduce__(self) -> tuple[Any, ...]:
        return Parcel, (self.data, self.buffers)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.data) + sum(memoryview(each).nbytes for each in self.buffers)

    def open(self) -> Any:
        """The object again."""
        return pickle.loads(self.data, buffers=self.buffers)  # noqa: S301  see the module's docstring


def pack(value: Any) -> Parcel:
    """Pickle an object; functions and classes that can't be imported go along whole.

    Raises:
        Exception: whatever its own methods raise; it has no pickle.
    """
    buffers: list[Any] = []
    with io.BytesIO() as file:
        _Pickler(file, protocol=5, buffer_callback=buffers.append).dump(value)
        return Parcel(file.getvalue(), buffers)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Sends a node that a function uses as the plain function that it is made of, and not its whole flow."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is NodeRef and obj.function is not None:
            return _itself, (obj.function,)
        return super().reducer_override(obj)


def _itself(value: Any) -> Any:
    return value


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """One end of a socket; `send` may be called from any thread, `receive` from one at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def send(self, message: tuple[Any, ...]) -> None:
        """Send a message of plain data and parcels.

        Raises:
            Closed: nobody is there to take it.
        """
        buffers: list[pickle.PickleBuffer] = []
        data = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
        views = [memoryview(data), *(each.raw() for each in buffers)]
        head = _COUNT.pack(len(views)) + b"".join(_LENGTH.pack(view.nbytes) for view in views)
        try:
            with self._sending:
                self._socket.sendall(head)
                for view in views:
                    for start in range(0, view.nbytes, _CHUNK):
                        self._socket.sendall(view[start : start + _CHUNK])
        except OSError as error:
            raise Closed(str(error)) from error

    def receive(self) -> tuple[Any, ...]:
        """The next message.

        Raises:
            Closed: there is none any more, or only a part of one.
        """
        (count,) = _COUNT.unpack(self._read(_COUNT.size))
        lengths = [length for (length,) in _LENGTH.iter_unpack(self._read(count * _LENGTH.size))]
        data, *buffers = [self._read(length) for length in lengths]
        message: tuple[Any, ...] = pickle.loads(data, buffers=buffers)  # noqa: S301  see the module's docstring
        return message

    def _read(self, length: int) -> bytearray:
        taken = bytearray(length)
        view = memoryview(taken)
        place = 0
        while place < length:
            try:
                got = self._socket.recv_into(view[place : place + _CHUNK])
            except OSError as error:
                raise Closed(str(error)) from error
            if not got:
                raise Closed("the other end closed it")
            place += got
        return taken

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
