from __future__ import annotations

from typing import Any

import pytest

from flownb.expr import Finding, check

DATA: dict[str, Any] = {"order": {"total": 5}, "name": "Ann"}


@pytest.mark.parametrize(
    ("template", "kind", "expected"),
    [
        ("{{ order.total }} for {{ name }}", "template", []),
        ("no expression", "template", []),
        ("{{ order.totl }} {{ nam }}", "template", [(9, "Did you mean 'total'"), (20, "Did you mean 'name'")]),
        ("{{ default(nope, 1) }} {{ exists(nope.a) }}", "template", []),
        ("{{ order.total + name }}", "template", [(3, "Can't add")]),
        ("{{ order.total", "template", [(0, "never closed")]),
        ("{{ upper(order.total) }}", "template", [(3, "upper needs a text")]),
        ("order.totl > 1", "expression", [(6, "Did you mean 'total'")]),
        ("{{ order.totl }} > 1", "condition", [(9, "Did you mean 'total'")]),
        ("nope and nope", "condition", [(0, "no 'nope'"), (9, "no 'nope'")]),
        ("false and order.nope", "condition", [(16, "no 'nope'")]),
        (None, "template", [(0, "is text")]),
    ],
)
def test_findings_come_with_their_place(template: Any, kind: str, expected: list[tuple[int, str]]) -> None:
    found = check(template, DATA, kind=kind)
    assert [each.position for each in found] == [position for position, _ in expected]
    for each, (_, words) in zip(found, expected, strict=True):
        assert isinstance(each, Finding)
        assert words in each.message


def test_an_object_can_be_checked_as_a_condition() -> None:
    found = check({"type": "equals", "left": "{{ order.totl }}", "right": 1}, DATA, kind="condition")  # type: ignore[arg-type]  # conditions may be objects
    assert "Did you mean 'total'" in found[0].message


def test_data_that_is_no_mapping_is_a_finding() -> None:
    assert "mapping" in check("{{ a.b }}", None)[0].message  # type: ignore[arg-type]  # on purpose
