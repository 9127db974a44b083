"""Keeping stdout for what was asked for, and ending in order when its reader has gone away."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def guarded_stdout(*, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Keep stdout for the document: with `as_json`, what modules and their children print goes to stderr instead.

    Hands out what prints to the real stdout; a reader who has gone away is no error, because the run's status matters
    more.
    """
    real = sys.stdout

    def print_document(text: str) -> None:
        try:
            click.echo(text, file=real)
        except BrokenPipeError:
            silence(real)

    if not as_json:
        yield print_document
        return
    real.flush()
    kept = _take_descriptor(real)
    if kept is not None:
        real = os.fdopen(kept, "w", encoding="utf-8", errors="backslashreplace")
    sys.stdout, before = sys.stderr, sys.stdout
    try:
        yield print_document
    finally:
        sys.stdout = before
        if kept is not None:
            with contextlib.suppress(OSError):
                os.dup2(kept, 1)
                real.close()


def _take_descriptor(stream: Any) -> int | None:
    """Where stdout is the process's own: let descriptor 1 lead to stderr, and return a copy of where it led."""
    try:
        if stream.fileno() != 1:
            return None
    except (OSError, ValueError, AttributeError):
        return None
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def silence(stream: Any) -> None:
    """Let a stream whose reader is gone lead nowhere, so that the interpreter can end in order."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
