from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import NotFound
from flownb.graph.aliases import NAMED
from flownb.graph.dialects import read
from flownb.model.document import decode, encode
from flownb.model.problem import Problem, Severity
from flownb.model.status import Complexity, OnError, Strategy, TemplateCategory, Visibility, WorkflowStatus
from flownb.model.workflow import ErrorHandler, Limits, RetryPolicy, Trigger, Variable, Workflow
from tests.unit.graph.dialects.samples import ALL, N8N, S0, S1, S2, S3, S4
from tests.unit.model.samples import FULL

if TYPE_CHECKING:
    from pathlib import Path


def taken(document: Any, **options: Any) -> Workflow:
    workflow, problems = read(document, **options)
    assert workflow is not None, problems
    return workflow


def told(document: Any) -> list[tuple[str | None, str]]:
    return [(each.place, each.code) for each in read(document)[1]]


def only(document: Any) -> Problem:
    (problem,) = read(document)[1]
    return problem


def types(workflow: Workflow) -> list[str]:
    return [node.type for node in workflow.nodes]


# --- what is read -----------------------------------------------------------------------------------------------------


def test_our_own_form_is_read_by_our_own_rules() -> None:
    assert read(encode(FULL)) == (FULL, [])
    assert read({"format": 1, "nodes": [{"id": "a b", "type": "x"}]})[1][0].code == "bad_name"
    assert read({"format": 2})[1] == decode({"format": 2})[1]


@pytest.mark.parametrize("name", ALL)
def test_each_form_becomes_a_workflow_that_our_own_form_keeps(name: str) -> None:
    before = copy.deepcopy(ALL[name])
    workflow, problems = read(ALL[name])
    assert workflow is not None
    assert all(each.severity is Severity.WARNING and each.place for each in problems)
    assert decode(encode(workflow)) == (workflow, [])
    assert ALL[name] == before, "what is read is not changed"
    assert read(json.dumps(ALL[name])) == read(json.dumps(ALL[name], indent=1).encode()) == (workflow, problems)


@pytest.mark.parametrize("name", ALL)
def test_all_their_types_are_ours(name: str) -> None:
    assert set(types(taken(ALL[name]))) <= NAMED


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(S0))
    assert read(path) == read(str(path)) == read(S0)
    with pytest.raises(NotFound):
        read(tmp_path / "sed.json")


def test_what_is_no_workflow_of_any_form_says_that_its_format_is_missing() -> None:
    for document in ({}, {"name": "w"}):
        assert told(document) == [("document", "format")]
    assert told([]) == [("document", "wrong_type")]
    assert told("{") == [("line 1, column 2", "syntax")]


# --- the head ---------------------------------------------------------------------------------------------------------


def test_the_head_of_the_second_seed() -> None:
    workflow = taken(S1)
    assert (workflow.id, workflow.name, workflow.owner, workflow.workspace) == ("7f0c", "Inbox", "u-1", "ws-1")
    assert workflow.visibility is Visibility.TEAM
    assert workflow.status is WorkflowStatus.ACTIVE
    template = workflow.template
    assert template is not None
    assert (template.category, template.complexity) == (TemplateCategory.CUSTOMER_SUPPORT, Complexity.ADVANCED)
    assert (template.featured, template.downloads, template.rating, template.badge) == (True, 12, 4.5, "10x")
    assert ("webhookSecret", "unknown_field") in told(S1)


def test_the_head_of_the_third_and_fourth_seed() -> None:
    workflow = taken(S2)
    assert (workflow.version, workflow.status, workflow.created_by) == (4, WorkflowStatus.ACTIVE, "ada")
    assert (workflow.description, workflow.tags) == ("what it does", ("night",))
    assert taken(S3).version == 2


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, WorkflowStatus.DRAFT),
        ({"is_active": True}, WorkflowStatus.ACTIVE),
        ({"is_active": False}, WorkflowStatus.DRAFT),
        ({"status": "ARCHIVED", "is_published": True}, WorkflowStatus.ARCHIVED),
    ],
)
def test_a_status_has_several_spellings(fields: dict[str, Any], status: WorkflowStatus) -> None:
    assert taken({"nodes": [], **fields}).status is status


