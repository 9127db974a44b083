from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from flownb.graph.policies import check_policies, check_settings
from flownb.model.workflow import Cache, JoinCount, Limits, Node, RetryPolicy, Settings

if TYPE_CHECKING:
    from pathlib import Path


def places(**fields: Any) -> list[str | None]:
    node = Node(id="a", type="python", **fields)
    return [problem.place for problem in check_policies(node, 2, has_error_edge=False)]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"retry": RetryPolicy(attempts=0)}, "retry.attempts"),
        ({"retry": RetryPolicy(attempts=10**9)}, "retry.attempts"),
        ({"retry": RetryPolicy(attempts=1.5)}, "retry.attempts"),  # type: ignore[arg-type]  # the case
        ({"retry": RetryPolicy(delay=-1)}, "retry.delay"),
        ({"retry": RetryPolicy(delay=math.nan)}, "retry.delay"),
        ({"retry": RetryPolicy(max_delay=math.inf)}, "retry.max_delay"),
        ({"retry": RetryPolicy(backoff=0.5)}, "retry.backoff"),
        ({"retry": RetryPolicy(jitter=1.1)}, "retry.jitter"),
        ({"timeout": -3.0}, "timeout"),
        ({"timeout": math.inf}, "timeout"),
        ({"cache": Cache(enabled=True, ttl=0)}, "cache.ttl"),
        ({"limits": Limits(memory_mb=0)}, "limits.memory_mb"),
        ({"limits": Limits(cpu_seconds=-1)}, "limits.cpu_seconds"),
        ({"limits": Limits(resources={"gpu": 0})}, "limits.resources.gpu"),
        ({"on_error": "explode"}, "on_error"),
        ({"on_crash": "explode"}, "on_crash"),
        ({"where": "moon"}, "where"),
        ({"join": "some"}, "join"),
        ({"join": JoinCount(0)}, "join.count"),
        ({"join": JoinCount(3)}, "join.count"),
    ],
)
def test_what_no_run_can_use_is_named(fields: dict[str, Any], place: str) -> None:
    assert places(**fields) == [place]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"retry": RetryPolicy(attempts=1, delay=0, backoff=1, jitter=0, max_delay=0)},
        {"timeout": 0.001, "join": "any", "cache": Cache(enabled=True)},
        {"join": JoinCount(2), "on_error": "fallback", "fallback": 0},
        {"limits": Limits(memory_mb=1, cpu_seconds=0.5, resources={"gpu": 1})},
    ],
)
def test_what_a_run_can_use_is_sound(fields: dict[str, Any]) -> None:
    assert places(**fields) == []


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (Settings(concurrency=0), "settings.concurrency"),
        (Settings(concurrency=10**7), "settings.concurrency"),
        (Settings(timeout=0), "settings.timeout"),
        (Settings(overlap="never"), "settings.overlap"),
        (Settings(time_zone="Europe/Vienn"), "settings.time_zone"),
        (Settings(time_zone="../etc/passwd"), "settings.time_zone"),
        (Settings(budget={"eur": -1}), "settings.budget.eur"),
        (Settings(on_status={"complete": "flow:told"}), "settings.on_status.complete"),
        (Settings(on_status={"running": "flow:told"}), "settings.on_status.running"),
        (Settings(on_status={"paused": "no_such_module:told"}), "settings.on_status.paused"),
        (Settings(on_status={"paused": "no_such_file.json"}), "settings.on_status.paused"),
        (Settings(on_status={"paused": ""}), "settings.on_status.paused"),
    ],
)
def test_settings_have_their_bounds(settings: Settings, place: str) -> None:
    assert [problem.place for problem in check_settings(settings)] == [place]


def test_a_status_for_which_nothing_can_be_started_names_the_near_one() -> None:
    (problem,) = check_settings(Settings(on_status={"complete": "flow:told"}))
    assert "Did you mean 'completed'?" in problem.message
    (unfound,) = check_settings(Settings(on_status={"completed": "no_such_module:told"}))
    assert (unfound.severity, unfound.code) == ("warning", "unknown_target")


def test_workflows_that_can_be_found_are_sound(tmp_path: Path) -> None:
    (tmp_path / "told.json").write_text("{}")
    named = {"completed": str(tmp_path / "told.json"), "failed": "json.tool:main", "cancelled": "flow:told and more"}
    assert list(check_settings(Settings(on_status=named))) == []


def test_sound_settings_are_sound() -> None:
    sound = Settings(concurrency=1, timeout=1, overlap="queue", time_zone="Europe/Vienna", budget={"eur": 0})
    assert list(check_settings(sound)) == []
