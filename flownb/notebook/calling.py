"""Starting a module's flow or a workflow file because a run failed or came to a status, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from flownb.errors import UsageError

if TYPE_CHECKING:
    from flownb.store.contract import Store
    from flownb.store.letters import ErrorCall, StatusCall


def in_process_of_its_own(store: Store, call: ErrorCall | StatusCall, key: str) -> bool:
    """Start `flownb run TARGET --key KEY --because RUN` where that run was started; it outlives this process.

    Raises:
        UsageError: the run lives in memory only, or the process can't be started.
    """
    target = call.target
    if store.url == "memory:":
        raise UsageError("it lives in the memory of one process, which no other sees; name a Flow instead.")
    row = store.row(call.run)
    program = store.program(row.program) if row is not None and row.program else None
    place = program.directory if program is not None and Path(program.directory).is_dir() else str(Path.cwd())
    command = [sys.executable, "-m", "flownb", "run", target, "--key", key, "--because", call.run, "--store", store.url]
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603  our own command line
            command, stdin=quiet, stdout=quiet, stderr=quiet, cwd=place, start_new_session=True
        )
    except OSError as error:
        raise UsageError(f"its process can't be started: {error.strerror or error}.") from error
    # A parent must wait for its children, else they stay as zombies.
    threading.Thread(target=process.wait, name="flownb-call", daemon=True).start()
    return True
