from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flownb.cli.house import _seconds, _size
from flownb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run
    from tests.unit.cli.conftest import Told


def test_runs_are_deleted_by_id(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    runs = [shop(), shop(), shop()]
    told = cli("rm", runs[0].id, runs[1].id)
    assert told.out == f"{runs[0].id} of shop is deleted.\n{runs[1].id} of shop is deleted.\n"
    assert [each["id"] for each in cli("runs", "--json").lines] == [runs[2].id]


def test_one_unknown_id_and_nothing_is_deleted(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    run = shop()
    assert cli("rm", run.id, "nothing9").status == 2
    assert len(cli("runs", "--json").lines) == 1


def test_old_runs_go_where_it_is_asked_for(cli: Callable[..., Told], shop: Callable[..., Run]) -> None:
    shop()
    assert cli("gc").out.startswith("0 runs deleted, ")
    assert cli("gc", "--older", "1d", "--json").json["runs"] == 0
    assert cli("gc", "--older", "0s").out.startswith("1 run deleted, ")
    assert cli("runs", "--json").lines == []


@pytest.mark.parametrize(("age", "seconds"), [("30d", 30 * 86400), ("12h", 43200), ("90m", 5400), ("1.5w", 907200)])
def test_an_age_is_a_number_with_a_unit(age: str, seconds: float) -> None:
    assert _seconds(age) == seconds


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1 month", "", "٣d", "1e3d"])
def test_another_age_is_refused_with_an_example(age: str) -> None:
    with pytest.raises(UsageError, match="write it as 30d"):
        _seconds(age)


@pytest.mark.parametrize(("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2e9, "2.0 GB")])
def test_sizes_are_for_people(size: float, text: str) -> None:
    assert _size(size) == text
