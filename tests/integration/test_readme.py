from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize(("amounts", "said"), [([700, 800.5], "posted 1500.5"), ([700], "kept 1 for later")])
def test_the_story_of_the_readme_runs_as_it_stands(tmp_path: Path, amounts: list[float], said: str) -> None:
    pytest.importorskip("flownb.flow", reason="flow.py is not there yet")
    story = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "story.py").write_text("\n".join(story), encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "invoices.csv").write_text("amount\n" + "".join(f"{amount}\n" for amount in amounts))
    ended = subprocess.run(
        [sys.executable, "story.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
    )
    assert ended.returncode == 0, ended.stderr
    assert said in ended.stdout
