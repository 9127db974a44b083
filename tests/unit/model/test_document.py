from __future__ import annotations

import json
import pickle
from collections import UserDict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.errors import InvalidWorkflow, NotFound, UsageError
from flownb.model import document
from flownb.model.document import decode, encode, from_json, to_json
from flownb.model.problem import Problem, Severity
from flownb.model.status import OnError
from flownb.model.walk import MAX_DEPTH, MAX_PROBLEMS
from flownb.model.workflow import Node, Settings, Template, Workflow
from tests.unit.model.samples import FULL

if TYPE_CHECKING:
    from pathlib import Path


def found(data: Any) -> list[tuple[str | None, str]]:
    """The problems of a document in our form, as place and code."""
    workflow, problems = decode(data)
    assert (workflow is None) == any(each.severity is Severity.ERROR for each in problems)
    assert all(isinstance(str(each), str) and each.place for each in problems)
    return [(each.place, each.code) for each in problems]


def wrong(field: str, value: Any) -> list[tuple[str | None, str]]:
    return found({"format": 1, field: value})


def wrong_node(**fields: Any) -> list[tuple[str | None, str]]:
    return wrong("nodes", [{"id": "a", "type": "python", **fields}])


def only_message(data: Any) -> Problem:
    (problem,) = decode(data)[1]
    return problem


# --- there and back ---------------------------------------------------------------------------------------------------


def test_a_workflow_with_every_field_comes_back_equal() -> None:
    for cls in (Workflow, Template, Settings):
        value = {Workflow: FULL, Template: FULL.template, Settings: FULL.settings}[cls]
        for field in msgspec.structs.fields(cls):
            assert getattr(value, field.name) != field.default, (
                f"FULL leaves {cls.__name__}.{field.name} at its default"
            )
    again, problems = decode(encode(FULL))
    assert problems == []
    assert again == FULL
    assert encode(FULL) == encode(again)


def test_the_same_by_the_methods_of_a_workflow() -> None:
    assert Workflow.from_json(FULL.to_json()) == FULL
    assert to_json(FULL) == FULL.to_json() == encode(FULL)


def test_an_empty_workflow_is_its_format_and_nothing_else() -> None:
    assert encode(Workflow()) == '{\n  "format": 1\n}\n'
    assert from_json('{"format": 1}') == Workflow()


def test_numbers_stay_whole_or_not_as_they_were() -> None:
    text = '{"format": 1, "nodes": [{"id": "a", "type": "b", "timeout": 5, "config": {"x": 1.0, "y": 1}}]}'
    again = encode(from_json(text))
    assert '"timeout": 5\n' in again or '"timeout": 5,' in again
    assert '"x": 1.0' in again
    assert '"y": 1\n' in again


def test_free_data_is_plain_and_nobody_elses() -> None:
    given: dict[str, Any] = {"format": 1, "nodes": [{"id": "a", "type": "b", "config": {"list": [1, (2, 3)]}}]}
    workflow = from_json(given)
    given["nodes"][0]["config"]["list"].append("later")
    assert workflow.nodes[0].config == {"list": [1, [2, 3]]}


# --- the form on disk -------------------------------------------------------------------------------------------------


def changed_lines(one: Workflow, two: Workflow) -> int:
    before, after = encode(one).splitlines(), encode(two).splitlines()
    assert len(before) == len(after)
    return sum(a != b for a, b in zip(before, after, strict=True))


def test_the_text_is_sorted_indented_and_ends_with_a_line_end() -> None:
    text = encode(FULL)
    assert json.loads(text) == json.loads(json.dumps(json.loads(text), sort_keys=True))
    keys = [line.split('"')[1] for line in text.splitlines() if line.startswith('  "')]
    assert keys == sorted(keys)
    assert text.endswith("\n}\n")
    assert "Übersicht" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_moving_a_node_changes_one_line() -> None:
    moved = msgspec.structs.replace(FULL, positions={**FULL.positions, "load": (7, 9)})
    assert changed_lines(FULL, moved) == 1


def test_rewiring_an_edge_changes_one_line() -> None:
    edges = (FULL.edges[0], msgspec.structs.replace(FULL.edges[1], source="post", target="load"))
    assert changed_lines(FULL, msgspec.structs.replace(FULL, edges=edges)) == 1


def test_renaming_a_node_changes_one_line() -> None:
    nodes = (msgspec.structs.replace(FULL.nodes[0], name="Fetch"), FULL.nodes[1])
    assert changed_lines(FULL, msgspec.structs.replace(FULL, nodes=nodes)) == 1


