"""The command line in this process: each call gives its exit status, and stdout and stderr apart."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from flownb import Flow
from flownb.cli.app import app, run_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run

_numbers = itertools.count()


class Told(NamedTuple):
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """`cli("runs", "--json")` calls the command; the store is the test's own."""

    def call(*args: str) -> Told:
        capsys.readouterr()
        status = run_app(app, list(args))
        out, err = capsys.readouterr()
        return Told(status, out, err)

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own; what commands put on the path goes again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def module(folder: Path) -> Callable[[str], str]:
    """`module(source)` writes a module into the working directory and returns its name, which no other test has."""

    def write(source: str) -> str:
        name = f"cli_module_{next(_numbers)}"
        (folder / f"{name}.py").write_text(f"from flownb import Flow\n{source}", encoding="utf-8")
        return name

    return write


@pytest.fixture
def shop(own_store: str) -> Callable[..., Run]:
    """`shop(amount=3)` runs a flow to its end: `load` prints, `check` fails below 0, `keep` is skipped."""

    def run(amount: int = 3, key: str | None = None) -> Run:
        flow = Flow("shop")

        @flow.node
        def load(amount: int) -> list[int]:
            print("loading", amount)
            return [amount] * 3

        @flow.node
        def check(load: list[int]) -> int:
            if load[0] < 0:
                raise ValueError("nothing below zero")
            return sum(load)

        big = flow.condition("big", "check > 0")
        flow.node(lambda: "kept", id="keep", after=big.false)
        started = flow.run(amount=amount, store=own_store, key=key, display=False)
        while not started.resting:
            started._settled.wait(5)
        return started

    return run
