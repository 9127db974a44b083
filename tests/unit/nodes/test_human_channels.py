from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, Workflow
from flownb.model.problem import Severity
from flownb.testing import fake_channel

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[channels.mail]
host = "smtp.example.org"
from = "flows@example.org"

[channels.ops]
kind = "apprise"
url = "ops_url"

[people]
anna = {mail = "anna@example.org"}

[approvals.groups]
finance = ["anna", "ben"]
"""


def warnings(**options: Any) -> list[tuple[str, str]]:
    flow = Flow("shop")
    flow.approval("ok", "Fine?", **options)
    problems = flow.validate()
    assert all(each.severity is Severity.WARNING for each in problems)
    return [(each.code, each.message) for each in problems]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


def test_a_question_that_can_be_told_has_no_problem(settings: Path) -> None:
    assert warnings() == []
    assert warnings(channel="mail", approvers=["anna"]) == []
    assert warnings(channel="mail", approvers=["carl@example.org"]) == []
    assert warnings(channel=["ops", "console"]) == []
    assert warnings(channel="email", to="anna") == []


def test_an_unknown_channel_is_named_with_the_near_ones(settings: Path) -> None:
    ((code, message),) = warnings(channel="mial", approvers=["anna"])
    assert code == "unknown_channel"
    assert "ok tells nobody through 'mial': There is no channel 'mial'. Did you mean 'mail'?" in message
    assert str(settings) in message


def test_whoever_has_no_address_is_named(settings: Path) -> None:
    found = warnings(channel="mail", approvers=["finance"], escalate_to="carl", escalate_after=60)
    assert [code for code, _ in found] == ["no_address", "no_address"]
    assert found[0][1].startswith("ok: ben has no address for mail: write ben = {mail = …} under [people] in ")
    assert found[1][1].startswith("ok: carl has no address for mail")


def test_a_channel_that_could_tell_nobody(settings: Path) -> None:
    ((code, message),) = warnings(channel="mail")
    assert (code, message) == ("nobody_told", "ok names nobody whom mail could tell: give it `to`, or approvers.")


def test_a_package_that_is_missing_is_told_before_the_run(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flownb.services.channels.extras.find_spec", lambda _: None)
    ((_, message),) = warnings(channel="mail", approvers=["anna"])
    assert "pip install 'flownb[notify]'" in message


def test_settings_that_cannot_be_read_are_one_problem(settings: Path) -> None:
    settings.write_text("[channels", encoding="utf-8")
    ((code, message),) = warnings(channel=["mail", "ops"], approvers=["anna"])
    assert (code, "are no TOML" in message) == ("bad_settings", True)


def test_a_channel_of_a_test_needs_no_settings() -> None:
    with fake_channel("pager"):
        assert warnings(channel="pager", approvers=["anna"]) == []


@pytest.mark.parametrize("kind", ["slack", "email", "web"])
def test_definitions_of_the_seeds_load_whatever_is_set_up(kind: str) -> None:
    node = {
        "id": "ok",
        "type": "human.approval",
        "config": {"question": "Fine?", "channel_type": kind, "slack_channel": "#ops", "timeout_minutes": 5},
    }
    workflow = Workflow.from_json({"format": 1, "id": "w", "name": "w", "nodes": [node], "edges": []})
    assert workflow.nodes[0].config["channel_type"] == kind


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"escalate_after": 60}, "escalate_after needs escalate_to"),
        ({"escalate_to": "eve"}, "escalate_to needs escalate_after, or due"),
        ({"remind": 60}, "reminders begin when an answer is due"),
    ],
)
def test_what_does_not_fit_together_is_told(options: dict[str, Any], why: str) -> None:
    flow = Flow("shop")
    flow.approval("ok", "Fine?", **options)
    assert any(why in each.message for each in flow.validate())
