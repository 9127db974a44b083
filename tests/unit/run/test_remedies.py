"""What a run does with what is kept for failures: compensations, fallbacks, handlers, strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow, RunFailed, RunPaused, Settings
from flownb.errors import Conflict, NodeFailed
from flownb.model.events import SystemWarning
from flownb.model.status import FailurePolicy, RunStatus
from tests.unit.run.test_run import statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run

SECONDS = 10.0


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(store="memory:", display=False, **inputs)


def fails(text: str, kind: type[BaseException] = ValueError) -> Callable[[], None]:
    def body() -> None:
        raise kind(text)

    return body


def trip(told: list[Any], **car: Any) -> Flow:
    """A flight, a hotel that needs it, and a car that can't be had."""
    flow = Flow("trip")

    @flow.node
    def cancel_flight(flight: str, ctx: Any) -> None:
        told.append(("cancel", flight, ctx.error and ctx.error["node"]))

    @flow.node
    def cancel_hotel(hotel: str) -> None:
        told.append(("cancel", hotel))

    @flow.node(compensation=cancel_flight)
    def flight() -> str:
        return "LH 1"

    @flow.node(compensation="cancel_hotel")
    def hotel(flight: str) -> str:
        return f"room after {flight}"

    flow.node(fails("no car"), id="car", after=[hotel], **car)
    return flow


# --- compensations ----------------------------------------------------------------------------------------------------


def test_what_was_done_is_undone_the_newest_first_and_the_run_fails_all_the_same() -> None:
    told: list[Any] = []
    done = run(trip(told, on_error="compensate"))
    with pytest.raises(RunFailed, match="failed at car: ValueError: no car"):
        done.result(SECONDS)
    assert told == [("cancel", "room after LH 1"), ("cancel", "LH 1", "car")]
    assert statuses(done) == {
        "cancel_flight": "completed",
        "cancel_hotel": "completed",
        "flight": "completed",
        "hotel": "completed",
        "car": "failed",
    }


def test_without_that_wish_nothing_is_undone_and_a_compensation_says_why_it_did_not_run() -> None:
    told: list[Any] = []
    done = run(trip(told))
    with pytest.raises(RunFailed):
        done.result(SECONDS)
    assert told == []
    assert "there was nothing to undo of hotel" in done["cancel_hotel"].why


def test_in_a_run_that_goes_well_compensations_are_skipped_and_are_no_outputs() -> None:
    flow = Flow("well")
    flow.node(lambda: 1, id="book", compensation=lambda book: None)
    done = run(flow)
    assert done.result(SECONDS) == {"book": 1}
    assert statuses(done) == {"book_compensation": "skipped", "book": "completed"}


def test_a_compensation_that_fails_is_told_and_the_others_still_run() -> None:
    flow, told = Flow("stubborn"), []
    flow.node(lambda: 1, id="a", compensation=lambda a: told.append(a + 0))
    flow.node(lambda: 2, id="b", after="a", compensation=fails("it can't be given back"))
    flow.node(fails("no"), id="c", after="b", on_error="compensate")
    done = run(flow)
    with pytest.raises(RunFailed, match="failed at c"):
        done.result(SECONDS)
    assert told == [1]
    assert done["b_compensation"].status == "failed"
    (warning,) = [each.event for each in done.events() if isinstance(each.event, SystemWarning)]
    assert warning.message.startswith("What b did is not undone: its compensation b_compensation failed")


def test_a_compensation_is_a_node_with_attempts_of_its_own() -> None:
    flow, tries = Flow("again"), []

    def undo(a: int) -> None:
        tries.append(a)
        if len(tries) < 3:
            raise ConnectionError("not now")

    flow.node(undo, retry={"attempts": 3, "delay": 0})
    flow.node(lambda: 1, id="a", compensation="undo")
    flow.node(fails("no"), id="c", after="a", on_error="compensate")
    done = run(flow)
    with pytest.raises(RunFailed):
        done.result(SECONDS)
    assert len(tries) == 3
    assert done["undo"].status == "completed"


