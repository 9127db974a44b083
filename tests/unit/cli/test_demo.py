from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb.cli.demo import _empty, _notebook
from flownb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Told


def test_only_an_earlier_demonstration_is_replaced(tmp_path: Path) -> None:
    out = _empty(tmp_path / "demo")
    (out / "old").touch()
    assert [each.name for each in _empty(out).iterdir()] == [".flownb-demo"]


def test_somebody_s_files_are_never_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty and no earlier demonstration's; give another --folder"):
        _empty(tmp_path)
    assert (tmp_path / "thesis.tex").exists()
    file = tmp_path / "thesis.tex"
    with pytest.raises(UsageError, match="can't be written"):
        _empty(file)


def test_the_notebook_is_found_from_anywhere(folder: Path) -> None:
    assert folder.is_dir()
    assert _notebook().name == "weather_report.ipynb"
    clone = folder / "clone"
    (clone / "flownb").mkdir(parents=True)
    (clone / "notebooks").mkdir()
    (clone / "notebooks" / "weather_report.ipynb").touch()


def test_another_year_is_refused(cli: Callable[..., Told]) -> None:
    told = cli("demo", "--year", "1999")
    assert told.status == 2
    assert "2012<=x<=2015" in told.err
