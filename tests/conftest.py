"""What every test gets: a store of its own, so that none writes into the clone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The default store of this test and of the processes it starts, as a URL."""
    url = f"sqlite:///{tmp_path}/flownb.db"
    monkeypatch.setenv("FLOWNB_STORE", url)
    return url
