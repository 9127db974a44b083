from __future__ import annotations

import pytest

from flownb.graph.aliases import NAMED, TYPE_ALIASES, canonical_type


@pytest.mark.parametrize(
    ("other", "ours"),
    [
        ("human-approval", "human.approval"),
        ("HumanApprovalNode", "human.approval"),
        ("HUMAN_APPROVAL", "human.approval"),
        ("condition", "control.condition"),
        ("IfConditionNode", "control.condition"),
        ("ConditionNode", "control.condition"),
        ("delay", "control.delay"),
        ("DELAY", "control.delay"),
        ("start", "control.start"),
        ("END", "control.output"),
        ("merge", "control.merge"),
        ("LoopExecutorV2", "control.loop"),
        ("DataTransformExecutorV2", "control.transform"),
        ("WebhookNodeExecutor", "http.webhook"),
        ("WebhookTriggerNode", "trigger.webhook"),
        ("HIL_DATA_INPUT", "human.input"),
        ("hubspot-create-contact", "hubspot.create_contact"),
        ("interface.live-desktop", "interface.live_desktop"),
        ("TypeTextActionNode", "desktop.type"),
        ("OPENAI_NODE", "ai.agent"),
        ("notebook", "notebook.run"),
    ],
)
def test_other_names_mean_our_types(other: str, ours: str) -> None:
    assert canonical_type(other) == ours


@pytest.mark.parametrize("name", [*sorted(NAMED), "acme.rocket", "control.wait_for_nothing", "", "no such thing"])
def test_our_own_and_unknown_names_stay_as_they_are(name: str) -> None:
    assert canonical_type(name) == name


def test_every_alias_means_a_type_that_the_design_names() -> None:
    assert {name: ours for name, ours in TYPE_ALIASES.items() if ours not in NAMED} == {}
