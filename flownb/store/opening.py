"""The lock under which stores are opened; nobody is half-way through when this process forks."""

from __future__ import annotations

import os
import threading
from typing import Final

#: Reentrant: who opens a place opens its file beneath it, and forks may hold it more than once.
OPENING: Final = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=OPENING.acquire, after_in_parent=OPENING.release, after_in_child=OPENING.release)
