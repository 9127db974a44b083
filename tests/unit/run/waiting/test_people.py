"""A run that asks people: it goes on with everything else, waits at no cost, and takes one answer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from flownb import Flow, RunFailed
from flownb.errors import Conflict, InvalidInput
from flownb.graph.nodetype import Ask, Suspend
from flownb.model import events as ev
from flownb.run.engine import engine
from flownb.run.handles.describe import describe
from flownb.services.identity import user
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from flownb.testing import fake_clock
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

TIMEOUT = 5.0


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def invoices(ran: list[str] | None = None, **options: Any) -> Flow:
    """The flow of the design's first page."""
    flow = Flow("invoices")

    @flow.node
    def load(path: str) -> Any:
        return pd.DataFrame({"supplier": ["Acme", "Brunner"], "amount": [float(path), 500.0]})

    @flow.node
    def total(load: Any) -> dict[str, Any]:
        return {"amount": float(load.amount.sum()), "rows": len(load)}

    big = flow.condition("big", "total.amount > 1000")
    question = "Post {{ total.amount }} EUR from {{ total.rows }} invoices?"
    ok = flow.approval("ok", question, after=big.true, preview="load", **options)

    @flow.node(after=[ok.approved, big.false])
    def post(total: dict[str, Any]) -> str:
        if ran is not None:
            ran.append("post")
        return f"posted {total['amount']}"

    return flow


def paused(run: Run) -> ApprovalRow:
    """The one question of a run, once it is paused."""
    wait_for(lambda: run.resting)
    assert (run.status, run.pause_reason) == ("paused", "human")
    (asked,) = run.store.approvals(run=run.id)
    return asked


def asking(**options: Any) -> Flow:
    """A flow that only asks."""
    flow = Flow("asks")
    ok = flow.approval("ok", "Fine?", **options)
    flow.set_variable("yes", "answer", "yes", after=ok.approved)
    flow.set_variable("no", "answer", "no", after=ok.rejected)
    if "timeout" in options:
        flow.set_variable("late", "answer", "late", after=ok.expired)
    return flow


def ended(run: Run) -> dict[str, str]:
    """How each node ended."""
    run.result(TIMEOUT)
    return {path: str(run[path].status) for path in run.state.topology.paths}


# --- the design's first page ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "port", "outputs"),
    [("100", None, {"post": "posted 600.0"}), ("900", "approved", {"post": "posted 1400.0"}), ("900", "rejected", {})],
)
def test_the_flow_of_the_first_page(store: Store, path: str, port: str | None, outputs: dict[str, Any]) -> None:
    run = invoices().run(path=path, store=store, display=False)
    if port is not None:
        asked = paused(run)
        assert asked.request.question == "Post 1400.0 EUR from 2 invoices?"
        assert (asked.kind, asked.request.ports) == ("confirmation", ("approved", "rejected"))
        run.decide(asked.id, port)
    assert run.result(TIMEOUT) == outputs
    if port == "rejected":
        assert run["post"].status == "skipped"
        assert "ok" in str(run["post"].why)


def test_a_question_that_nobody_answers_skips_what_waits_for_it(store: Store) -> None:
    run = invoices(timeout=0.2).run(path="900", store=store, display=False)
    assert run.result(TIMEOUT) == {}
    assert (run["ok"].ports, run["post"].status) == (("expired",), "skipped")
    assert [row.status for row in store.approvals(pending=False)] == ["expired"]


def test_what_is_shown_is_stored_with_the_question(store: Store) -> None:
    asked = paused(invoices().run(path="900", store=store, display=False))
    (shown,) = asked.request.preview
    assert (shown["name"], shown["kind"]) == ("load", "value")
    assert shown["value"]["$artifact"]["form"] == "parquet"
    assert shown["value"]["$artifact"]["preview"]["rows"][0] == ["Acme", 900.0]


def test_the_pause_says_what_is_asked_and_how_to_answer(store: Store) -> None:
    run = invoices().run(path="900", store=store, display=False)
    asked = paused(run)
    assert run.state.message == (
        f"ok asks: Post 1400.0 EUR from 2 invoices? `flownb approve {asked.id}` or `flownb reject {asked.id}` answers."
    )


