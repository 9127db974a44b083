"""Answers that come to the wrong place, at the wrong time, or to a question that has gone another way."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import flownb
from flownb import Flow, RunCancelled
from flownb.errors import Conflict, FlownbError, InvalidInput, NotFound
from flownb.model import events as ev
from flownb.run.engine import engine
from flownb.run.waiting.decisions import decide
from flownb.run.waiting.verify import verify
from flownb.services import masking
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from flownb.testing import FakeSecrets, fake_clock
from tests.integration import canaries
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

TIMEOUT = 5.0


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def asking(name: str = "asks", **options: Any) -> Flow:
    flow = Flow(name)
    ok = flow.approval("ok", "Fine?", **options)
    flow.set_variable("yes", "answer", "yes", after=ok.approved)
    return flow


def pending(run: Run, count: int = 1) -> list[ApprovalRow]:
    """The questions of a run that rests."""
    wait_for(lambda: run.resting and len(run.store.approvals(run=run.id)) == count)
    return run.store.approvals(run=run.id)


def kinds(store: Store, run: str) -> Counter[type[ev.Event]]:
    return Counter(type(record.event) for record in store.events(run))


def unchanged(store: Store, run: str, answer: Any, error: type[FlownbError], match: str) -> None:
    """An answer is refused with a sentence, and changes nothing but the log of refusals."""
    rows, events = store.approvals(run=run, pending=False), store.events(run)
    with pytest.raises(error, match=match):
        answer()
    assert store.approvals(run=run, pending=False) == rows
    assert store.events(run) == events
    assert verify(store, run)[1] == []


# --- to the wrong place, or too late ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["decided", "expired", "cancelled", "foreign", "unknown"])
@pytest.mark.parametrize("port", ["approved", "rejected", None, "no_such_port"])
def test_an_answer_that_nobody_waits_for_is_refused_with_the_reason(store: Store, how: str, port: str | None) -> None:
    with fake_clock() as clock:
        run = asking(timeout=100.0).run(store=store, display=False)
        other = asking("other").run(store=store, display=False)
        (asked,), (others,) = pending(run), pending(other)
        name, match = asked.id, ""
        error: type[FlownbError] = Conflict
        if how == "decided":
            run.decide(asked.id, "rejected", comment="no", by="ada")
            run.result(TIMEOUT)
            match = r"answered already: rejected by .*\(as ada\)"
        elif how == "expired":
            clock.advance(200.0)
            run.result(TIMEOUT)
            match = "expired at 2"
        elif how == "cancelled":
            run.cancel()
            with pytest.raises(RunCancelled):
                run.result(TIMEOUT)
            match = "is cancelled and waits for no answer"
        else:
            name, error = (others.id if how == "foreign" else "0123456789ab"), NotFound
            match = f"Run {run.id} has no request '{name}'"
        unchanged(store, run.id, lambda: run.decide(name, port), error, match)
        assert store.approvals() == ([others] if how in ("decided", "expired", "cancelled") else [asked, others])


def test_forms_of_wrong_types_are_refused_field_by_field_and_the_right_one_is_taken(store: Store) -> None:
    form = {
        "properties": {
            "n": {"type": "integer", "minimum": 1},
            "when": {"type": "string", "format": "date"},
            "how": {"enum": ["card", "cash"]},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        },
        "required": ["n", "when"],
        "additionalProperties": False,
    }
    flow = Flow("f")
    flow.input("given", "What?", form)
    run = flow.run(store=store, display=False)
    (asked,) = pending(run)
    right = {"n": 3, "when": "2026-11-27", "how": "card", "tags": ["a"]}
    for wrong in (
        {**right, "n": "three"}, {**right, "n": 1.5}, {**right, "n": True}, {**right, "n": 0}, {**right, "n": None},
        {**right, "when": "soon"}, {**right, "when": 20261127}, {**right, "how": "cheque"}, {**right, "tags": "a"},
        {**right, "tags": ["a", 1]}, {**right, "tags": ["a", "b", "c"]}, {**right, "more": 1}, {"n": 3}, [], 3, "x",
        [right], {"n": {"n": 3}, "when": "2026-11-27"},
    ):  # fmt: skip
        unchanged(
            store, run.id, lambda w=wrong: run.decide(asked.id, data=w), InvalidInput, "The answer to given can't"
        )
    run.decide(asked.id, data=right)
    assert run.result(TIMEOUT) == {"given": right}
    assert verify(store, run.id)[0] == 2 + 18  # asked, answered, and every refusal


def test_changed_data_that_break_the_shape_of_what_was_shown_are_refused(store: Store) -> None:
    flow = Flow("f")

    @flow.node
    def load() -> Any:
        return pd.DataFrame({"n": [1, 2], "s": ["a", "b"]})

    flow.review("checked", "Right?", preview="load", edits=True)
    run = flow.run(store=store, display=False)
    (asked,) = pending(run)
    for wrong in (
        [{"n": "one", "s": "a"}], [{"n": 1}], [{"n": 1, "s": "a", "more": 2}], {"n": 1, "s": "a"}, "x", [1], [[1, "a"]],
    ):  # fmt: skip
        unchanged(
            store, run.id, lambda w=wrong: run.decide(asked.id, data=w), InvalidInput, "The answer to checked can't"
        )
    run.decide(asked.id, data=[{"n": 7, "s": "a"}])
    assert run.result(TIMEOUT)["checked"].to_dict("list") == {"n": [7], "s": ["a"]}


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-86_400.0, -150.0, 50.0])
def test_a_clock_that_jumps_ends_no_question_before_its_time(store: Store, jump: float) -> None:
    with fake_clock() as clock:
        run = asking(timeout=100.0).run(store=store, display=False)
        (asked,) = pending(run)
        clock.advance(jump)
        flownb.inbox(store)  # whoever looks ends what is over
        assert store.approvals() == [asked]
        assert (run.status, run.resting) == ("paused", True)
        run.decide(asked.id)
        assert run.result(TIMEOUT) == {"yes": "yes"}


def test_a_clock_that_is_set_back_revives_nothing_that_has_expired(store: Store) -> None:
    with fake_clock() as clock:
        run = asking(timeout=100.0).run(store=store, display=False)
        (asked,) = pending(run)
        clock.advance(150.0)
        run.result(TIMEOUT)
        clock.advance(-150.0)
        unchanged(store, run.id, lambda: run.decide(asked.id), Conflict, "expired at 2")
        (row,) = store.approvals(pending=False)
        assert (row.status, kinds(store, run.id)[ev.ApprovalExpired]) == ("expired", 1)


def test_the_moment_of_expiry_belongs_to_the_timeout(store: Store) -> None:
    run = asking(timeout=1_000.0).run(store=store, display=False)
    (asked,) = pending(run)
    engine().house.take_rest(store, run.id)  # nobody looks
    assert asked.expires_at is not None
    unfinished = asked.expires_at - 0.001
    with pytest.raises(Conflict, match="expired at 2"):
        decide(store, run.id, asked.id, port=None, at=asked.expires_at)
    with pytest.raises(Conflict, match="expired at 2"):
        decide(store, run.id, asked.id, port=None, at=unfinished)  # from a process whose clock is behind
    (row,) = store.approvals(pending=False)
    assert row.status == "expired"


# --- the question goes another way ------------------------------------------------------------------------------------


def test_a_fork_of_a_run_that_asks_asks_anew_and_each_has_its_own_answer(store: Store) -> None:
    run = asking().run(store=store, display=False)
    (asked,) = pending(run)
    fork = run.fork()
    (anew,) = pending(fork)
    assert anew.id != asked.id
    unchanged(store, fork.id, lambda: fork.decide(asked.id), NotFound, "has no request")
    run.decide(asked.id, "rejected")
    assert run.result(TIMEOUT) == {}
    assert [row.id for row in store.approvals()] == [anew.id]
    assert (fork.status, fork.resting) == ("paused", True)
    fork.decide(anew.id)
    assert fork.result(TIMEOUT) == {"yes": "yes"}
    for each, status in ((run, "rejected"), (fork, "approved")):
        (row,) = store.approvals(run=each.id, pending=False)
        assert row.status == status


def test_a_fork_from_behind_the_answer_keeps_it_and_asks_nobody(store: Store) -> None:
    run = asking().run(store=store, display=False)
    (asked,) = pending(run)
    run.decide(asked.id)
    run.result(TIMEOUT)
    fork = run.fork()
    assert fork.result(TIMEOUT) == {"yes": "yes"}
    assert store.approvals() == []


def test_a_question_inside_a_subflow_pauses_both_and_its_answer_carries_both_on(store: Store) -> None:
    inner = Flow("inner")
    ok = inner.approval("ok", "Fine inside?")
    inner.set_variable("yes", "answer", "yes", after=ok.approved)
    flow = Flow("outer")
    flow.subflow("sub", inner)

    @flow.node
    def last(sub: Any) -> Any:
        return sub

    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting and store.approvals())
    (asked,) = store.approvals()
    assert asked.run != run.id
    assert (run.status, run.pause_reason) == ("paused", "human")
    flownb.inbox(store)[0].approve()
    assert run.result(TIMEOUT) == {"last": {"yes": "yes"}}
    for each in (run.id, asked.run):
        assert kinds(store, each)[ev.RunCompleted] == 1
    assert kinds(store, asked.run)[ev.ApprovalDecided] == 1


@pytest.mark.parametrize("beside", [False, True])
def test_a_question_inside_a_subflow_expires_in_time(store: Store, beside: bool) -> None:
    inner = Flow("inner")
    ok = inner.approval("ok", "Fine inside?", timeout=1_000.0)
    inner.set_variable("late", "answer", "late", after=ok.expired)
    gate = threading.Event()
    flow = Flow("outer")
    flow.subflow("sub", inner)
    if beside:  # the run is at work when the time is over

        @flow.node
        def waits() -> None:
            gate.wait(TIMEOUT)

    with fake_clock() as clock:
        run = flow.run(store=store, display=False)
        wait_for(store.approvals)
        if not beside:
            wait_for(lambda: run.resting)
        clock.advance(2_000.0)
        wait_for(lambda: not store.approvals())
        gate.set()
        assert run.result(TIMEOUT)["sub"] == {"late": "late"}


def test_branches_of_a_parallel_ask_each_for_itself(store: Store) -> None:
    flow = Flow("f")
    both = flow.parallel("both", ["left", "right"])
    with both.left:
        flow.approval("a", "Left?")
    with both.right:
        flow.approval("b", "Right?")
    run = flow.run(store=store, display=False)
    rows = {row.request.question: row for row in pending(run, 2)}
    run.decide(rows["Right?"].id, "rejected")
    (left,) = pending(run)
    assert left.id == rows["Left?"].id
    run.decide(left.id)
    run.result(TIMEOUT)
    assert {row.request.question: row.status for row in store.approvals(pending=False)} == {
        "Left?": "approved",
        "Right?": "rejected",
    }


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def nothing_known() -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    masking.forget()
    yield
    masking.forget()
    logging.setLogRecordFactory(factory)


@pytest.mark.usefixtures("nothing_known")
def test_a_secret_in_a_question_or_an_answer_is_found_in_no_byte(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "sk-live-4f9a8b7c6d5e-0123456789"
    flow = Flow("f")

    @flow.node
    def token(ctx: Any) -> str:
        return str(ctx.secret("crm"))

    ok = flow.approval(
        "ok", "Use {{ token }}?", after=token, details="It is {{ token }}.", preview=["token", "[token, 1]"],
        form={"properties": {"why": {"type": "string"}}},
    )  # fmt: skip

    @flow.node(after=ok.approved)
    def last(ok: Any) -> Any:
        print("answered", ok)
        return ok

    store = open_store(f"sqlite:///{tmp_path}/w.db")
    run = flow.run(store=store, display=False, services={"secrets": FakeSecrets(crm=secret)})
    (asked,) = pending(run)
    assert asked.request.question.startswith("Use ")
    with pytest.raises(InvalidInput) as refused:
        run.decide(asked.id, f"port-{secret}", comment=secret)
    with caplog.at_level(logging.DEBUG):
        run.decide(asked.id, data={"why": f"because {secret}"}, comment=f"said {secret}")
        run.result(TIMEOUT)
    shown = [run.approvals[0].text(), run.approvals[0]._repr_html_() or "", repr(run), caplog.text, str(refused.value)]
    assert secret not in "\n".join(shown[:-1])
    store.close()
    assert canaries.search(tmp_path, {"api_key": secret.encode()}) == []
