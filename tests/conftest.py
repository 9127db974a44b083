"""What every test gets: a store of its own, so that none writes into the clone; properties that can be replayed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

# No deadline, because a busy machine is no fault. `make test` tries the same examples for the same code, so that a
# change is judged by what it did; `make soak` looks for new ones, and prints a line that brings a failing one back.
settings.register_profile("flownb", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("fresh", deadline=None, derandomize=False, print_blob=True, max_examples=1_000)
settings.load_profile("flownb")

# A shell that starts the tests in its background has Ctrl-C ignored, and children inherit that: some tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The default store of this test and of the processes it starts, as a URL."""
    url = f"sqlite:///{tmp_path}/flownb.db"
    monkeypatch.setenv("FLOWNB_STORE", url)
    return url
