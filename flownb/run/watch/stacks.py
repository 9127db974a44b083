"""Where threads are, as files and lines.

`sys._current_frames()` makes an object of each frame that other threads are in; under Python 3.11 the process may crash
when the collector meets those. `faulthandler` only writes down what it reads, so that is asked, and its text is read.
"""

from __future__ import annotations

import faulthandler
import linecache
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_THREAD: Final = re.compile(r"^(?:Current thread|Thread) (0x[0-9a-f]+)")
_LINE: Final = re.compile(r'^  File "(.*)", line (\d+) in (.*)$')
_LONGEST: Final = 100


class Line(NamedTuple):
    """Where a function of a stack is."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """The line itself, where it can be read."""
        return linecache.getline(self.file, self.number).strip()[:_LONGEST]

    def __str__(self) -> str:
        text = self.text
        return f"{PurePath(self.file).name}:{self.number} in {self.function}" + (f" ({text})" if text else "")


def stack_of(ident: int | None) -> list[Line]:
    """The stack of a thread, innermost first; empty where there is none, or it is one of too many."""
    import tempfile  # rarely needed

    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file=file, all_threads=True)
        file.seek(0)
        text = file.read().decode(errors="replace")
    found: list[Line] = []
    wanted = False
    for line in text.splitlines():
        if (thread := _THREAD.match(line)) is not None:
            wanted = int(thread[1], 16) == ident
        elif wanted and (part := _LINE.match(line)) is not None:
            found.append(Line(part[1], int(part[2]), part[3]))
    return found


def innermost(stack: Iterable[Line], file: str | None) -> Line | None:
    """The innermost line of a file; of any, where the file has none."""
    lines = list(stack)
    return next((line for line in lines if line.file == file), lines[0] if lines else None)
