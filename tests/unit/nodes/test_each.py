from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from flownb.errors import ExpressionError
from flownb.expr import compile_expression
from flownb.nodes.each import each, each_value
from flownb.nodes.items import items_of
from flownb.testing import FakeContext


class Ticking(FakeContext):
    """A context whose clock goes on by a second whenever somebody looks at it."""

    def now(self) -> float:
        self.time += 1.0
        return self.time


def values(text: str, items: list[Any], ctx: FakeContext | None = None, **names: Any) -> list[Any]:
    return each_value(compile_expression(text), items_of(items, "node"), ctx or FakeContext(), names)


def test_an_expression_sees_the_item_its_number_and_the_other_names() -> None:
    assert values("item * limit + index", [5, 7], limit=10) == [50, 71]


def test_the_nearest_item_wins_over_a_name_of_the_run() -> None:
    assert values("item", [1, 2], item="of the run", index="too") == [1, 2]


def test_the_first_item_that_fails_is_named() -> None:
    with pytest.raises(ExpressionError, match=r"node: item 1: There is no 'ammount' in item") as caught:
        values("item.ammount", [{"ammount": 1}, {"amount": 2}])
    assert "amount" in str(caught.value)
    assert caught.value.position == 5


def test_errors_can_be_taken_as_answers() -> None:
    found = list(each(compile_expression("1 / item"), items_of([1, 0], "node"), FakeContext(), {}))
    assert found[0] == 1.0
    assert isinstance(found[1], ExpressionError)


def test_a_long_loop_says_so_once_and_shows_how_far_it_is(caplog: pytest.LogCaptureFixture) -> None:
    context = Ticking()
    with caplog.at_level(logging.WARNING):
        values("item", [0] * 20_000, context)
    (record,) = caplog.records
    assert record.getMessage().startswith("node: 5,120 of 20,000 items took 5 s, the rest will take about 15 s.")
    assert context.shares == sorted(context.shares)
    assert context.shares[0] == 5120 / 20_000


def test_a_short_loop_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    context = FakeContext()
    values("item", [0] * 20_000, context)
    assert (caplog.records, context.shares) == ([], [])


def test_a_node_that_is_asked_to_stop_stops_in_the_middle() -> None:
    context = FakeContext()
    context.cancelled = True
    seen: list[Any] = []
    with pytest.raises(asyncio.CancelledError):
        seen.extend(each(compile_expression("item"), items_of([0] * 20_000, "node"), context, {}))
    assert len(seen) == 1024
