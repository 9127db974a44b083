from __future__ import annotations

from typing import TYPE_CHECKING

from flownb import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Told


def counted() -> None:
    flow = Flow("counter")
    flow.variable("count", type="number", default=0)
    flow.variable("label", type="string", default="a")
    flow.set_variable("more", "count", "{{ variables.count + 1 }}", scope="workflow")
    flow.run(display=False).result(10)


def test_variables_are_listed_set_and_forgotten(own_store: str, cli: Callable[..., Told]) -> None:
    counted()
    listed = cli("variables", "counter")
    assert listed.status == 0
    assert listed.out.startswith("count = 1  set ")
    assert "by more of run" in listed.out
    assert cli("variables", "counter", "--set", "count", "41", "--set", "label", "12").status == 0
    assert [(each["name"], each["value"]) for each in cli("variables", "--json").lines] == [
        ("count", 41),
        ("label", "12"),
    ]
    counted()
    assert cli("variables", "counter", "--json").lines[0]["value"] == 42
    assert cli("variables", "counter", "--unset", "label").status == 0
    assert [each["name"] for each in cli("variables", "counter", "--json").lines] == ["count"]


def test_what_does_not_fit_is_one_sentence_and_changes_nothing(own_store: str, cli: Callable[..., Told]) -> None:
    counted()
    wrong = cli("variables", "counter", "--set", "count", "many")
    assert wrong.status != 0
    assert "The variable 'count' is 'many'; it must be a number." in wrong.err
    missing = cli("variables", "counter", "--unset", "cont")
    assert missing.status != 0
    assert "counter has no variable 'cont'. Did you mean 'count'?" in missing.err
    assert "Say whose variable it is" in cli("variables", "--set", "count", "3").err
    assert [each["value"] for each in cli("variables", "--json").lines] == [1]


def test_a_workflow_that_never_ran_may_be_prepared_and_a_near_name_is_told(
    own_store: str, cli: Callable[..., Told]
) -> None:
    counted()
    told = cli("variables", "countre", "--set", "count", "3")
    assert told.status == 0
    assert "No run of countre" in told.err
    assert "Did you mean 'counter'?" in told.err
