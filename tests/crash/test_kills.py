"""kill -9 at named points and at random moments: nothing committed is lost or done again."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.crash.kills import EXPECTED, Tally, kill_until_done

if TYPE_CHECKING:
    from pathlib import Path


def kill_often(kills: int, folder: Path, shapes: list[str]) -> Tally:
    seed = int(os.environ.get("FLOWNB_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}: replay with FLOWNB_SEED={seed}")
    tally = Tally()
    number = 0
    while tally.kills < kills:
        place = folder / str(number)
        place.mkdir()
        kill_until_done(shapes[number % len(shapes)], seed + number, place, tally)
        number += 1
    print(tally)
    return tally


def check(tally: Tally, seconds: float) -> None:
    assert (tally.lost, tally.again, tally.wrong, tally.keyed_effects, tally.steps_again) == (0, 0, 0, 0, 0), tally
    assert sorted(tally.resumed)[len(tally.resumed) // 2] <= seconds, tally


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", list(EXPECTED))
def test_ten_kills_of_a_shape_lose_and_repeat_nothing(shape: str, tmp_path: Path) -> None:
    # Whoever died is known by its process: nobody waits until its lease of 15 s has lapsed, not on a busy machine.
    check(kill_often(10, tmp_path, [shape]), seconds=14)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_five_hundred_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    # A second is the promise, on a machine that does nothing else.
    check(kill_often(500, tmp_path, list(EXPECTED)), seconds=2)
