"""The browser half of the widgets: its own types hold, its own tests pass, and what is built needs nobody's server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from flownb.widgets.bundle import SCRIPT, STYLE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command", [["typescript/bin/tsc", "--noEmit"], ["vitest/vitest.mjs", "run"]], ids=["types", "tests"]
)
def test_types_hold_and_tests_pass(node: list[str], command: list[str]) -> None:
    program, *arguments = command
    ended = subprocess.run(
        [*node, f"node_modules/{program}", *arguments],
        cwd=ROOT / "widgets",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_built_files_load_nothing_from_anywhere() -> None:
    script, style = SCRIPT.read_text("utf-8"), STYLE.read_text("utf-8")
    assert not re.search(
        r"\bimport\s*\(|\bimport[\s{*][^;]*\bfrom\s*[\"']|\bfetch\s*\(|XMLHttpRequest|new WebSocket", script
    )
    assert "url(" not in style
    assert "@import" not in style
    assert len(script) < 800_000
