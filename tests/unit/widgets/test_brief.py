"""A value in a few words: its size or itself, and never its insides."""

from __future__ import annotations

from typing import Any

import pytest

from flownb.widgets.brief import brief


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (True, "True"), (3, "3"), ("posted", "posted"), ([1], "1 item"), ({"a": 1, "b": 2}, "2 fields"), (None, ""),
        ({"$artifact": {"form": "parquet", "preview": {"shape": [1204, 3]}}}, "1\u202f204 rows"),
        ({"$artifact": {"form": "npy", "preview": {"shape": [3, 4]}}}, "3 \u00d7 4"),
        ({"$transient": {"type": "lambda"}}, ""), ("x" * 5_000, "x" * 39 + "…"),
    ],
)  # fmt: skip
def test_a_value_is_told_in_a_few_words(plain: Any, said: str) -> None:
    assert brief(plain) == said