def test_siblings_end_before_anything_is_undone() -> None:
    flow, told = Flow("siblings"), []
    flow.node(lambda: 1, id="a", compensation=lambda a: told.append("undone"))

    @flow.node
    async def sibling(a: int) -> None:
        import asyncio

        try:
            await asyncio.sleep(600)
        finally:
            told.append("cancelled")

    flow.node(fails("no"), id="c", after="a", on_error="compensate")
    with pytest.raises(RunFailed):
        run(flow).result(SECONDS)
    assert told in (["cancelled", "undone"], ["undone"])  # it may not have begun


def test_what_ended_by_a_value_instead_of_its_work_is_not_undone() -> None:
    flow, told = Flow("nothing done"), []
    flow.node(fails("no"), id="a", fallback=0, compensation=lambda a: told.append(a + 0))
    flow.node(fails("no"), id="c", after="a", on_error="compensate")
    with pytest.raises(RunFailed):
        run(flow).result(SECONDS)
    assert told == []


def test_with_collect_the_others_end_and_are_undone_too() -> None:
    flow, told = Flow("collected", settings=Settings(failures=FailurePolicy.COLLECT)), []
    flow.node(lambda: 1, id="a", compensation=lambda a: told.append("a"))
    flow.node(lambda a: 1, id="b", compensation=lambda b: told.append("b"))
    flow.node(fails("no"), id="c", on_error="compensate")
    with pytest.raises(RunFailed):
        run(flow).result(SECONDS)
    assert told == ["b", "a"]


def test_a_run_that_was_undone_does_not_go_on() -> None:
    told: list[Any] = []
    done = run(trip(told, on_error="compensate"))
    with pytest.raises(RunFailed):
        done.result(SECONDS)
    with pytest.raises(Conflict, match="was undone: cancel_hotel, cancel_flight ran. It can't go on from there"):
        done.resume()


@pytest.mark.parametrize(("failed", "status"), [(True, RunStatus.FAILED), (False, RunStatus.COMPLETED)])
def test_a_compensate_node_undoes_and_ends_the_run(*, failed: bool, status: RunStatus) -> None:
    told: list[Any] = []
    flow = trip(told)
    flow.compensate("undo", "no trip", failed=failed, after="car.error")
    done = run(flow)
    if failed:
        with pytest.raises(RunFailed, match="no trip"):
            done.result(SECONDS)
    else:
        done.result(SECONDS)
    assert done.status is status
    assert [each[1] for each in told] == ["room after LH 1", "LH 1"]


# --- fallbacks --------------------------------------------------------------------------------------------------------


def test_a_fallback_runs_in_the_place_of_the_node_and_knows_its_error() -> None:
    flow = Flow("rates")

    def cached(ctx: Any) -> str:
        return f"yesterday's, because: {ctx.error['message']} ({ctx.error['class']})"

    flow.node(fails("down", ConnectionError), id="rates", fallback=cached, retry={"attempts": 2, "delay": 0})
    flow.node(lambda rates: rates, id="use")
    done = run(flow)
    assert done.result(SECONDS) == {"use": "yesterday's, because: down (dependency)"}
    assert done["rates"].status == "completed"
    assert done["rates"].attempts == 2


def test_a_fallback_that_is_not_needed_is_skipped() -> None:
    flow = Flow("rates")
    flow.node(lambda: 1, id="rates", fallback=lambda: 2)
    done = run(flow)
    assert done.result(SECONDS) == {"rates": 1}
    assert "rates did not need it" in done["rates_fallback"].why


def test_where_the_fallback_fails_too_both_are_told() -> None:
    flow = Flow("rates")
    flow.node(fails("down", ConnectionError), id="rates", fallback=fails("nothing kept", LookupError))
    done = run(flow)
    both = "ConnectionError: down; its fallback rates_fallback failed too: LookupError: nothing kept"
    with pytest.raises(RunFailed, match=both):
        done.result(SECONDS)
    assert done["rates"].status == done["rates_fallback"].status == "failed"
    assert list(done.errors) == ["rates"]


