"""Log records and warnings of nodes: lines of their output, each once.

A record of a node goes to its output, and to every handler that is no console: a file that somebody logs to gets it as
ever. Records and warnings of other code go where they always went.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import PurePath
from typing import Any, Final

from flownb.run.output.capture import OUTPUT
from flownb.run.output.streams import is_console, muted, unmute

_formatter: Final = logging.Formatter("%(levelname)s %(name)s: %(message)s")


class _Patches:
    def __init__(self) -> None:
        self.call_handlers: Any = None
        self.show: Any = None


_patches = _Patches()


def _call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
    buffer = OUTPUT.get()
    if buffer is None or buffer.closed:
        _patches.call_handlers(logger, record)
        return
    try:
        buffer.write("log", _formatter.format(record) + "\n")
    except Exception:  # noqa: BLE001  a bad format string in a node's log call must not fail the node
        logging.Handler().handleError(record)
    token = muted()  # a handler of another kind may write to the console after all
    try:
        _call_others(logger, record)
    finally:
        unmute(token)


def _call_others(logger: logging.Logger, record: logging.LogRecord) -> None:
    each: logging.Logger | None = logger
    while each is not None:
        for handler in each.handlers:
            if record.levelno >= handler.level and not is_console(getattr(handler, "stream", None)):
                handler.handle(record)
        each = each.parent if each.propagate else None


def _show(  # noqa: PLR0917  as `warnings` calls it
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    buffer = OUTPUT.get()
    if file is None and buffer is not None:
        text = f"{category.__name__}: {message} ({PurePath(filename).name}:{lineno})\n"
        if buffer.write("stderr", text):
            return
    _patches.show(message, category, filename, lineno, file, line)


def install() -> None:
    """Take records and warnings of nodes."""
    # Who wraps these on top of ours keeps them alive: they are put in once, and pass on what is no node's.
    if _patches.call_handlers is None:
        _patches.call_handlers = logging.Logger.callHandlers
        logging.Logger.callHandlers = _call_handlers  # type: ignore[method-assign,assignment]
    if _patches.show is None:
        _patches.show = warnings.showwarning
        warnings.showwarning = _show
    put_back()
    # Python shows a warning once for each line of code. Beside the first run of a process there have been others: what
    # is shown begins anew with each time that runs are at work.
    if (forget := getattr(warnings, "_filters_mutated", None)) is not None:
        forget()


def put_back() -> None:
    """Take warnings again where `catch_warnings(record=True)` has meanwhile put Python's own function in place."""
    if warnings.showwarning is getattr(warnings, "_showwarning_orig", None):
        _patches.show = warnings.showwarning
        warnings.showwarning = _show


def remove() -> None:
    """Leave them where they go."""
    if logging.Logger.callHandlers is _call_handlers:
        logging.Logger.callHandlers = _patches.call_handlers  # type: ignore[method-assign]
        _patches.call_handlers = None
    if warnings.showwarning is _show:
        warnings.showwarning = _patches.show
        _patches.show = None
