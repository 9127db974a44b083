from __future__ import annotations

import pytest

from flownb.expr import limits
from flownb.expr.refusal import Refusal


def test_the_budget_is_used_up_exactly() -> None:
    work = limits.new_work()
    limits.spend(work, limits.STEPS)
    with pytest.raises(Refusal, match="too much work"):
        limits.spend(work, 1)


def test_every_evaluation_has_a_budget_of_its_own() -> None:
    assert limits.new_work() is not limits.new_work()


def test_text_costs_a_step_for_sixteen_characters() -> None:
    work = limits.new_work()
    limits.spend_text(work, 1600)
    assert limits.STEPS - work[0] == 101


def test_sizes_are_checked_before_they_are_made() -> None:
    limits.check_string(limits.STRING)
    limits.check_list(limits.LIST)
    with pytest.raises(Refusal, match="100,001 characters"):
        limits.check_string(limits.STRING + 1)
    with pytest.raises(Refusal, match="100,001 entries"):
        limits.check_list(limits.LIST + 1)
