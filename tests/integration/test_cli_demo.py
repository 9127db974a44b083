"""The demonstration, as `make demo` runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
def test_the_demonstration_survives_its_kill_and_says_what_to_open(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-m", "flownb", "demo", "--folder", str(tmp_path / "demo")],
        cwd=ROOT / "tests",
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(re.findall(r"^   ([a-z ,]+): +(.*?)(?: \(\d+ nodes\))?$", done.stdout, re.MULTILINE))
    restored, committed = told["restored, not run again"].split(", "), told["committed by then"].split(", ")
    assert restored == committed
    assert "monthly" in restored
    assert "report" in told["run for the first time"]
    assert "COMMITTED AND RUN AGAIN" not in done.stdout
    asked = re.search(r"answers, .* by: flownb approve (\w+) ", done.stdout)
    assert asked is not None
    assert "months_ok in run" in done.stdout
    assert "approved: approved by" in done.stdout
    files = re.findall(rf"^   ({re.escape(str(tmp_path))}\S+)", done.stdout, re.MULTILINE)
    assert len(files) == 4
    assert all(Path(each).stat().st_size > 1000 for each in files)