def test_a_fallback_may_have_a_fallback_and_choose_ports() -> None:
    from flownb import Output

    flow = Flow("rates")
    flow.node(lambda: Output(3, ports=("stale",)), id="last", ports=["stale"])
    flow.node(fails("worse"), id="second", fallback=flow["last"])
    flow.node(fails("down"), id="rates", fallback=flow["second"])
    flow.node(lambda rates: rates + 1, id="use")
    assert run(flow).result(SECONDS) == {"use": 4}


# --- handlers ---------------------------------------------------------------------------------------------------------


def test_a_handler_and_what_follows_from_it_run_before_the_run_ends_as_failed() -> None:
    flow, told = Flow("watched"), []
    failed = flow.error_handler("failed")
    flow.node(lambda failed: told.append(dict(failed)), id="tell")
    flow.node(fails("down", TimeoutError), id="load")
    done = run(flow)
    with pytest.raises(RunFailed, match="failed at load"):
        done.result(SECONDS)
    (error,) = told
    assert {name: error[name] for name in ("type", "message", "class", "node", "run", "workflow")} == {
        "type": "TimeoutError",
        "message": "down",
        "class": "timeout",
        "node": "load",
        "run": done.id,
        "workflow": "watched",
    }
    assert failed.id == "failed"


def test_handlers_are_skipped_where_nothing_failed_or_something_else_did() -> None:
    flow = Flow("watched")
    flow.error_handler("late", "timeout")
    flow.error_handler("of_other", nodes=["other"])
    flow.error_handler("of_all")
    flow.node(lambda bad: 1, id="other")

    @flow.node
    def bad(ok: bool) -> int:
        if not ok:
            raise ValueError("no")
        return 1

    good = run(flow, ok=True)
    assert good.result(SECONDS) == {"other": 1}
    assert "nothing failed" in good["late"].why
    worse = run(flow, ok=False)
    with pytest.raises(RunFailed):
        worse.result(SECONDS)
    assert statuses(worse) == {
        "late": "skipped", "of_other": "skipped", "of_all": "completed", "other": "skipped", "bad": "failed"
    }  # fmt: skip


def test_a_handler_can_let_the_run_end_well() -> None:
    flow = Flow("forgiving")
    flow.error_handler("failed", then="complete")
    flow.node(lambda failed: f"took care of {failed['node']}", id="care")
    flow.node(fails("no"), id="bad")
    done = run(flow)
    done.result(SECONDS)
    assert done.status is RunStatus.COMPLETED
    assert done["care"].output == "took care of bad"


def test_a_handler_that_fails_is_told_and_the_run_has_its_own_error() -> None:
    flow = Flow("unlucky")
    failed = flow.error_handler("failed")
    flow.node(fails("the mail server is down"), id="mail", after=failed)
    flow.node(fails("no"), id="bad")
    done = run(flow)
    with pytest.raises(RunFailed, match="failed at bad: ValueError: no$"):
        done.result(SECONDS)
    assert "failed itself: ValueError: the mail server is down" in str([each.event for each in done.events()])


def test_first_all_is_undone_and_then_handlers_run() -> None:
    told: list[Any] = []
    flow = trip(told, on_error="compensate")
    flow.error_handler("failed")
    flow.node(lambda failed: told.append(("told", failed["node"])), id="tell")
    with pytest.raises(RunFailed):
        run(flow).result(SECONDS)
    assert [each[0] for each in told] == ["cancel", "cancel", "told"]


def test_a_workflows_handler_starts_the_node_that_it_names() -> None:
    flow, told = Flow("named"), []
    flow.node(lambda ctx: told.append(ctx.error["message"]), id="tell")
    flow.on_error("execution", "stop", target="tell")
    flow.node(fails("no"), id="bad")
    with pytest.raises(RunFailed):
        run(flow).result(SECONDS)
    assert told == ["no"]


