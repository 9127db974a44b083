"""Waiting for what another thread or process brings about: for a condition, not for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Wait until `condition()` is true and return what it came to; fails when that takes longer than `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"it did not happen within {seconds:g} s"
        time.sleep(0.005)
    return found
