"""Python's parser, as threads need it."""

from __future__ import annotations

import ast

import pytest

from flownb.model.syntax import parsed


def test_a_count_that_another_thread_upset_is_no_fault_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, calls = ast.parse, []

    def upset(*given: object) -> object:
        calls.append(given)
        if len(calls) < 3:
            raise SystemError("AST constructor recursion depth mismatch (before=162, after=217)")
        return parse(*given)  # type: ignore[call-overload]

    monkeypatch.setattr(ast, "parse", upset)
    assert ast.dump(parsed("a + 1", "eval").body) == ast.dump(parse("a + 1", mode="eval").body)
    assert len(calls) == 3


def test_a_fault_that_stays_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise SystemError("broken")

    monkeypatch.setattr(ast, "parse", broken)
    with pytest.raises(SystemError, match="broken"):
        parsed("a")


def test_errors_name_the_text_and_its_place() -> None:
    with pytest.raises(SyntaxError) as caught:
        parsed("a\nb c", name="cell 3")
    assert (caught.value.filename, caught.value.lineno) == ("cell 3", 2)