def test_a_node_keeps_its_place_among_the_nodes() -> None:
    turned = msgspec.structs.replace(FULL, nodes=FULL.nodes[::-1])
    assert from_json(encode(turned)).nodes == FULL.nodes[::-1]


NOT_WRITTEN = {
    "nan": (float("nan"), "not_finite"),
    "infinity": (float("-inf"), "not_finite"),
    "65 bits": (2**64, "big_integer"),
    "6001 digits": (10**6000, "big_integer"),
    "a key that is a number": ({1: 2}, "wrong_type"),
    "a set": ({1, 2}, "wrong_type"),
    "bytes": (b"bytes", "wrong_type"),
    "an object": (object(), "wrong_type"),
    "half a character": ("\ud800", "encoding"),
    "half a character in a key": ({"\ud800": 1}, "encoding"),
}


@pytest.mark.parametrize("what", NOT_WRITTEN)
def test_what_would_not_come_back_is_not_written(what: str) -> None:
    value, code = NOT_WRITTEN[what]
    workflow = Workflow(name="w", nodes=(Node(id="a", type="b", config={"x": [value]}),))
    with pytest.raises(InvalidWorkflow) as caught:
        encode(workflow)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.place is not None
    assert problem.place.startswith("nodes[0].config.x[0]")
    assert problem.node == "a"


# --- the text ---------------------------------------------------------------------------------------------------------


NO_DOCUMENT = {
    "nothing": ("", "document", "syntax"),
    "blanks": (" \n\t", "document", "syntax"),
    "no end": ("{", "line 1, column 2", "syntax"),
    "a comma too many": ('{\n  "format": 1,\n}', "line 3, column 1", "syntax"),
    "single quotes": ("{'format': 1}", "line 1, column 2", "syntax"),
    "two documents": ('{"format": 1} {}', "line 1, column 15", "syntax"),
    "a line end in a text": ('{"format": 1, "a": "\n"}', "line 1, column 21", "syntax"),
    "UTF-16": (b"\xff\xfe{\x00}\x00", "document", "encoding"),
    "Latin-1": (b'{\n"name": "\xe9"}', "line 2", "encoding"),
    "deep lists": ("[" * 100_000, "line 1, column 101", "too_deep"),
    "deep objects": ('{"format": 1, "nodes":\n' + '{"a":' * 100_000, "line 2, column 496", "too_deep"),
    "a text": ('"[[["', "document", "wrong_type"),
    "a list": ("[]", "document", "wrong_type"),
    "null": ("null", "document", "wrong_type"),
    "a number": ("12", "document", "wrong_type"),
}


@pytest.mark.parametrize("what", NO_DOCUMENT)
def test_a_text_that_is_no_document(what: str) -> None:
    text, place, code = NO_DOCUMENT[what]
    assert found(text) == [(place, code)]


def test_a_byte_order_mark_is_ignored_and_told() -> None:
    for text in ("\ufeff" + encode(FULL), b"\xef\xbb\xbf" + encode(FULL).encode()):
        workflow, (problem,) = decode(text)
        assert workflow == FULL
        assert (problem.severity, problem.code) == (Severity.WARNING, "bom")


def test_a_text_beyond_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_TEXT", 100)
    assert found('{"format": 1, "description": "' + "x" * 100) == [("document", "too_large")]


# --- the format -------------------------------------------------------------------------------------------------------


def test_a_newer_format_is_one_problem_that_says_what_to_do() -> None:
    problem = only_message({"format": 2, "loops": [1], "nodes": 3})
    assert problem.place == "format"
    assert "reads format 1" in problem.message
    assert "Update flownb" in problem.hint


@pytest.mark.parametrize("value", [0, -1, "1", 1.0, 1.5, True, None, [], {}])
def test_a_strange_format(value: Any) -> None:
    assert wrong("format", value) == [("format", "format")]


def test_a_missing_format_is_told_beside_everything_else() -> None:
    workflow, problems = decode({"nodes": [{"id": "a"}]})
    assert workflow is None
    assert [(each.place, each.code) for each in problems] == [("document", "format"), ("nodes[0]", "missing_field")]
    assert 'Add "format": 1' in problems[0].hint


# --- fields -----------------------------------------------------------------------------------------------------------