# --- other branches, several questions --------------------------------------------------------------------------------


def test_a_question_holds_up_nothing_else(store: Store) -> None:
    gate = threading.Event()
    flow = asking()

    @flow.node
    def beside() -> int:
        gate.wait(TIMEOUT)
        return 1

    run = flow.run(store=store, display=False)
    (asked,) = wait_for(store.approvals)
    assert run.status == "running"
    run.decide(asked.id)
    wait_for(lambda: run["yes"].status == "completed")
    assert run["beside"].status == "running"
    gate.set()
    assert run.result(TIMEOUT) == {"yes": "yes", "beside": 1}


def test_many_questions_at_once_each_have_an_id_and_an_answer(store: Store) -> None:
    flow = Flow("f")
    for number in range(5):
        flow.approval(f"ok{number}", f"Number {number}?")
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting)
    rows = store.approvals(run=run.id)
    assert len({row.id for row in rows}) == 5
    for row in reversed(rows[1:]):
        run.decide(row.id, "rejected")
        wait_for(lambda: run.resting)
        assert run.status == "paused"
    run.decide(rows[0].id)
    assert [each["port"] for each in run.result(TIMEOUT).values()].count("rejected") == 4


def test_one_question_after_another_is_a_pause_of_its_own(store: Store) -> None:
    flow = Flow("f")
    first = flow.approval("first", "One?")
    flow.approval("second", "Two?", after=first.approved)
    run = flow.run(store=store, display=False)
    ids = []
    for _ in range(2):
        asked = paused(run)
        ids.append(asked.id)
        run.decide(asked.id)
    run.result(TIMEOUT)
    assert len(set(ids)) == 2
    assert [event.reason for event in (r.event for r in run.events()) if isinstance(event, ev.RunPaused)] == [
        "human"
    ] * 2


def test_each_round_of_a_loop_asks_anew(store: Store) -> None:
    flow = Flow("f")

    @flow.node
    def names() -> list[str]:
        return ["a", "b", "c"]

    with flow.loop("each", over="names"):
        ok = flow.approval("ok", "Take {{ item }}?")

        @flow.node(after=ok.approved)
        def take(item: str) -> str:
            return item

    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting)
    rows = store.approvals(run=run.id)
    assert [row.request.question for row in rows] == ["Take a?", "Take b?", "Take c?"]
    assert [row.node for row in rows] == ["each[0].ok", "each[1].ok", "each[2].ok"]
    for row, port in zip(rows, ("approved", "rejected", "approved"), strict=True):
        run.decide(row.id, port)
        wait_for(lambda: run.resting)
    assert run.result(TIMEOUT) == {"each": ["a", None, "c"]}


def test_a_retry_asks_anew_and_the_old_question_is_void(store: Store) -> None:
    run = asking().run(store=store, display=False)
    old = paused(run)
    run.retry("ok")
    new = wait_for(lambda: [row for row in store.approvals(run=run.id) if row.id != old.id])[0]
    with pytest.raises(Conflict, match="is cancelled and waits for no answer"):
        run.decide(old.id)
    wait_for(lambda: run.resting)
    run.decide(new.id)
    assert ended(run) == {"ok": "completed", "yes": "completed", "no": "skipped"}
    assert [row.status for row in store.approvals(pending=False)] == ["cancelled", "approved"]


def test_a_failure_for_want_of_an_answer_asks_anew_when_it_is_retried(store: Store) -> None:
    with fake_clock() as clock:
        run = asking(timeout=3600, on_timeout="fail").run(store=store, display=False)
        asked = paused(run)
        clock.advance(7200)
        with pytest.raises(RunFailed, match="Nobody answered ok in time"):
            run.result(TIMEOUT)
        run.retry("ok")
        wait_for(store.approvals)
        again = paused(run)
        assert again.id != asked.id
        run.decide(again.id)
        assert list(run.result(TIMEOUT).values()) == ["yes"]


