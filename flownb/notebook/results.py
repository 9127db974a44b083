"""`flownb.result` and `flownb.stop`: what a notebook returns, and its way to end early as a success."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput
from flownb.notebook.here import here

if TYPE_CHECKING:
    from flownb.notebook.here import Here

_MIME: Final = "application/vnd.flownb.result+json"
_LETTERS: Final = 2_000


class Stopped(BaseException):
    """Raised by `stop`: no error, so `except Exception` doesn't catch it."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: one line."""
        return [f"Stopped: {self}"]


def result(name: str, value: Any) -> None:
    """Return a value from a notebook; the last one of a name counts.

    Headless it is recorded with the run, and is what `flownb run --json` and the notebook node give. Elsewhere it is
    shown under the cell, and nothing else happens.

    Args:
        name: what the caller knows it by.
        value: whatever a store can keep: plain data, a DataFrame, an array, a picture, bytes.

    Raises:
        InvalidInput: the name is no text, or the value can't be kept.
    """
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"The name of a result is {name!r}; it must be text, as flownb.result('total', …).")
    if (home := here()) is not None:
        home.session.results[name] = _plain(name, value, home)
    _show(name, value)


def _plain(name: str, value: Any, home: Here) -> Any:
    from flownb.store import values

    stored = values.store(value, home.store.artifacts)
    if values.is_transient(stored.plain):
        raise InvalidInput(
            f"The result {name!r} is a {type(value).__name__}, which can't be stored; return plain data, a DataFrame, "
            "an array, a picture or bytes.",
            name=name,
        )
    return stored.plain


def _show(name: str, value: Any) -> None:
    """Put the result under the cell, with its name in the output's metadata; in a plain script, nothing."""
    module = sys.modules.get("IPython")
    if module is None or module.get_ipython() is None:
        return
    text = repr(value)
    shown = text if len(text) <= _LETTERS else text[:_LETTERS] + "…"
    data = {"text/plain": f"{name} = {shown}", _MIME: {"name": name}}
    module.display.display(data, raw=True, metadata={"flownb": {"result": name}})


def stop(reason: str = "") -> None:
    """End the notebook here, as a success: no further cell runs, and runs that were started come to their end.

    In JupyterLab it ends the cell with one line and no traceback.

    Args:
        reason: what the report says, as `no new invoices`.

    Raises:
        Stopped: always.
    """
    if (home := here()) is not None:
        home.session.stopped = str(reason) or "ended early"
    raise Stopped(reason)
