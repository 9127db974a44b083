"""What expressions see of the run: its link, made for those who name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from flownb import Flow, RunFailed
from flownb.nodes.scope import scope
from flownb.store.memory import MemoryStore
from flownb.testing.context import FakeContext
from tests.unit.server.visiting import Visitor
from tests.waiting import wait_for

if TYPE_CHECKING:
    from flownb.store.contract import Store

TIMEOUT = 10.0


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "https://flows.example.org")
    return MemoryStore()


def test_the_link_is_made_for_those_alone_who_name_it() -> None:
    assert scope(FakeContext(raw={"text": "{{ run.id }}"}), {})["run"] == {"id": "testrun", "mode": "test"}
    named = scope(FakeContext(raw={"deep": [{"text": "see {{ run.resume_url }}"}]}), {})["run"]
    assert named["resume_url"] == "https://flows.example.org/r/testrun"
    assert scope(FakeContext(raw={"text": "run.resume_url"}), {"run": 7})["run"] == 7  # a node of that name


def test_a_node_before_the_question_can_send_the_link_that_answers_it(store: Store) -> None:
    flow = Flow("f")
    flow.set_variable("sent", "text", "Please look: {{ run.resume_url }}")
    ok = flow.approval("ok", "Fine? Or at {{ run.resume_url }}", after="sent")

    @flow.node(after=ok.approved)
    def done(ctx: Any) -> str:
        return str(ctx.resume_url)

    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting)
    url = str(run["sent"].output).removeprefix("Please look: ")
    assert url.startswith("https://flows.example.org/r/")
    assert f"Fine? Or at {url}" in run.approvals[0].question
    somebody = Visitor(store, url)
    somebody.get()
    assert "Approved" in somebody.press("Approve").text
    assert run.result(TIMEOUT) == {"done": url}


def test_a_node_in_a_process_of_its_own_can_ask_for_the_link(store: Store) -> None:
    flow = Flow("f")

    @flow.node(where="process")
    def far(ctx: Any) -> str:
        return str(ctx.resume_url)

    found = flow.run(store=store, display=False).result(60)["far"]
    assert urlsplit(found).path.startswith("/r/")


def test_without_a_public_address_there_is_a_sentence_or_what_the_author_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLOWNB_PUBLIC_URL")
    flow = Flow("f")
    flow.set_variable("sent", "text", "At {{ run.resume_url }}")
    with pytest.raises(RunFailed, match=r"no public address is set.*FLOWNB_PUBLIC_URL.*default\(run\.resume_url"):
        flow.run(store=store, display=False).result(TIMEOUT)
    flow = Flow("f")
    flow.set_variable("sent", "text", 'At {{ default(run.resume_url, "the inbox") }}')
    assert flow.run(store=store, display=False).result(TIMEOUT) == {"sent": "At the inbox"}


def test_an_address_that_is_none_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "flows.example.org")
    flow = Flow("f")
    flow.set_variable("sent", "text", "At {{ run.resume_url }}")
    with pytest.raises(RunFailed, match="which is no address of a web page"):
        flow.run(store=store, display=False).result(TIMEOUT)


def test_it_is_no_problem_of_a_workflow_to_name_it() -> None:
    flow = Flow("f")
    flow.set_variable("sent", "text", "At {{ run.resume_url }}")
    assert flow.validate() == []
