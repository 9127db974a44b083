"""Numbers as people write them; and forms that are odd."""

from __future__ import annotations

from typing import Any

import pytest

from flownb.server.fields import Form, number


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("12", 12), (" 1 000 ", 1000), ("1 234,5", 1234.5), ("2,5", 2.5), ("-0.5", -0.5), (".5", 0.5), ("+3", 3),
        ("1e3", 1000.0), ("1.", 1.0), ("0012", 12), ("1" * 40, int("1" * 40)),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(given: str, found: float) -> None:
    assert number(given) == found
    assert type(number(given)) is type(found)


@pytest.mark.parametrize(
    "given", ["1,234", "1,234.5", "1.234.5", "", "x", "nan", "inf", "1_000", "0x10", "1e999", "²", "--1", "1" * 50, "٣"]
)
def test_what_is_no_number_or_could_be_two_stays_text(given: str) -> None:
    assert number(given) == given


@pytest.mark.parametrize(
    "form", [None, {}, {"properties": 3}, {"properties": {"a": True}, "required": 7}, {"type": "x"}]
)
def test_odd_forms_are_no_fault(form: Any) -> None:
    made = Form(form)
    filled = made.begin()
    assert made.read(filled) == {}
    assert "".join(each.html("") for each in made.fields).count("<input") <= 1


def test_a_fault_goes_to_the_field_with_the_longest_name_that_fits() -> None:
    form = Form({"properties": {"n": {"type": "integer"}, "n is": {"type": "integer"}}})
    by_key, rest = form.sort(["n is is 'x', and should be a whole number", "n is missing", "other is odd"])
    assert by_key == {"f1": "This is 'x', and should be a whole number."}
    assert rest == ["Other is odd."]
