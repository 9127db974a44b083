"""The command line: one file a group of commands, each loaded when it is used.

Exit statuses: 0 completed, 1 failed, 2 wrong use, 75 paused, 130 stopped.
"""

from __future__ import annotations

import gc
import io
import sys


def main() -> None:
    """The `flownb` command."""
    gc.disable()  # it would look through what is imported again and again
    from flownb.cli.app import app, run_app
    from flownb.notebook.startup import skip_slow_grammar

    gc.enable()

    skip_slow_grammar()

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has no ✔ still gets the words
    sys.exit(run_app(app))