def test_variables_and_triggers_become_ours() -> None:
    workflow = taken(S2)
    assert workflow.variables == (
        Variable(name="limit", type="number", default=3, description="how many"),
        Variable(name="owner_name", type="string"),
    )
    assert workflow.triggers == (
        Trigger(id="manual_1", type="trigger.manual"),
        Trigger(id="schedule_2", type="trigger.schedule", config={"cron": "0 3 * * *"}),
    )
    assert taken(S3).variables == (Variable(name="limit", default=3), Variable(name="who", default=None))
    assert taken(S3).triggers[0].type == "trigger.event"


def test_handlers_of_errors_become_ours() -> None:
    assert taken(S3).error_handlers == (
        ErrorHandler(error="timeout", strategy=Strategy.STOP),
        ErrorHandler(error="validation", strategy=Strategy.COMPENSATE, target="b"),
        ErrorHandler(error="execution", strategy=Strategy.RETRY),
    )


# --- nodes ------------------------------------------------------------------------------------------------------------


def test_types_and_subtypes_become_ours() -> None:
    assert types(taken(S0)) == ["trigger.webhook", "control.condition", "desktop.click", "control.delay"]
    assert types(taken(S1)) == ["trigger.manual", "ai.agent", "human.approval", "hubspot.add_note"]
    assert types(taken(S4)) == ["ai.agent", "ai.tool", "ai.memory", "http.request", "human.input"]


def test_a_subtype_that_names_a_provider_is_kept_as_one() -> None:
    agent = taken(S4).nodes[0]
    assert agent.config == {"system_prompt": "You are …", "temperature": 0.3, "provider": "gemini"}


def test_an_unknown_type_stays_for_validation_and_an_unknown_subtype_is_told() -> None:
    document = {"nodes": [{"id": "a", "type": "QuantumNode", "subtype": "TELEPORT"}]}
    assert types(taken(document)) == ["QuantumNode"]
    assert told(document) == [("nodes[0].subtype", "unknown_value")]


def test_names_become_identifiers_wherever_they_are_used() -> None:
    workflow = taken(S1)
    assert [node.id for node in workflow.nodes] == ["node_1", "node_2", "node_3", "node_4"]
    assert [node.title for node in workflow.nodes] == ["Start", "node-2", "Fine?", "node-4"]
    assert workflow.nodes[1].config["prompt"] == "Sum up {{node_1.text}}"
    assert set(workflow.positions) == {"node_1", "node_2", "node_3", "node_4"}
    assert ("nodes[0]", "renamed") in told(S1)


def test_only_names_of_nodes_are_changed_in_expressions() -> None:
    text = "{{ a-1.a-1 + 'a-1' }} a-1 {{ b.a-1 }}"
    document = {"nodes": [{"id": "a-1", "type": "x", "config": {"deep": [{"text": text}]}}]}
    assert taken(document).nodes[0].config["deep"][0]["text"] == "{{ a_1.a-1 + 'a-1' }} a-1 {{ b.a-1 }}"


def test_names_that_would_become_the_same_are_numbered_and_given_ids_stay() -> None:
    ids = ["a b", "a-b", "a_b", "a.b", 7, "7"]
    document = {"nodes": [{"id": each, "type": "x"} for each in ids[:-1]]}
    assert [node.id for node in taken(document).nodes] == ["a_b_2", "a_b_3", "a_b", "a_b_4", "n_7"]
    again = {"nodes": [{"id": each, "type": "x"} for each in ids]}
    assert read(again)[0] is None
    assert ("nodes[5].id", "duplicate_id") in told(again)