@pytest.mark.parametrize("how", ["skip", "cancel"])
def test_a_question_that_is_skipped_or_cancelled_is_void(store: Store, how: str) -> None:
    run = asking().run(store=store, display=False)
    asked = paused(run)
    if how == "skip":
        run.skip("ok")
        run.result(TIMEOUT)
    else:
        run.cancel()
        wait_for(lambda: run.status == "cancelled")
    assert [row.status for row in store.approvals(pending=False)] == ["cancelled"]
    with pytest.raises(Conflict, match="is cancelled and waits for no answer"):
        run.decide(asked.id)


# --- who may answer, votes, forms -------------------------------------------------------------------------------------


def test_the_loser_is_told_who_when_and_what(store: Store) -> None:
    run = asking().run(store=store, display=False)
    asked = paused(run)
    run.decide(asked.id, "rejected", by="ada")
    with pytest.raises(Conflict, match=rf"answered already: rejected by {user()} \(as ada\) at 2"):
        run.decide(asked.id)
    assert ended(run)["no"] == "completed"


def test_an_answer_that_does_not_fit_the_form_is_refused_and_the_question_stays(store: Store) -> None:
    form = {"properties": {"centre": {"type": "integer", "minimum": 1000}}, "required": ["centre"]}
    flow = Flow("f")
    flow.input("how", "Where?", form)
    run = flow.run(store=store, display=False)
    asked = paused(run)
    for data, why in (
        ({"centre": 5}, "centre is 5, and should be at least 1000"),
        ({}, "centre is missing"),
        (None, "centre is missing"),
        ("x", "should be a table|centre"),
    ):
        with pytest.raises(InvalidInput, match=f"The answer to how can't be taken: .*{why}"):
            run.decide(asked.id, data=data)
    assert store.approvals(run=run.id) == [asked]
    run.decide(asked.id, data={"centre": 4200})
    assert run.result(TIMEOUT) == {"how": {"centre": 4200}}


def test_only_those_who_are_named_may_answer(store: Store) -> None:
    run = asking(approvers=["anna"]).run(store=store, display=False)
    asked = paused(run)
    with pytest.raises(InvalidInput, match=rf"{user()} may not answer ok; anna may. The name 'anna' is a claim"):
        run.decide(asked.id, by="anna")
    assert run.status == "paused"


def trusting(tmp_path: Path, text: str = "trust_claims = true") -> Store:
    """A store whose operator trusts the names that people give."""
    home = tmp_path / ".flownb"
    opened = open_store(f"sqlite:///{home}/flownb.db")
    (home / "settings.toml").write_text(f"[approvals]\n{text}\n", encoding="utf-8")
    return opened


def test_a_claim_counts_where_the_operator_trusts_it(tmp_path: Path) -> None:
    store = trusting(tmp_path, 'trust_claims = true\n[approvals.groups]\nfinance = ["anna"]')
    run = asking(approvers=["finance"]).run(store=store, display=False)
    asked = paused(run)
    with pytest.raises(InvalidInput, match="eve may not answer ok; finance may"):
        run.decide(asked.id, by="eve")
    run.decide(asked.id, by="anna")
    run.result(TIMEOUT)
    (shown,) = describe(store, run.id)["approvals"]
    assert (shown["decided_by"], shown["user"], shown["claim"]) == ("anna", user(), "anna")


def test_several_must_approve_and_each_has_one_vote(tmp_path: Path) -> None:
    store = trusting(tmp_path)
    run = asking(approvals_needed=2, rejections_needed=2).run(store=store, display=False)
    asked = paused(run)
    after = run.decide(asked.id, by="ada")
    assert (after.status, [vote.by for vote in after.votes]) == ("pending", ["ada"])
    with pytest.raises(Conflict, match="ada has answered ok already, with approved; 1 of 2 votes for approved"):
        run.decide(asked.id, "rejected", by="ada")
    run.decide(asked.id, "rejected", by="bob")
    assert run.status == "paused"
    run.decide(asked.id, by="cyd", comment="third")
    assert ended(run) == {"ok": "completed", "yes": "completed", "no": "skipped"}
    kinds = [r.event for r in run.events() if isinstance(r.event, ev.ApprovalVoted | ev.ApprovalDecided)]
    assert [(type(each).__name__, each.by) for each in kinds] == [
        ("ApprovalVoted", "ada"), ("ApprovalVoted", "bob"), ("ApprovalVoted", "cyd"), ("ApprovalDecided", "cyd"),
    ]  # fmt: skip


