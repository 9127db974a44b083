"""A process that waits to become a kernel: it has imported what each of them imports, and runs nobody's code.

It is told on its standard input which kernel to be: one line of JSON with the working `directory`, the `environment`
and the `arguments`. When the other end closes without a word, or dies, it ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import io
import json
import os
import sys
import time
from typing import Final

#: What to run with `python -c`. Like ipykernel's launcher, it takes the working directory from the path before it
#: imports anything: a `json.py` that lies there is the notebook's business.
PROGRAM: Final = "import sys; '' in sys.path[:1] and sys.path.pop(0); from flownb.notebook.waiting import main; main()"
#: What a kernel imports until its first cell, as far as it is there in this version.
_KERNEL: Final = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "sqlite3",  # of IPython's history
    "tornado.platform.asyncio",
    "psutil",
)
#: What the session in it imports, and a first run.
_SESSION: Final = (
    "flownb.notebook.kernel_session",
    "flownb.notebook.display",
    "flownb.flow",
    "flownb.run.start",
    "flownb.store.sqlite",
)


def main() -> None:
    """Import, wait for the word, and be the kernel until it is shut down."""
    gc.disable()
    with contextlib.redirect_stderr(io.StringIO()):  # the debugger warns of frozen modules, which nobody has to read
        for name in _KERNEL:
            with contextlib.suppress(ImportError):  # then the kernel does without, or says what is missing
                importlib.import_module(name)
    for name in _SESSION:
        importlib.import_module(name)
    gc.freeze()  # the collector needs to look at none of it, now or at the end
    gc.enable()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    order = json.loads(line)
    os.environ.clear()
    os.environ.update(order["environment"])
    if hasattr(time, "tzset"):
        time.tzset()
    os.chdir(order["directory"])
    spec = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [spec.origin if spec is not None and spec.origin else "", *order["arguments"]]

    from ipykernel import kernelapp

    kernelapp.launch_new_instance()
