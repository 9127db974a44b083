from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from flownb.cli.given import parameters_of, read_given, read_input, read_inputs
from flownb.errors import InvalidInput
from flownb.model.workflow import Node, Variable, Workflow
from flownb.notebook.parameters import Parameter

HERE = Path("/shell")


def value(type_: str, text: Any, **fields: Any) -> Any:
    return read_input(Variable(name="x", type=type_, **fields), text, HERE)


@pytest.mark.parametrize(
    ("type_", "text", "meant"),
    [
        ("string", "no", "no"),
        ("string", "0123", "0123"),
        ("string", "12:30", "12:30"),
        ("string", "{{ 1 + 1 }}", "{{ 1 + 1 }}"),
        ("string", "", ""),
        ("number", "3", 3),
        ("number", "-2.5", -2.5),
        ("number", "1e3", 1000.0),
        ("boolean", "yes", True),
        ("boolean", "False", False),
        ("boolean", "0", False),
        ("object", '{"a": 1}', {"a": 1}),
        ("array", "[1, 2]", [1, 2]),
        ("file", "data/a.csv", Path("/shell/data/a.csv")),
        ("file", "/else/a.csv", Path("/else/a.csv")),
        ("any", "[1]", [1]),
        ("any", "plain text", "plain text"),
        ("any", "0123", "0123"),
        ("coordinates", '{"x": 1}', {"x": 1}),
        ("of tomorrow", "3", 3),
    ],
)
def test_a_text_is_read_by_the_declared_type(type_: str, text: str, meant: Any) -> None:
    found = value(type_, text)
    assert found == meant
    assert type(found) is type(meant)


def test_a_number_may_be_none_of_the_finite_ones() -> None:
    assert math.isnan(value("number", "nan"))


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("number", "three", "x is 'three'; it must be a whole number (int) or a number (float)."),
        ("boolean", "maybe", "x is 'maybe'; it must be true or false (also yes, no, 1, 0)."),
        ("object", "[1]", "x is [1]; it must be a JSON object"),
        ("array", "{", "x is '{'; it must be a JSON list"),
        ("file", "", "x is ''; it must be a path."),
        ("dataframe", "a.xls", "it must be the path of a file that ends in .csv, .tsv, .parquet."),
        ("dataframe", "a.csv", "there is no such file"),
    ],
)
def test_what_does_not_fit_is_a_sentence(type_: str, text: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        value(type_, text)
    assert expected in str(caught.value)


def test_a_default_gives_the_type_that_is_not_declared() -> None:
    assert value("any", "no", default="yes") == "no"
    assert value("any", "no", default=True) is False
    assert value("any", "7", default=1) == 7
    assert value("any", "7", default="1") == "7"
    with pytest.raises(InvalidInput):
        value("any", "seven", default=1)


def test_a_table_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("a\tb\n1\t2\n")
    frame = read_input(Variable(name="x", type="dataframe"), "a.tsv", tmp_path)
    assert frame.to_dict("list") == {"a": [1], "b": [2]}


def test_a_secret_is_given_by_reference_only() -> None:
    assert value("string", "secret://smtp", secret=True) == "secret://smtp"
    with pytest.raises(InvalidInput, match="secret://name, and never its value") as caught:
        value("string", "hunter2", secret=True)
    assert "hunter2" not in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    workflow = Workflow(
        name="shop",
        variables=(Variable(name="month"), Variable(name="limit", type="number", default=3)),
        nodes=(Node(id="load", type="python"),),
    )
    with pytest.raises(InvalidInput) as caught:
        read_inputs(workflow, {"limt": "1", "limit": "x", "load": "1"}, HERE)
    text = str(caught.value)
    assert "There is no input 'limt'. Did you mean 'limit'?" in text
    assert "'load' is a node and no input" in text
    assert "The input 'month' (any) is missing: give it as `-p month VALUE`." in text
    assert "limit is 'x'" in text


# --- -p and -y --------------------------------------------------------------------------------------------------------


def test_an_argument_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_text("a: no\nb: 0123\n")
    declared = [Parameter(name="a", type="str"), Parameter(name="b", type="str")]
    assert read_given([("a", "3")], str(file), declared) == {"a": "3", "b": "0123"}
    assert read_given([], str(file), declared) == {"a": "no", "b": "0123"}


def test_a_name_that_is_given_twice_is_a_fault() -> None:
    with pytest.raises(InvalidInput, match="-p gives 'a' twice: '1' and '2'"):
        read_given([("a", "1"), ("a", "2")], None, [])
    assert read_given([("a", "1"), ("a", "1")], None, []) == {"a": "1"}


def test_inputs_of_a_workflow_are_declared_as_those_of_a_notebook() -> None:
    variables = (Variable(name="a", type="number"), Variable(name="b", default="x", description="what"))
    first, second = parameters_of(Workflow(name="shop", variables=variables))
    assert (first.name, first.type, first.required) == ("a", "int | float", True)
    assert (second.name, second.type, second.required, second.help) == ("b", "str", False, "what")