def test_who_started_the_run_may_not_answer_where_that_is_said(store: Store) -> None:
    run = asking(self_approval=False).run(store=store, display=False)
    asked = paused(run)
    with pytest.raises(InvalidInput, match=f"{user()} started run .* and may not answer ok: somebody else has to"):
        run.decide(asked.id, by="somebody")
    assert run.status == "paused"


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected"),
    [("expired", "late"), ("auto_approve", "yes"), ("auto_reject", "no")],
)
def test_the_owner_ends_a_question_in_time(store: Store, action: str, expected: str) -> None:
    run = asking(timeout=0.15, on_timeout=action).run(store=store, display=False)
    assert list(run.result(TIMEOUT).values()) == [expected]
    (row,) = store.approvals(pending=False)
    assert (row.status, row.decided_by) == ("expired", None)


def test_a_question_expires_while_other_branches_are_at_work(store: Store) -> None:
    gate = threading.Event()
    flow = asking(timeout=0.15)

    @flow.node
    def beside() -> int:
        gate.wait(TIMEOUT)
        return 1

    run = flow.run(store=store, display=False)
    wait_for(lambda: run["late"].status == "completed")
    gate.set()
    assert run.result(TIMEOUT) == {"late": "late", "beside": 1}


def test_an_answer_after_the_time_is_too_late_even_if_nobody_has_looked(store: Store) -> None:
    with fake_clock() as clock:
        run = asking(timeout=3600).run(store=store, display=False)
        asked = paused(run)
        engine().house.take_rest(store, run.id)  # nobody looks
        clock.advance(7200)
        with pytest.raises(Conflict, match=f"The request {asked.id} of ok in run {run.id} expired at "):
            run.decide(asked.id)
        run.resume()
        assert list(run.result(TIMEOUT).values()) == ["late"]


def test_old_journals_of_runs_that_asked_are_read(store: Store) -> None:
    run = asking().run(store=store, display=False)
    asked = paused(run)
    document = describe(store, run.id)
    assert document["approvals"][0]["id"] == asked.id
    assert document["nodes"]["ok"]["status"] == "waiting"


def test_a_function_can_ask_and_is_called_again_with_the_answer(store: Store) -> None:
    flow = Flow("f")

    @flow.node
    def own(ctx: Any) -> Any:
        if ctx.resumed is None:
            return Suspend(waits_for="human", ask=Ask(kind="confirmation", question="Go?", ports=("yes", "no")))
        return [ctx.resumed["port"], ctx.resumed["comment"]]

    run = flow.run(store=store, display=False)
    asked = paused(run)
    run.decide(asked.id, "no", comment="not today")
    assert run.result(TIMEOUT) == {"own": ["no", "not today"]}


def test_who_waits_for_a_person_must_ask_something(store: Store) -> None:
    flow = Flow("f")
    flow.node(lambda: Suspend(waits_for="human"), id="mute")
    with pytest.raises(RunFailed, match="mute waits for a person and asks nothing"):
        flow.run(store=store, display=False).result(TIMEOUT)


def test_the_report_has_what_was_asked_and_answered(store: Store) -> None:
    from flownb.notebook.report import html_report, notebook_report

    run = asking().run(store=store, display=False)
    asked = paused(run)
    run.decide(asked.id, comment="<b>checked</b>")
    run.result(TIMEOUT)
    for report in (html_report(store, run.id), notebook_report(store, run.id)):
        assert "&lt;b&gt;checked&lt;/b&gt;" in report
        assert "“<b>checked" not in report
