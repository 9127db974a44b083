"""A store in memory with a public address, and runs that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.store.memory import MemoryStore
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "https://flows.example.org/f")
    return MemoryStore()


@pytest.fixture
def ask(store: Store) -> Callable[..., Run]:
    """`ask("Fine?", form=…)` starts a run that asks, and waits until it rests; `kind="input"` asks otherwise."""

    def start(question: str = "Post 3 EUR?", *, kind: str = "approval", shown: Any = None, **options: Any) -> Run:
        flow = Flow("shop")
        flow.node(lambda: shown, id="load")
        if shown is not None:
            options.setdefault("preview", "load")
        asked = getattr(flow, kind)("ok", question, after="load", **options)
        if kind in ("approval", "review"):
            flow.set_variable("post", "posted", "yes", after=asked.approved)
        run = flow.run(store=store, display=False)
        wait_for(lambda: run.resting)
        return run

    return start
