from __future__ import annotations

import pytest

from flownb.errors import InvalidInput
from flownb.services.references import put_in, take_out

VALUES = {"crm": "{{ 1 / 0 }} secret://other", "db": "p@ss"}


def replaced(config: dict[str, object], kept: frozenset[str] = frozenset()) -> object:
    marks: dict[str, str] = {}
    made = take_out(config, kept, marks)
    assert "secret://crm" not in str(made)
    return put_in(made, {mark: VALUES[name] for mark, name in marks.items()})


def test_references_are_replaced_alone_inside_text_and_however_deep() -> None:
    assert replaced({"a": "secret://crm", "b": ["x secret://db.", {"c": "secret://db:secret://crm"}], "n": 3}) == {
        "a": VALUES["crm"],
        "b": ["x p@ss.", {"c": f"p@ss:{VALUES['crm']}"}],
        "n": 3,
    }


def test_what_the_type_takes_as_it_is_stays() -> None:
    assert replaced({"a": "secret://db", "code": "secret://db"}, frozenset({"code"})) == {
        "a": "p@ss",
        "code": "secret://db",
    }


def test_a_name_that_would_have_to_be_computed_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"auth.token: the name of a secret can't be computed"):
        take_out({"auth": {"token": "secret://{{ region }}_token"}}, frozenset(), {})
