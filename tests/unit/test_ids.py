from __future__ import annotations

import itertools
import keyword
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb import ids


def test_run_ids_differ() -> None:
    assert len({ids.new_run_id() for _ in range(100)}) == 100


def test_owner_ids_differ() -> None:
    assert len({ids.new_owner_id() for _ in range(100)}) == 100


def test_a_run_id_can_be_a_file_name_and_a_word_on_the_command_line() -> None:
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{15}", ids.new_run_id())


def test_run_ids_sort_by_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = itertools.count(1_790_000_000.9, step=37.0)
    chance = itertools.cycle([2**30 - 1, 0, 12345])
    monkeypatch.setattr(ids, "time", SimpleNamespace(time=lambda: next(now)))
    monkeypatch.setattr(ids, "_random_bits", lambda _bits: next(chance))
    made = [ids.new_run_id() for _ in range(200)]
    assert made == sorted(made)
    assert len(set(made)) == 200


def test_the_random_part_of_a_run_id_loses_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "time", SimpleNamespace(time=lambda: 1_790_000_000.0))
    numbers = [0, *(2**bit for bit in range(40)), 2**40 - 1]
    chance = iter(numbers)
    monkeypatch.setattr(ids, "_random_bits", lambda bits: next(chance) % 2**bits)
    assert len({ids.new_run_id() for _ in numbers}) == len(numbers)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("load", "load"),
        ("Load", "Load"),
        ("größe", "größe"),
        ("Load data (2)", "load_data_2"),
        ("Größe in %", "groe_in"),
        ("Crème brûlée?", "creme_brulee"),
        ("  total.amount ", "total_amount"),
        ("2nd try", "n_2nd_try"),
        ("class", "n_class"),
        ("None", "none"),
        ("数 据", "node"),
        ("---", "node"),
        ("", "node"),
    ],
)
def test_slug_is_the_nearest_identifier(name: str, expected: str) -> None:
    assert ids.slug(name) == expected


@given(st.text())
def test_every_slug_is_an_identifier_and_its_own_slug(name: str) -> None:
    slug = ids.slug(name)
    assert slug.isidentifier()
    assert not keyword.iskeyword(slug)
    assert ids.slug(slug) == slug


def test_the_key_of_an_attempt_names_run_and_node() -> None:
    assert ids.attempt_key("r1", "each[3].clean") == "r1:each[3].clean"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("charge", "r1:post:charge"), ("größe", "r1:post:größe"), ("page 3:1", "r1:post:page%203%3A1")],
)
def test_the_key_of_a_step_is_the_nodes_with_its_name_and_has_no_blanks(name: str, expected: str) -> None:
    assert ids.step_key("r1", "post", name) == expected
