"""People are told what runs ask: each at least once, by one process, and it never holds up or fails a run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb import Flow
from flownb.errors import InvalidInput
from flownb.model import events as ev
from flownb.run.waiting.decisions import audited, decide
from flownb.run.waiting.deliveries import deliveries
from flownb.run.waiting.lookout import look_over
from flownb.run.waiting.notices import CLAIM_SECONDS, WAITS, deliver
from flownb.run.waiting.verify import verify
from flownb.services.identity import user
from flownb.store.contract import NewRun, Write
from flownb.store.memory import MemoryStore
from flownb.store.owner import current_owner
from flownb.store.place import open_store
from flownb.testing import crash_at, fake_channel, fake_clock
from flownb.testing.crash import Crash
from tests.posting import MailServer
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

T0 = 1_000_000.0


def asking(**options: Any) -> Flow:
    flow = Flow("shop")
    ok = flow.approval("ok", "Post 3 EUR?", **{"approvers": ["anna", "ben"], "channel": "mail", **options})
    flow.set_variable("post", "posted", "yes", after=ok.approved)
    return flow


def paused(run: Run) -> Run:
    wait_for(lambda: run.resting)
    assert run.status == "paused"
    return run


def requested(store: Store, **fields: Any) -> str:
    """A run of nobody that asks, as a process left it that has died; its request was made at `T0`."""
    owner = current_owner()
    store.register(owner)
    run = f"r{len(list(store.rows()))}"
    store.put_definition("d", "{}")
    _, lease = store.create_run(NewRun(id=run, workflow="shop", definition="d", created_at=T0), owner)
    assert lease is not None
    request = ev.ApprovalRequested(
        at=T0, node="ok", approval=f"a-{run}", kind="confirmation", question="Post 3 EUR?",
        ports=("approved", "rejected"), approvers=("anna", "ben"), channels=("mail",),
    )  # fmt: skip
    request = msgspec.structs.replace(request, **fields)
    started = ev.RunStarted(at=T0, workflow="shop", definition="d")
    store.commit([Write(run, lease.fence, 1, (started, request, ev.RunPaused(at=T0, reason="human")), release=True)])
    return run


def row_of(store: Store, run: str) -> ApprovalRow:
    (row,) = store.approvals(run=run, pending=False)
    return row


def at(moment: float) -> Any:
    return lambda: moment


# --- when it asks ----------------------------------------------------------------------------------------------------


def test_all_approvers_are_told_once_the_request_is_committed(own_store: str) -> None:
    with fake_channel() as mail:
        run = paused(asking(preview=None, details="Look.", timeout=60).run(store=own_store, display=False))
        assert sorted(mail.told) == ["anna", "ben"]
        (asked,) = run.approvals
        message = mail.messages[0]
        assert (message.run, message.workflow, message.node, message.approval) == (run.id, "shop", "ok", asked.id)
        assert (message.question, message.details, message.kind) == ("Post 3 EUR?", "Look.", "asked")
        assert (message.until, message.approvers) == (asked.expires_at, ("anna", "ben"))
        assert message.commands == (f"flownb approve {asked.id}", f"flownb reject {asked.id}")
        assert run.store.next_notice() is None
        text = run.approvals[0].text()
        assert text.count("mail to anna was sent at 2") == 1
        assert text.count("mail to ben was sent at 2") == 1


def test_who_is_told_can_be_others_than_who_may_answer() -> None:
    store = MemoryStore()
    with fake_channel() as mail, fake_channel("chat", personal=False) as chat:
        paused(asking(channel=["mail", "chat"], to=["carl", "#finance"]).run(store=store, display=False))
        assert mail.told == ["carl"]
        assert chat.told == [""]
        assert [each.address for each in chat.messages] == ["#finance"]


def test_a_run_that_asks_through_no_channel_tells_nobody(own_store: str) -> None:
    with fake_channel() as mail:
        for channel in ("", "console", ["notebook", "web"]):
            run = paused(asking(channel=channel).run(store=own_store, display=False))
            assert (run.store.next_notice(), run.store.approvals(run=run.id)[0].notices) == (None, ())
        assert mail.told == []


def test_groups_are_their_members_as_the_operator_says_when_it_is_sent(own_store: str, tmp_path: Path) -> None:
    settings = '[approvals.groups]\nfinance = ["anna", "carl"]\n'
    (tmp_path / "settings.toml").write_text(settings, encoding="utf-8")
    with fake_channel() as mail:
        paused(asking(approvers=["anna", "finance"]).run(store=own_store, display=False))
        assert sorted(mail.told) == ["anna", "carl"]


def test_a_channel_that_fails_holds_up_nobody_and_fails_no_run(own_store: str, tmp_path: Path) -> None:
    with MailServer() as server:
        server.slow = 30.0
        (tmp_path / "settings.toml").write_text(
            server.settings(timeout=1) + '[people]\nanna = {mail = "anna@example.org"}\n', encoding="utf-8"
        )
        begun = time.monotonic()
        run = paused(asking(approvers=["anna"]).run(store=own_store, display=False))
        assert time.monotonic() - begun < 5.0
        assert deliveries().wait(20)
        (asked,) = run.store.approvals(run=run.id)
        (told,) = [each for each in asked.notices if each.outcome is not None]
        assert told.outcome is not None
        assert "did not answer within 1 s." in told.outcome.why
        assert told.next_at is not None
        assert f"mail to anna failed: 127.0.0.1:{server.port} did not" in run.approvals[0].text()
        assert "tried again at 2" in run.approvals[0].text()
        assert run.status == "paused"


def test_a_node_that_asks_no_more_tells_nobody_more() -> None:
    store = MemoryStore()
    run = requested(store)
    with fake_channel() as mail:
        mail.failures = ["down"] * 2
        deliver(store, at(T0))
        store.answer(
            run,
            f"a-{run}",
            lambda _: [ev.ApprovalDecided(at=T0, node="ok", approval=f"a-{run}", by="x", port="approved")],
        )
        assert deliver(store, at(T0 + 1e6)) == []
        assert mail.messages == []


# --- again and again --------------------------------------------------------------------------------------------------


def test_what_fails_is_tried_again_ever_later_and_then_given_up() -> None:
    store, now = MemoryStore(), T0
    run = requested(store, approvers=("anna",))
    with fake_channel() as mail:
        mail.failures = [f"down {number}" for number in range(9)]
        for number, wait in enumerate((*WAITS, None), 1):
            (told,) = deliver(store, at(now))
            assert (told.why, told.attempt, told.to) == (f"down {number - 1}", number, "anna")
            assert told.next_at == (None if wait is None else now + wait)
            if wait is not None:
                assert deliver(store, at(now + wait - 0.1)) == []
                now += wait
        assert store.next_notice() is None
    kinds = [type(event) for _, event in audited(store, run)]
    assert kinds == [ev.ApprovalRequested, *[ev.ApprovalNotified] * 5]
    assert verify(store, run)[1] == []


def test_what_was_tried_again_arrives() -> None:
    store = MemoryStore()
    run = requested(store)
    with fake_channel() as mail:
        mail.failures = ["down"]
        assert sorted(bool(each.why) for each in deliver(store, at(T0))) == [False, True]
        (told,) = deliver(store, at(T0 + WAITS[0]))
        assert (told.why, told.attempt) == ("", 2)
        assert sorted(each.to for each in mail.messages) == ["anna", "ben"]
    assert all(each.delivered for each in row_of(store, run).notices if not each.is_plan)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("", "There is no channel 'mail'. Set it up as [channels.mail] in "),
        ("[channels.mial]\nkind = 'mail'\n", "There is no channel 'mail'. Did you mean 'mial'?"),
        ("[channels.mail]\nkind = 'fax'\n", "channels.mail has the kind 'fax'. There is: apprise, mail."),
        ("[channels.mail]\nhost = 'localhost'\n", "channels.mail: from is missing."),
        ("channels = 3\n", "have an `channels` that is no table"),
        ("[channels", "are no TOML"),
    ],
)
def test_settings_that_are_wrong_are_told_and_can_be_mended(
    own_store: str, tmp_path: Path, settings: str, why: str
) -> None:
    store, path = open_store(own_store), tmp_path / "settings.toml"
    path.write_text(settings, encoding="utf-8")
    requested(store, approvers=("anna@example.org",))
    (told,) = deliver(store, at(T0))
    assert why in told.why
    assert told.next_at == T0 + WAITS[0]
    with MailServer() as server:
        path.write_text(server.settings(), encoding="utf-8")
        (told,) = deliver(store, at(T0 + WAITS[0]))
        assert (told.why, server.recipients) == ("", ["anna@example.org"])


def test_whoever_has_no_address_is_named() -> None:
    store = MemoryStore()
    requested(store)
    with fake_channel("mail"), fake_channel("other") as other:
        requested(store, approvers=(), channels=("other",))
        told = {each.channel: each for each in deliver(store, at(T0)) if each.why}
        assert told["other"].why == "ok names nobody whom other could tell: give it `to`, or approvers."
        assert other.messages == []


# --- many processes ---------------------------------------------------------------------------------------------------


def test_of_several_that_look_at_once_one_delivers(own_store: str) -> None:
    stores = [open_store(own_store)] * 4
    runs = [requested(stores[0]) for _ in range(10)]
    with fake_channel() as mail:
        threads = [threading.Thread(target=deliver, args=(each, at(T0))) for each in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        got = sorted((each.run, each.to) for each in mail.messages)
        assert got == sorted((run, name) for run in runs for name in ("anna", "ben"))


@pytest.mark.parametrize(("point", "count"), [("notice.claimed", 1), ("notice.claimed", 2), ("notice.sent", 1)])
def test_what_a_dead_process_left_is_delivered_by_the_next_that_looks(point: str, count: int) -> None:
    store = MemoryStore()
    run = requested(store, approvers=("anna",))
    with fake_channel() as mail:
        with crash_at(point, nth=count), pytest.raises(Crash):
            deliver(store, at(T0))
        before = len(mail.messages)
        assert before == (point == "notice.sent")
        assert [each.to for each in deliver(store, at(T0 + 1))] == [], "another might be at it"
        assert [each.to for each in deliver(store, at(T0 + CLAIM_SECONDS))] == ["anna"]
        assert len(mail.messages) == before + 1
        assert len({each.id for each in mail.messages}) == 1, "a repetition can be told"
    assert store.next_notice() is None
    assert verify(store, run)[1] == []


# --- as time passes ---------------------------------------------------------------------------------------------------


def test_reminders_are_sent_when_it_is_due_and_then_again_and_again() -> None:
    store = MemoryStore()
    run = requested(store, due_at=T0 + 100, remind=50.0)
    sent: list[tuple[float, str, str]] = []
    with fake_channel() as mail:
        for moment in range(0, 301, 25):
            sent += [(moment, told.kind, told.to) for told in look_over(store, at(T0 + moment))]
        assert sorted(sent) == sorted(
            (moment, kind, name)
            for moment, kind in [(0, "asked"), *((each, "reminder") for each in (100, 150, 200, 250, 300))]
            for name in ("anna", "ben")
        )
        assert len({each.id for each in mail.messages}) == 12
    row = row_of(store, run)
    assert max(each.round for each in row.notices) == 5
    assert ev.ApprovalReminded not in [type(event) for _, event in audited(store, run)]


def test_reminders_that_nobody_could_send_are_not_made_up_for() -> None:
    store = MemoryStore()
    requested(store, due_at=T0 + 100, remind=50.0, approvers=("anna",))
    with fake_channel() as mail:
        look_over(store, at(T0 + 10_025))
        assert [each.kind for each in mail.messages] == ["asked", "reminder"]
        assert store.next_notice() == T0 + 10_050


def test_one_reminder_without_an_interval(own_store: str) -> None:
    with fake_clock() as clock, fake_channel() as mail:
        run = paused(asking(due=3600, approvers=["anna"]).run(store=own_store, display=False))
        assert mail.told == ["anna"]
        clock.advance(3601)

        def kinds() -> list[str]:  # what earlier tests left undone in their stores is due now as well
            return [each.kind for each in mail.messages if each.run == run.id]

        wait_for(lambda: len(kinds()) == 2)
        assert kinds() == ["asked", "reminder"]
        assert deliveries().wait(5)
        assert run.store.next_notice() is None


def test_who_has_voted_is_not_reminded() -> None:
    store = MemoryStore()
    run = requested(store, due_at=T0 + 100, approvals_needed=2)
    with fake_channel() as mail:
        deliver(store, at(T0))
        vote = ev.ApprovalVoted(at=T0 + 1, node="ok", approval=f"a-{run}", by="anna", port="approved")
        store.answer(run, f"a-{run}", lambda _: [vote])
        deliver(store, at(T0 + 100))
        assert [(each.kind, each.to) for each in mail.messages][2:] == [("reminder", "ben")]


def test_when_it_takes_too_long_others_are_told_and_may_answer() -> None:
    store = MemoryStore()
    run = requested(store, approvers=("anna",), escalate_to=("eve", user()), escalate_at=T0 + 100)
    with fake_channel() as mail:
        deliver(store, at(T0))
        with pytest.raises(InvalidInput, match="may not answer ok; anna may"):
            decide(store, run, f"a-{run}", port="approved", at=T0 + 99)
        deliver(store, at(T0 + 100))
        got = [(each.kind, each.to, each.approvers) for each in mail.messages]
        assert got[0] == ("asked", "anna", ("anna",))
        assert sorted(got[1:]) == sorted(("escalation", each, ("anna", "eve", user())) for each in ("eve", user()))
    assert decide(store, run, f"a-{run}", port="approved", at=T0 + 100).port == "approved"


def test_a_request_of_an_older_flownb_is_only_noted() -> None:
    store = MemoryStore()
    run = requested(store, channels=(), due_at=T0 + 100)
    assert look_over(store, at(T0 + 100)) == []
    assert [type(event) for _, event in audited(store, run)] == [ev.ApprovalRequested, ev.ApprovalReminded]