def test_policies_of_a_node_become_ours() -> None:
    ask = taken(S2).nodes[1]
    assert ask.retry == RetryPolicy(attempts=5, delay=1.5, backoff=3, on=("timeout",))
    assert ask.notes == "the model"
    task = taken(S3).nodes[0]
    assert (task.timeout, task.limits) == (30, Limits(memory_mb=512))
    first = taken(N8N).nodes[0]
    assert first.retry == RetryPolicy(attempts=4, delay=2)
    assert (first.on_error, first.notes, first.disabled) == (OnError.ERROR_PORT, "slow", False)


def test_parameters_config_and_data_are_one() -> None:
    node = {"id": "a", "type": "x", "config": {"a": 1}, "parameters": {"a": 2, "b": 3}, "enabled": False}
    node |= {"timeout_ms": 1500, "notes": "one", "description": "two"}
    (found,) = taken({"nodes": [node]}).nodes
    assert found.config == {"a": 1, "b": 3}
    assert (found.disabled, found.timeout, found.notes) == (True, 1.5, "one\ntwo")


# --- what is told -----------------------------------------------------------------------------------------------------


def test_what_is_not_known_is_left_out_and_told_with_its_place() -> None:
    document = copy.deepcopy(S2)
    document["definition"]["nodes"][1]["colour"] = "red"
    document["definition"]["nodes"][1]["retry_policy"]["until"] = 3
    document["definition"]["edges"][0]["weight"] = 2
    document["definition"]["groups"] = []
    document["flavour"] = 1
    workflow, problems = read(document)
    assert workflow == taken(S2)
    assert {each.place for each in problems if each.code == "unknown_field"} == {
        "definition.nodes[1].colour",
        "definition.nodes[1].retry_policy.until",
        "definition.edges[0].weight",
        "definition.groups",
        "flavour",
    }


def test_errors_have_their_place_in_the_original() -> None:
    document = copy.deepcopy(S2)
    definition = document["definition"]
    definition["nodes"][1]["retry_policy"]["delay_ms"] = "soon"
    definition["nodes"][1]["config"] = [1]
    definition["nodes"][2]["position"] = {"x": 1}
    definition["nodes"].append("not a node")
    definition["edges"][1]["source_output"] = 7
    definition["variables"][0]["name"] = None
    document["status"] = "paused"
    document["tags"] = "night"
    workflow, problems = read(document)
    assert workflow is None
    assert {(each.place, each.code) for each in problems if each.severity is Severity.ERROR} == {
        ("definition.nodes[1].retry_policy.delay_ms", "wrong_type"),
        ("definition.nodes[1].config", "wrong_type"),
        ("definition.nodes[2].position", "wrong_type"),
        ("definition.nodes[5]", "wrong_type"),
        ("definition.edges[1].source_output", "wrong_type"),
        ("definition.variables[0]", "missing_field"),
        ("status", "unknown_value"),
        ("tags", "wrong_type"),
    }


def test_data_that_no_document_can_hold_is_an_error_in_any_form() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    circle: dict[str, Any] = {}
    circle["self"] = [circle, circle]
    for value, code in ((float("nan"), "not_finite"), (deep, "too_deep"), (2**70, "big_integer")):
        document = {"nodes": [{"id": "a", "type": "x", "config": {"v": value}}]}
        assert [code for _, code in told(document)] == [code]
    assert "too_deep" in {code for _, code in told({"nodes": [circle]})}
    assert told('{"nodes": [], "nodes": [NaN]}') == [("nodes", "duplicate_key"), ("nodes[0]", "not_finite")]


def test_a_workflow_in_our_form_without_its_format_is_read_too() -> None:
    document = json.loads(encode(FULL))
    del document["format"]
    workflow, problems = read(document)
    assert problems == []
    assert workflow == FULL


def test_a_problem_of_a_node_names_it() -> None:
    problem = only({"nodes": [{"id": "load", "type": "python", "retry_policy": {"max_attempts": 0}}]})
    assert (problem.node, problem.place) == ("load", "nodes[0].retry_policy.max_attempts")
