"""Answers by signed links: each counts once, for whom the link was made, and the log says how it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import Conflict, InvalidInput
from flownb.model import events as ev
from flownb.run.handles.describe import describe
from flownb.run.waiting.decisions import audited, decide
from flownb.run.waiting.verify import verify
from flownb.services import identity
from flownb.services.identity import ANYBODY, user, who, who_by_link
from flownb.services.settings import settings_of
from flownb.store.memory import MemoryStore
from tests.unit.run.waiting.test_people import asking, ended, paused, trusting

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

NOW = 1_800_000_000.0


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def by_link(
    store: Store, asked: ApprovalRow, person: str, link: str, port: str | None = None, **given: Any
) -> ApprovalRow:
    """An answer as the public page gives it."""
    somebody = who_by_link(settings_of(store), person, link, "203.0.113.7")
    return decide(store, asked.run, asked.id, port=port, at=NOW, person=somebody, **given)


def test_it_counts_as_the_persons_and_the_log_says_how_it_came(store: Store) -> None:
    run = asking(approvers=["anna"]).run(store=store, display=False)
    asked = paused(run)
    with pytest.raises(InvalidInput, match="eve may not answer ok; anna may"):
        by_link(store, asked, "eve", "n1")
    with pytest.raises(InvalidInput, match=f"{ANYBODY} may not answer ok"):
        by_link(store, asked, "", "n2")
    by_link(store, asked, "anna", "n3", comment="seen")
    assert ended(run)["yes"] == "completed"
    (shown,) = describe(store, run.id)["approvals"]
    assert (shown["decided_by"], shown["via"], shown["claim"]) == ("anna", "link", None)
    logged = [
        event for _, event in audited(store, run.id) if isinstance(event, ev.ApprovalDecided | ev.ApprovalRefused)
    ]
    assert [(each.by, each.via, each.link, each.address) for each in logged] == [
        (name, "link", number, "203.0.113.7") for name, number in (("eve", "n1"), (ANYBODY, "n2"), ("anna", "n3"))
    ]
    assert verify(store, run.id)[1] == []


def test_groups_of_the_settings_count_and_those_of_this_machine_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_system_groups", lambda: frozenset({"staff"}))
    kept = trusting(tmp_path, '[approvals.groups]\nfinance = ["anna"]')
    assert who_by_link(settings_of(kept), "anna", "n").groups == {"finance"}
    assert who(settings_of(kept)).groups == {"staff"}
    assert who_by_link(settings_of(kept), user(), "n").groups == frozenset()


def test_a_link_has_one_vote_and_so_has_whoever_holds_several(store: Store) -> None:
    run = asking(approvals_needed=3).run(store=store, display=False)
    asked = paused(run)
    by_link(store, asked, "anna", "n1")
    with pytest.raises(Conflict, match="This link was used at .*for approved, and counts once; 1 of 3 votes"):
        by_link(store, asked, "anna", "n1", "rejected")
    with pytest.raises(Conflict, match="anna has answered ok already"):
        by_link(store, asked, "anna", "n2")
    by_link(store, asked, "", "n3")
    with pytest.raises(Conflict, match=f"{ANYBODY} has answered ok already"):
        by_link(store, asked, "", "n4")
    assert run.status == "paused"
    after = by_link(store, asked, "ben", "n5")
    assert (after.status, [vote.link for vote in after.votes]) == ("approved", ["n1", "n3", "n5"])
    assert ended(run)["yes"] == "completed"


def test_a_refused_answer_leaves_the_link_as_good_as_before(store: Store) -> None:
    form = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
    run = asking(form=form).run(store=store, display=False)
    asked = paused(run)
    with pytest.raises(InvalidInput, match="n is missing"):
        by_link(store, asked, "anna", "n1", data={})
    assert by_link(store, asked, "anna", "n1", data={"n": 1}).status == "approved"
    with pytest.raises(Conflict, match=r"was answered already: approved by anna at"):
        by_link(store, asked, "anna", "n1", data={"n": 1})


def test_who_started_the_run_may_not_answer_it_by_a_link_either(store: Store) -> None:
    run = asking(self_approval=False).run(store=store, display=False)
    asked = paused(run)
    with pytest.raises(InvalidInput, match="somebody else has to"):
        by_link(store, asked, user(), "n1")
    with pytest.raises(InvalidInput, match="nobody can tell who has this link"):
        by_link(store, asked, "", "n2")
    assert by_link(store, asked, "anna", "n3").status == "approved"
