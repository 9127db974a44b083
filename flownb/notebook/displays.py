"""`display(…)` in a node: what it shows becomes part of the node's output instead of a cell's.

A node runs beside the cells, on the engine's loop or on a thread; without this, what it displays would appear under
whichever cell happens to be at work. Its forms by media type are kept with the node (text and pictures, tables as
HTML); large ones lie in artifacts.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from flownb.run.engine import engine
from flownb.run.output.capture import OUTPUT
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.run.output.capture import Buffer
    from flownb.store.artifacts.contract import ArtifactStore

#: A form of more characters lies in an artifact.
_MOST_INLINE: Final = 64 * 1024
_MOST_TEXT: Final = 10_000


def catch() -> Callable[[], None] | None:
    """Catch displays of nodes from now on; returns what ends it, or None where no shell shows anything."""
    from IPython.core import display_functions
    from IPython.core.interactiveshell import InteractiveShell

    functions: Any = display_functions
    shell: Any = InteractiveShell
    if not shell.initialized():
        return None
    # The function, because a cell may put another publisher in place (`%%capture`); the publisher, because others have
    # imported the function from where it stands.
    publisher = shell.instance().display_pub
    undo = [
        _replace(functions, "publish_display_data", _publishing(functions.publish_display_data)),
        _replace(publisher, "publish", _publishing(publisher.publish)),
        _replace(publisher, "clear_output", _clearing(publisher.clear_output)),
    ]

    def undo_all() -> None:
        for each in undo:
            each()

    return undo_all


def _replace(owner: Any, name: str, function: Callable[..., None]) -> Callable[[], None]:
    before = vars(owner).get(name)
    setattr(owner, name, function)

    def undo() -> None:
        # Somebody may have put theirs on top since; theirs stays, and what is no node's passes through ours.
        if vars(owner).get(name) is not function:
            return
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    return undo


def _publishing(publish: Callable[..., None]) -> Callable[..., None]:
    def publish_or_keep(data: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        buffer = OUTPUT.get()
        if buffer is None or buffer.closed:
            publish(data, *args, **kwargs)
        else:
            transient = kwargs.get("transient") or {}
            _keep(buffer, data, transient.get("display_id"))

    return publish_or_keep


def _clearing(clear: Callable[..., None]) -> Callable[..., None]:
    def clear_unless_in_node(*args: Any, **kwargs: Any) -> None:
        if OUTPUT.get() is None:  # a node has no cell that it could clear
            clear(*args, **kwargs)

    return clear_unless_in_node


def _keep(buffer: Buffer, data: Mapping[str, Any], name: str | None) -> None:
    attempt = engine().recording.attempt_with(buffer)
    artifacts = attempt.execution.store.artifacts if attempt is not None else None
    text = data.get("text/plain")
    shown = text[:_MOST_TEXT] if isinstance(text, str) else f"<{', '.join(map(str, data)) or 'nothing'}>"
    forms, size = {}, 0
    for media_type, form in data.items():
        plain, letters = _plain(form, artifacts)
        forms[str(media_type)] = plain
        size += letters
    buffer.display(forms, shown + "\n", size, name)


def _plain(form: Any, artifacts: ArtifactStore | None) -> tuple[Any, int]:
    """A form as plain data, and how many characters of it stay in the journal."""
    if isinstance(form, bytes | bytearray | memoryview):
        data = bytes(form)
        if len(data) <= _MOST_INLINE:
            text = base64.b64encode(data).decode()  # as notebooks keep pictures
            return text, len(text)
        return _stored(data, artifacts)
    if isinstance(form, str):
        return (form, len(form)) if len(form) <= _MOST_INLINE else _stored(form.encode(errors="replace"), artifacts)
    return _stored(form, artifacts)


def _stored(value: Any, artifacts: ArtifactStore | None) -> tuple[Any, int]:
    if artifacts is None:
        return "…", 1
    stored = values.store(value, artifacts)
    if stored.transient:
        text = repr(value)[:_MOST_INLINE]
        return text, len(text)
    return stored.plain, 0 if stored.digest is not None else stored.size
