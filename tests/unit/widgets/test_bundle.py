"""Where there can be no widgets, one sentence says why, and runs are pictures."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from flownb.widgets import bundle

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "find_spec", lambda name: None if name == "anywidget" else object())
    assert bundle.missing() == "Live views need anywidget: `pip install 'flownb[lab]'`."


def test_a_missing_bundle_is_one_sentence_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundle, "find_spec", lambda _: object())
    for name in ("SCRIPT", "STYLE", "FAILED"):
        monkeypatch.setattr(bundle, name, tmp_path / name)
    assert "`python scripts/build_widgets.py` builds them" in bundle.missing()
    bundle.FAILED.write_text("there is no Node\n")
    assert "(there is no Node)" in bundle.missing()
    bundle.SCRIPT.touch()
    bundle.STYLE.touch()
    assert bundle.missing() == ""


def test_neither_flownb_nor_a_run_outside_of_a_notebook_loads_widgets() -> None:
    code = (
        "import sys, flownb\n"
        "flow = flownb.Flow('shop')\n"
        "@flow.node\ndef one(): return 1\n"
        "flow.run(store='memory:').result()\n"
        "loaded = {'anywidget', 'ipywidgets', 'traitlets', 'flownb.widgets.run_view'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
