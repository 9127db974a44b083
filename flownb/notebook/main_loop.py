"""The loop of the kernel, which serves nodes that want the main thread while no cell is being executed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


def kernel_loop() -> asyncio.AbstractEventLoop | None:
    """The loop on the main thread of this kernel; None where this is no kernel, or one without such a loop."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    io_loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    loop: asyncio.AbstractEventLoop | None = getattr(io_loop, "asyncio_loop", None)
    return loop if loop is not None and loop.is_running() else None