def test_all_problems_are_found_at_once_each_with_its_place() -> None:
    text = """{
      "format": 1, "nam": "x", "status": "drat", "version": "1",
      "nodes": [
        {"id": "load data", "type": "python", "config": {"q": 1, "q": NaN}},
        {"type": "python", "timeout": -1, "retry": {"attempts": 0, "dely": 2}},
        {"id": "ok", "type": "python", "join": "some", "on_error": "retry", "config": [1]},
        7,
        {"id": "ok", "type": null, "disabled": 0, "notes": 12345678901234567890123}
      ],
      "edges": [{"source": "ok"}, {"source": "ok", "target": "ok", "type": "ai-tool"}],
      "positions": {"ok": [1, "2"], "b": [1, 2, 3]},
      "settings": {"budget": {"EUR": Infinity}},
      "variables": {"a": 1}
    }"""
    assert sorted(found(text), key=str) == sorted(
        [
            ("nam", "unknown_field"),
            ("status", "unknown_value"),
            ("version", "wrong_type"),
            ("nodes[0].id", "bad_name"),
            ("nodes[0].config.q", "duplicate_key"),
            ("nodes[0].config.q", "not_finite"),
            ("nodes[1]", "missing_field"),
            ("nodes[1].timeout", "out_of_range"),
            ("nodes[1].retry.attempts", "out_of_range"),
            ("nodes[1].retry.dely", "unknown_field"),
            ("nodes[2].join", "unknown_value"),
            ("nodes[2].on_error", "unknown_value"),
            ("nodes[2].config", "wrong_type"),
            ("nodes[3]", "wrong_type"),
            ("nodes[4].id", "duplicate_id"),
            ("nodes[4].type", "wrong_type"),
            ("nodes[4].disabled", "wrong_type"),
            ("nodes[4].notes", "big_integer"),
            ("edges[0]", "missing_field"),
            ("edges[1].type", "unknown_value"),
            ("positions.ok[1]", "wrong_type"),
            ("positions.b", "wrong_type"),
            ("settings.budget.EUR", "not_finite"),
            ("variables", "wrong_type"),
        ],
        key=str,
    )


def test_an_unknown_field_names_the_near_one() -> None:
    problem = only_message({"format": 1, "nodes": [{"id": "a", "type": "b", "timout": 3}]})
    assert str(problem) == "error: nodes[0].timout: Node has no field 'timout'. Did you mean 'timeout'?"
    assert problem.node == "a"


def test_an_unknown_word_names_the_near_one() -> None:
    problem = only_message({"format": 1, "nodes": [{"id": "a", "type": "b", "on_error": "Continu"}]})
    assert str(problem) == "error: nodes[0].on_error: 'Continu' is not known here. Did you mean 'continue'?"


def test_a_name_that_is_no_identifier_is_told_with_one_that_is() -> None:
    problem = only_message({"format": 1, "nodes": [{"id": "Load data (2)", "type": "b"}]})
    assert problem.message == "'Load data (2)' is no Python identifier."
    assert problem.hint == "'load_data_2' would be one."
    assert wrong_node(id="class") == [("nodes[0].id", "bad_name")]
    assert wrong_node(id="") == [("nodes[0].id", "bad_name")]


def test_ids_come_once() -> None:
    node = {"id": "a", "type": "b"}
    assert wrong("nodes", [node, {"id": "c", "type": "b"}, node]) == [("nodes[2].id", "duplicate_id")]
    assert wrong("variables", [{"name": "a"}, {"name": "a"}]) == [("variables[1].name", "duplicate_id")]
    trigger = {"id": "t", "type": "trigger.manual"}
    assert wrong("triggers", [trigger, trigger]) == [("triggers[1].id", "duplicate_id")]


WRONG_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": 3}, "nodes[0].type", "wrong_type"),
    ({"type": "x" * 1001}, "nodes[0].type", "too_large"),
    ({"id": "x" * 201}, "nodes[0].id", "too_large"),
    ({"notes": "x" * 100_001}, "nodes[0].notes", "too_large"),
    ({"timeout": True}, "nodes[0].timeout", "wrong_type"),
    ({"timeout": float("inf")}, "nodes[0].timeout", "not_finite"),
    ({"type_version": 1.0}, "nodes[0].type_version", "wrong_type"),
    ({"type_version": 2**63}, "nodes[0].type_version", "big_integer"),
    ({"disabled": "yes"}, "nodes[0].disabled", "wrong_type"),
    ({"config": {"a b": {"c": float("nan")}}}, "nodes[0].config['a b'].c", "not_finite"),
    ({"config": {"k" * 50: float("nan")}}, "nodes[0].config['" + "k" * 37 + "...']", "not_finite"),
    ({"join": {"count": 0}}, "nodes[0].join.count", "out_of_range"),
    ({"join": 2}, "nodes[0].join", "wrong_type"),
    ({"retry": []}, "nodes[0].retry", "wrong_type"),
    ({"retry": {"jitter": 1.5}}, "nodes[0].retry.jitter", "out_of_range"),
    ({"retry": {"on": "timeout"}}, "nodes[0].retry.on", "wrong_type"),
    ({"limits": {"resources": {"gpu": "1"}}}, "nodes[0].limits.resources.gpu", "wrong_type"),
    ({"name": "\udcff"}, "nodes[0].name", "encoding"),
    ({"name": None}, "nodes[0].name", "wrong_type"),
]


