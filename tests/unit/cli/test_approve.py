from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb import Flow
from flownb.model import events as ev
from flownb.run.engine import engine
from flownb.services.identity import user
from flownb.store.place import open_store
from flownb.testing import fake_channel, fake_clock
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run

Cli = "Callable[..., Told]"


@pytest.fixture
def ask(own_store: str) -> Callable[..., Run]:
    """`ask(approvers=["anna"])` starts a run that asks, and waits until it rests."""

    def run(question: str = "Post 3 EUR?", **options: Any) -> Run:
        flow = Flow("shop")
        flow.node(lambda: [{"item": "tea", "n": 3}], id="load")
        ok = flow.approval("ok", question, preview="load", **options)
        flow.set_variable("post", "posted", "yes", after=ok.approved)
        started = flow.run(store=own_store, display=False)
        wait_for(lambda: started.resting)
        return started

    return run


def test_what_is_asked_is_listed_with_what_is_shown_and_how_to_answer(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask(details="Look at the lines.", approvers=["anna"])
    (asked,) = run.approvals
    told = cli("approvals")
    lines = told.out.splitlines()
    assert (told.status, lines[0].split()[0], lines[0].split()[3]) == (0, asked.id, "pending")
    assert lines[1:] == [
        "    Post 3 EUR?",
        "    Look at the lines.",
        "    load (1 row)",
        "    | item  n",
        "    | tea   3",
        "    may answer: anna",
        f"      flownb approve {asked.id}",
        f"      flownb reject {asked.id}",
    ]


def test_the_list_as_json_has_an_object_a_line(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask()
    (shown,) = cli("approvals", "--json").lines
    assert {name: shown[name] for name in ("run", "workflow", "node", "kind", "status", "question")} == {
        "run": run.id, "workflow": "shop", "node": "ok", "kind": "confirmation", "status": "pending",
        "question": "Post 3 EUR?",
    }  # fmt: skip
    assert (shown["expires_at"], shown["ports"]) == (None, ["approved", "rejected"])
    assert shown["preview"][0]["name"] == "load"
    cli("approve", shown["id"])
    assert cli("approvals", "--json").out == ""
    (shown,) = cli("approvals", "--all", "--json").lines
    assert (shown["status"], shown["port"], shown["decided_by"]) == ("approved", "approved", user())


def test_approve_records_the_answer_and_says_what_goes_on(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask()
    (asked,) = run.approvals
    told = cli("approve", asked.id[:6], "--comment", "checked", "--as", "anna")
    assert told.status == 0
    assert told.out.startswith(f"ok in run {run.id}: approved: approved by {user()} (as anna) ")
    assert run.result(5) == {"post": "yes"}
    assert f"      approved by {user()} (as anna), 2" in cli("show", run.id).out
    decided = run.approvals[0]
    assert (decided.status, decided.comment, decided.record()["claim"]) == ("approved", "checked", "anna")


def test_reject_lets_nothing_behind_approved_run(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask()
    assert cli("reject", run.approvals[0].id).status == 0
    run.result(5)
    assert run["post"].status == "skipped"


def test_who_comes_second_leaves_with_1_and_is_told_who_what_and_when(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask()
    (asked,) = run.approvals
    cli("reject", asked.id, "--as", "ben")
    told = cli("approve", asked.id)
    assert (told.status, told.out) == (1, "")
    assert f"was answered already: rejected by {user()} (as ben) at 2" in told.err


def test_wrong_answers_leave_with_2_and_the_question_stays(cli: Any, ask: Callable[..., Run]) -> None:
    form = {"properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    run = ask(form=form)
    (asked,) = run.approvals
    for arguments, why in (
        (("approve", "nope12"), "There is no request 'nope12'"),
        (("approve", asked.id, "--data", "{"), "--data is no JSON"),
        (("approve", asked.id, "--data", "NaN"), "NaN is no number of JSON"),
        (("approve", asked.id, "--data", '{"n": 0}'), "n is 0, and should be at least 1"),
        (("approve", asked.id), "n is missing"),
        (("approve", asked.id, "--port", "aproved"), "can't be answered with 'aproved'. Did you mean 'approved'"),
        (("approve", asked.id, "--as", "a\x1b[2J"), "is no name"),
    ):
        told = cli(*arguments)
        assert (told.status, told.out) == (2, ""), told
        assert why in told.err
        assert "\x1b" not in told.err
    assert run.approvals[0].status == "pending"
    assert cli("approve", asked.id, "--data", '{"n": 1}').status == 0


def test_only_those_who_are_named_may_answer(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask(approvers=["anna"])
    told = cli("approve", run.approvals[0].id, "--as", "anna")
    assert (told.status, f"{user()} may not answer ok; anna may." in told.err) == (2, True)
    assert "counts only where the operator's settings trust it" in told.err


def test_a_vote_says_how_many_are_missing(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask(approvals_needed=2)
    told = cli("approve", run.approvals[0].id)
    assert (told.status, told.out) == (
        0,
        f"ok in run {run.id}: your answer is counted; 1 of 2 votes for approved.\n",
    )
    assert "1 of 2 votes for approved" in cli("approvals").out


def test_a_decision_has_no_usual_answer(cli: Any, own_store: str) -> None:
    flow = Flow("f")
    flow.decision("which", "Left or right?", ["left", "right"])
    run = flow.run(store=own_store, display=False)
    wait_for(lambda: run.resting)
    (asked,) = run.approvals
    told = cli("approve", asked.id)
    assert (told.status, "which has several answers; say which: left|right" in told.err) == (2, True)
    assert cli("reject", asked.id).status == 2
    assert cli("approve", asked.id, "--port", "right").status == 0
    assert run.result(5)["which"]["port"] == "right"


def test_who_looks_ends_what_nobody_answered_in_time(cli: Any, own_store: str) -> None:
    from tests.crash.test_approvals import waiting

    store = open_store(own_store)
    waiting(store, 1)
    request = store.approvals()[0].request
    with store._db.writing() as cursor:  # type: ignore[attr-defined]  # time that has passed
        cursor.execute("UPDATE approvals SET expires_at = 1.0")
    assert cli("approvals").out == "Nobody is asked anything.\n"
    (row,) = store.approvals(pending=False)
    assert (row.status, row.port) == ("expired", "expired")
    told = cli("approve", request.approval)
    assert (told.status, "expired at" in told.err) == (1, True)


def test_hostile_text_does_nothing_to_a_terminal(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask("Fine?\x1b]0;owned\x07\x1b[2J\u202e", details="\x1b[31mred\x1b[0m\r")
    out = cli("approvals").out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\u202e" not in out
    html = run.approvals[0]._repr_html_()
    assert html is not None
    run.approvals[0].reject(comment="<script>alert(1)</script>")
    assert "<script>" not in str(run.approvals[0]._repr_html_())


def test_verify_names_what_is_wrong(cli: Any, ask: Callable[..., Run], own_store: str, tmp_path: Path) -> None:
    run = ask()
    cli("approve", run.approvals[0].id)
    told = cli("verify", run.id)
    assert (told.status, told.out) == (0, f"All 2 entries of run {run.id} are what and where they were.\n")
    stamp = {"run": run.id, "audit": {run.id: {"entries": 3, "seal": "00"}}}
    notebook = tmp_path / "out.ipynb"
    notebook.write_text(json.dumps({"metadata": {"flownb": stamp}}))
    told = cli("verify", str(notebook), "--json")
    assert (told.status, told.json["entries"]) == (1, 2)
    assert "entry 3 of run" in told.json["faults"][0]
    for text, why in (("{", "can't be read as a notebook"), ("{}", "is no output notebook of flownb")):
        notebook.write_text(text)
        told = cli("verify", str(notebook))
        assert (told.status, why in told.err) == (2, True)
    assert cli("verify", str(tmp_path / "none.ipynb")).status == 2
    assert cli("verify", "nope").status == 2


def test_a_reminder_is_noted_once_it_is_due(cli: Any, ask: Callable[..., Run], own_store: str) -> None:
    from flownb.run.waiting.decisions import audited

    run = ask(due=0.001, remind=1000)
    wait_for(lambda: "due now" in cli("approvals").out)
    cli("approvals")
    kinds = [type(event) for _, event in audited(open_store(own_store), run.id)]
    assert kinds == [ev.ApprovalRequested, ev.ApprovalReminded]


def test_a_list_sends_what_is_due_and_shows_how_that_went(cli: Any, ask: Callable[..., Run]) -> None:
    with fake_channel() as mail:
        mail.failures = ["the line is down"]
        run = ask(approvers=["anna"], channel="mail", due=3600, escalate_to="eve")
        assert mail.told == []
        told = cli("approvals")
        assert "    mail to anna failed: the line is down; tried again at 2" in told.out
        assert "    mail (reminder) at 2" in told.out
        assert "goes to eve in 60 min" in told.out
        (shown,) = cli("approvals", "--json").lines
        assert [(each["channel"], each["to"], each["kind"], each["error"]) for each in shown["notices"]] == [
            ("mail", "anna", "asked", "the line is down"), ("mail", None, "escalation", None),
            ("mail", None, "reminder", None),
        ]  # fmt: skip
        (notice,) = [each for each in run.store.approvals()[0].notices if each.to]
        assert run.store.change_notice(notice, msgspec.structs.replace(notice, next_at=1.0))
        cli("approvals")
        assert mail.told == ["anna"]
        assert "    mail to anna was sent at 2" in cli("approvals").out


def test_send_prints_a_line_for_each_and_fails_where_one_could_not_be_told(cli: Any, ask: Callable[..., Run]) -> None:
    with fake_channel() as mail:
        mail.failures = ["down", "down"]
        run = ask(approvers=["anna"], channel="mail")
        assert mail.told == []
        (asked,) = run.approvals

        def due_again() -> None:
            (notice,) = [each for each in run.store.approvals()[0].notices if each.to]
            assert run.store.change_notice(notice, msgspec.structs.replace(notice, next_at=1.0))

        due_again()
        told = cli("approvals", "--send")
        assert told.status == 1
        assert told.out.startswith(f"{asked.id}  mail to anna failed: down; tried again at 2")
        due_again()
        told = cli("approvals", "--send", "--json")
        assert (told.status, told.json["to"], told.json["attempts"], told.json["error"]) == (0, "anna", 3, None)
        assert (cli("approvals", "--send").out, mail.told) == ("", ["anna"])


MODULE = """
flow = Flow("shop")
ok = flow.approval("ok", "Post {{ amount }} EUR?")
flow.variable("amount", type=int)
flow.set_variable("post", "posted", "{{ amount }}", after=ok.approved)
"""


def test_a_start_with_a_key_waits_for_the_answer_and_then_goes_on(
    cli: Any, module: Callable[[str], str], own_store: str
) -> None:
    target = f"{module(MODULE)}:flow"
    start = ("run", target, "-p", "amount", "3", "--key", "k", "--json")
    assert cli(*start).status == 75
    assert cli(*start).status == 75  # undecided
    (asked,) = open_store(own_store).approvals()
    assert cli("resume", asked.run).status == 75
    told = cli("approve", asked.id)
    assert (told.status, f"`flownb resume {asked.run}` goes on with it" in told.err) == (0, True)
    done = cli(*start)
    assert (done.status, done.json["outputs"], done.json["approvals"][0]["status"]) == (0, {"post": 3}, "approved")


def test_what_expired_while_nobody_looked_is_noticed_by_resume(
    cli: Any, module: Callable[[str], str], own_store: str
) -> None:
    source = MODULE.replace('EUR?")', 'EUR?", timeout=3600)') + 'flow.set_variable("late", "l", 1, after=ok.expired)\n'
    target = f"{module(source)}:flow"
    with fake_clock() as clock:
        assert cli("run", target, "-p", "amount", "3").status == 75
        store = open_store(own_store)
        (row,) = store.approvals()
        engine().house.take_rest(store, row.run)  # as if the process had gone
        clock.advance(7200)
        assert store.due_approvals(clock.now()) == [row]
        assert cli("resume", row.run).status == 0
    assert next(store.rows()).status == "completed"
    assert [each.status for each in store.approvals(pending=False)] == ["expired"]


def test_cancelling_a_run_voids_its_question(cli: Any, ask: Callable[..., Run]) -> None:
    run = ask()
    (asked,) = run.approvals
    assert cli("cancel", run.id).status == 0
    told = cli("approve", asked.id)
    assert (told.status, "is cancelled and waits for no answer any more" in told.err) == (1, True)