def test_a_failed_run_goes_on_and_its_handler_is_there_again_for_the_next_failure() -> None:
    flow, told, bad = Flow("twice"), [], [True, True, False]
    flow.error_handler("failed")
    flow.node(lambda failed: told.append(failed["message"]), id="tell")

    @flow.node
    def flaky() -> str:
        if bad.pop(0):
            raise ValueError(f"{len(bad)} left")
        return "well"

    done = run(flow)
    for _ in range(2):
        with pytest.raises(RunFailed):
            done.result(SECONDS)
        done.resume()
    assert done.result(SECONDS) == {"flaky": "well"}
    assert told == ["2 left", "1 left"]
    assert statuses(done) == {"failed": "skipped", "tell": "skipped", "flaky": "completed"}


# --- strategies -------------------------------------------------------------------------------------------------------


class Slow:
    """Fails with an error of one class, and counts how often."""

    def __init__(self, error: BaseException) -> None:
        self.error, self.calls = error, 0

    def call(self) -> None:
        self.calls += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "calls", "status"),
    [
        (TimeoutError("late"), 3, "failed"),
        (ConnectionError("gone"), 1, "skipped"),
        (KeyError("key"), 2, "skipped"),
        (RuntimeError("other"), 1, "failed"),
    ],
)
def test_a_node_has_a_strategy_for_each_class_of_errors(error: BaseException, calls: int, status: str) -> None:
    flow, body = Flow("strategies"), Slow(error)
    flow.node(
        body.call,
        id="node",
        strategies={
            "timeout": {"strategy": "retry", "attempts": 3, "delay": 0},
            "dependency": "skip",
            KeyError: [{"strategy": "retry", "attempts": 2, "delay": 0}, {"strategy": "skip", "message": "not today"}],
        },
    )
    done = run(flow)
    if status == "failed":
        with pytest.raises(RunFailed):
            done.result(SECONDS)
    else:
        done.result(SECONDS)
    assert (body.calls, done["node"].status) == (calls, status)
    if isinstance(error, KeyError):
        assert "not today" in done["node"].why


def test_a_strategy_of_the_workflow_is_for_nodes_that_say_nothing_themselves() -> None:
    flow, bodies = Flow("shared"), [Slow(TimeoutError("late")) for _ in range(3)]
    flow.on_error("timeout", "retry", attempts=4, delay=0)
    flow.on_error("timeout", "skip", message="it is slow at night")
    flow.node(bodies[0].call, id="silent")
    flow.node(bodies[1].call, id="own", strategies={"timeout": "skip"})
    flow.node(bodies[2].call, id="fallback", fallback=5)
    done = run(flow)
    assert done.result(SECONDS) == {"fallback": 5}
    assert [body.calls for body in bodies] == [4, 1, 4]
    assert "it failed, and on_error is skip: it is slow at night (late)" in done["silent"].why


def test_a_strategy_may_pause_or_undo() -> None:
    told: list[Any] = []
    flow = trip(told, strategies={"execution": "compensate"})
    with pytest.raises(RunFailed):
        run(flow).result(SECONDS)
    assert len(told) == 2
    paused = Flow("paused")
    paused.on_error("any", "pause")
    paused.node(fails("no"), id="bad")
    with pytest.raises(RunPaused, match="bad failed: no"):
        run(paused).result(SECONDS)


@pytest.mark.parametrize(
    "error", [NodeFailed("never", recoverable=False), type("ValidationError", (ValueError,), {})("wrong")]
)
def test_what_can_not_get_better_is_not_repeated_and_says_so(error: BaseException) -> None:
    flow, body = Flow("hopeless"), Slow(error)
    flow.node(body.call, id="node", retry={"attempts": 5, "delay": 0})
    done = run(flow)
    with pytest.raises(RunFailed) as caught:
        done.result(SECONDS)
    assert body.calls == 1
    assert done.error is not None
    assert done.error.recoverable is False
    assert str(body.error) in str(caught.value)


def test_the_authors_word_about_an_error_is_told_with_it() -> None:
    flow = Flow("advice")
    flow.on_error("dependency", "fail", message="Is the VPN up?")
    flow.node(fails("no route", ConnectionError), id="load")
    with pytest.raises(RunFailed, match="no route") as caught:
        run(flow).result(SECONDS)
    assert "Is the VPN up?" in str(caught.value)