@pytest.mark.parametrize("number", range(len(WRONG_FIELDS)))
def test_a_wrong_field(number: int) -> None:
    fields, place, code = WRONG_FIELDS[number]
    assert wrong_node(**fields) == [(place, code)]


def test_null_is_a_value_only_where_none_is_one() -> None:
    assert wrong_node(timeout=None, retry=None, parent=None, pinned=None, fallback=None) == []


# --- data without end -------------------------------------------------------------------------------------------------


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_depth_is_limited_and_the_place_told() -> None:
    free = MAX_DEPTH - 4  # nodes, [0], config, x
    assert wrong_node(config={"x": nested(free)}) == []
    ((place, code),) = wrong_node(config={"x": nested(free + 1)})
    assert (place, code) == ("nodes[0].config.x" + "[0]" * free, "too_deep")
    assert [code for _, code in wrong_node(config={"x": nested(5000)})] == ["too_deep"]


def test_data_that_holds_itself_ends() -> None:
    circle: list[Any] = []
    circle += [circle, circle]
    codes = {code for _, code in wrong_node(config={"x": circle})}
    assert codes == {"too_deep", "too_many"}


def test_many_problems_are_cut_with_a_word() -> None:
    problems = decode({"format": 1, "nodes": [{"idd": 1}] * 2_000})[1]
    assert len(problems) == MAX_PROBLEMS
    assert problems[-1].code == "too_many"


def test_too_many_nodes_are_one_problem() -> None:
    assert wrong("nodes", [0] * 100_001) == [("nodes", "too_large")]


def test_any_data_at_all_is_only_ever_told() -> None:
    for data in (None, 1, 1.5, True, object(), [], (), set(), b"\x00", "x", {1: 2}, {None: None}, {"format": {}}):
        assert found(data)


def test_a_mapping_that_is_no_dict_is_read_as_one() -> None:
    assert from_json(UserDict({"format": 1, "name": "w"})) == Workflow(name="w")


# --- from_json --------------------------------------------------------------------------------------------------------


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text(encode(FULL), encoding="utf-8")
    assert from_json(path) == from_json(str(path)) == FULL
    assert from_json(path.read_bytes()) == from_json("\n " + path.read_text(encoding="utf-8")) == FULL


def test_a_missing_file_names_the_near_ones(tmp_path: Path) -> None:
    (tmp_path / "invoices.json").write_text("{}")
    with pytest.raises(NotFound, match=r"There is no file '.*invoice\.json'\. Did you mean 'invoices\.json'\?"):
        from_json(str(tmp_path / "invoice.json"))
    with pytest.raises(NotFound, match="There is no file"):
        from_json(tmp_path / "nowhere" / "invoice.json")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        from_json(tmp_path)


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_TEXT", 10)
    path = tmp_path / "flow.json"
    path.write_text(encode(FULL), encoding="utf-8")
    with pytest.raises(UsageError, match="at most 10 are read"):
        from_json(path)


def test_a_bad_document_raises_with_all_problems_and_shows_the_first_ten(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text(json.dumps({"format": 1, "nodes": [{"id": f"n{n}"} for n in range(12)]}))
    with pytest.raises(InvalidWorkflow) as caught:
        from_json(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "flow.json has 12 problems:"
    assert lines[1] == "  error: nodes[0]: Node needs the field 'type'."
    assert lines[-1] == "  … and 2 more"
    assert len(lines) == 12
    assert len(caught.value.problems) == 12
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems


def test_a_text_that_is_neither_is_read_as_one() -> None:
    with pytest.raises(InvalidWorkflow, match="This is no JSON"):
        from_json("flow.yaml")


def test_a_config_that_holds_itself_is_not_written() -> None:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    with pytest.raises(InvalidWorkflow, match="more than 100 deep"):
        encode(Workflow(nodes=(Node(id="a", type="b", config=circle),)))


def test_kinds_of_texts_and_numbers_are_written_as_what_they_are() -> None:
    class Word(str):
        __slots__ = ()

    class Real(float):  # as numpy's are
        __slots__ = ()

    config = {"word": Word("w"), "enum": OnError.SKIP, "real": [Real(1.5)], "small": HTTPStatus.OK, "row": (1, 2)}
    text = encode(Workflow(nodes=(Node(id="a", type="b", config=config),)))
    plain = {"word": "w", "enum": "skip", "real": [1.5], "small": 200, "row": [1, 2]}
    assert from_json(text).nodes[0].config == plain
