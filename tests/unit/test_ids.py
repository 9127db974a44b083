from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb import ids


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("load", "load"),
        ("Load", "Load"),
        ("Load data (2)", "load_data_2"),
        ("größe", "größe"),
        ("Größe in %", "groe_in"),
        ("2nd try", "n_2nd_try"),
        ("class", "n_class"),
        ("None", "none"),
        ("", "node"),
        ("---", "node"),
        ("  total.amount ", "total_amount"),
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
