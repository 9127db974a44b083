"""Artifacts are found in plain data, however deep it is."""

from __future__ import annotations

from typing import Any

import pytest

from flownb.store.references import artifacts_named, artifacts_needed


@pytest.mark.parametrize(
    ("plain", "needed", "named"),
    [
        (None, [], []),
        ("digest", [], []),
        ({"$artifact": {"digest": "a1", "kind": "parquet"}}, ["a1"], ["a1"]),
        ([{"x": ({"$artifact": {"digest": "a1"}},)}, {"$artifact": {"digest": "a2"}}], ["a1", "a2"], ["a1", "a2"]),
        ({"$transient": {"type": "Model", "png": "p1"}}, [], ["p1"]),
        ({"$artifact": {"digest": "a1", "rest": {"$artifact": {"digest": "a2"}}}}, ["a1", "a2"], ["a1", "a2"]),
        ({"digest": "mine"}, [], ["mine"]),
        ({"$artifact": "odd"}, [], []),
        ({"$artifact": {"digest": 3}}, [], []),
    ],
)
def test_what_is_named(plain: Any, needed: list[str], named: list[str]) -> None:
    assert sorted(artifacts_needed(plain)) == needed
    assert sorted(artifacts_named(plain)) == named


def test_depth_is_no_matter() -> None:
    plain: Any = {"$artifact": {"digest": "deep"}}
    for _ in range(50_000):
        plain = [plain]
    assert list(artifacts_needed(plain)) == ["deep"]
