"""What a kernel sends is shown and saved in notebooks: from the first secret on, none leaves it.

All outputs of cells, tracebacks and answers go through the kernel's session, whoever made them: `print`, `display`, an
exception, a subprocess that writes to the terminal. So that is where they are masked, in a kernel of JupyterLab, of
papermill, and of ours.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Callable

#: What the protocol says by itself, whatever a secret may be.
_PROTOCOL: Final = frozenset({"status", "execution_state", "name", "execution_count", "comm_id", "target_name"})
#: The text of a cell, what may stand in its output beside that, and its end.
_WATCHED: Final = frozenset({"stream", "display_data", "update_display_data", "execute_result", "error", "status"})
#: Seconds that the end of a text waits for what might come, after its cell has ended.
_PATIENCE: Final = 0.5
#: Cells that have ended, and whose threads may still write.
_MOST_ENDED: Final = 200


def mask_kernel() -> None:
    """From now on nothing that this kernel sends has a secret in it; it is done once, and nothing where none is."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    session = getattr(kernel, "session", None)
    if session is None or isinstance(getattr(session.send, "__self__", None), _Guard):
        return
    _Guard(session)
    for stream in (sys.stdout, sys.stderr):
        _close_the_back_door(getattr(stream, "_original_stdstream_copy", None))


def _close_the_back_door(terminal: int | None) -> None:
    """What programs write that a cell starts, the kernel also writes to the terminal that it was started from: not now.

    It goes there as it is, and is in the cell's output all the same.
    """
    if terminal is not None:
        with contextlib.suppress(OSError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, terminal)
            os.close(nothing)


class _Guard:
    """Stands before the session of a kernel. Messages come from several threads."""

    def __init__(self, session: Any) -> None:
        self._send: Callable[..., Any] = session.send
        self._serialize: Callable[..., Any] = session.serialize
        self._lock = threading.RLock()
        #: By the request and the name of the stream: what might be the beginning of a secret, and how it is sent.
        self._held: dict[tuple[str, str], tuple[str, Callable[[str], Any]]] = {}
        self._ended: deque[str] = deque(maxlen=_MOST_ENDED)
        session.send = self.send
        session.serialize = self.serialize

    def serialize(self, msg: dict[str, Any], ident: Any = None) -> Any:
        """The message as bytes, as the session's own method makes them."""
        masker, content = masking.known, msg.get("content")
        if masker is not None and isinstance(content, dict):
            made = {key: each if key in _PROTOCOL else masker.plain(each, words=True) for key, each in content.items()}
            msg = {**msg, "content": made}
        return self._serialize(msg, ident)

    def send(
        self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, ident: Any = None, **more: Any
    ) -> Any:
        """Send a message, as the session's own method does; of a text its end may have to wait for the next piece."""
        whole = isinstance(msg_or_type, dict)
        kind = msg_or_type["header"]["msg_type"] if whole else msg_or_type
        if masking.known is None or kind not in _WATCHED:
            return self._send(stream, msg_or_type, content, parent, ident, **more)
        request = _request(msg_or_type["parent_header"] if whole else parent)
        if kind == "stream":
            inside = msg_or_type["content"] if whole else content

            def send(text: str) -> Any:
                new = inside | {"text": text}
                if whole:
                    return self._send(stream, msg_or_type | {"content": new}, ident=ident, **more)
                return self._send(stream, msg_or_type, new, parent, ident, **more)

            return self._text(request, inside, send)
        inside = msg_or_type["content"] if whole else content
        if kind != "status" or inside.get("execution_state") == "idle":
            self._release(request, ended=kind == "status")
        return self._send(stream, msg_or_type, content, parent, ident, **more)

    def _text(self, request: str, content: dict[str, Any], send: Callable[[str], Any]) -> Any:
        key = (request, str(content.get("name")))
        masker = masking.known
        assert masker is not None
        with self._lock:
            before, _ = self._held.pop(key, ("", None))
            shown, held = masker.stream(before + content["text"])
            if held:
                self._held[key] = (held, send)
            if held and request in self._ended:  # nothing will say any more that it has ended
                timer = threading.Timer(_PATIENCE, self._release, (request,))
                timer.daemon = True
                timer.start()
            return send(shown) if shown else None

    def _release(self, request: str, *, ended: bool = False) -> None:
        """Send what was held back of a cell's text."""
        masker = masking.known
        with self._lock:
            if ended and request:
                self._ended.append(request)
            for key in [each for each in self._held if each[0] == request]:
                text, send = self._held.pop(key)
                send(text if masker is None else masker.stream(text, last=True)[0])


def _request(parent: Any) -> str:
    """The id of the request that a message answers."""
    header = parent.get("header", parent) if isinstance(parent, dict) else {}
    return str(header.get("msg_id", "")) if isinstance(header, dict) else ""
