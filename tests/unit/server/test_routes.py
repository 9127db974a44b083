"""What links do: a page is shown to whoever has one, and only the one POST of its form decides."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from flownb import Flow
from flownb.model import events as ev
from flownb.run.waiting.decisions import audited
from flownb.server.routes import Request
from flownb.services.links import DAYS, inbox_link, link_to, run_link
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from tests.unit.server.visiting import FORM, Read, Visitor, one_request
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

NOWHERE = "This link leads nowhere"


def link(store: Store, person: str = "anna") -> str | None:
    return link_to(store, one_request(store), person)


def test_the_link_shows_the_question_and_the_button_answers_it(store: Store, ask: Callable[..., Run]) -> None:
    run = ask("Post 3 EUR?", shown=[1, 2], ports=["escalate"])
    anna = Visitor(store, link(store))
    seen = anna.get()
    assert (seen.status, list(seen.buttons)) == (200, ["Approve", "Reject", "Escalate"])
    for words in ("Post 3 EUR?", "shop , ok", "You are anna. Opening this page decided nothing.", "load"):
        assert words in seen.text
    row = one_request(store)
    assert seen.has("form", class_="flownb-approval", data_approval=row.id, data_status="pending")
    assert seen.has("button", data_action="approve", value="approved")
    assert seen.has("button", data_action="reject")
    assert seen.has("button", data_action="escalate")
    seen = anna.press("Approve", comment="checked")
    assert seen.has("section", class_="pad done flownb-approval", data_status="approved")
    assert "shop: ok Approved" in seen.text
    assert "“checked” anna," in seen.text
    assert run.result(5) == {"post": "yes"}
    decided = one_request(store).decision
    assert isinstance(decided, ev.ApprovalDecided)
    assert (decided.by, decided.via, decided.address, decided.comment) == ("anna", "link", "203.0.113.7", "checked")


SCANNERS = [{}, {"fetch_site": "none"}, {"fetch_site": "cross-site"}, {"content_type": "text/html"}]


@pytest.mark.parametrize("more", SCANNERS)
def test_whoever_opens_a_link_decides_nothing(store: Store, ask: Callable[..., Run], more: dict[str, Any]) -> None:
    ask()
    before = store.audit(one_request(store).run)
    for url in (link(store), inbox_link(store, "anna"), run_link(store, one_request(store).run)):
        visitor = Visitor(store, url)
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "get"):
            filled = urlencode({**visitor.get().fields, "port": "approved"})
            for asked in (visitor.url, f"{visitor.url}?{filled}"):
                found = visitor.ask(method, url=asked, body=filled.encode(), **more)
                assert found.status in (200, 303, 405)
    assert one_request(store).status == "pending"
    assert store.audit(one_request(store).run) == before


def changed(chance: random.Random, token: str) -> str:
    """The token with one character changed, gone, or more."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
    place = chance.randrange(len(token))
    return (
        token[:place]
        + chance.choice(["", chance.choice(alphabet), token[place] + chance.choice(alphabet)])
        + token[place + 1 :]
    )


def only_the_one_post_decides(store: Store, count: int) -> None:
    """One-character changes of every token on the way, all of them posted; then the one that is right, twice."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, anna = random.Random(seed), Visitor(store, link(store))
    fields = {**anna.get().fields, "port": "approved"}
    base, _, token = anna.url.rpartition("/")
    for number in range(count):
        in_address = number % 2 == 0
        other = changed(chance, token if in_address else fields["page"])
        if other in (token, fields["page"]):
            continue
        posted = fields if in_address else {**fields, "page": other}
        path = urlsplit(f"{base}/{other if in_address else token}").path
        found = anna.site.respond(Request("POST", path, content_type=FORM, body=urlencode(posted).encode()))
        assert found.status in (404, 403), other
        anna.site._posts.clear()
    assert one_request(store).status == "pending"
    assert anna.ask("POST", body=urlencode(fields).encode()).status == 303
    assert anna.ask("POST", body=urlencode(fields).encode()).status == 409
    decided = [event for _, event in audited(store, one_request(store).run) if isinstance(event, ev.ApprovalDecided)]
    assert len(decided) == 1


def test_of_all_posts_with_a_changed_token_only_the_right_one_decides(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    only_the_one_post_decides(store, 2_000)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_of_all_posts_with_a_changed_token_only_the_right_one_decides_in_full_numbers(
    store: Store, ask: Callable[..., Run]
) -> None:
    ask()
    only_the_one_post_decides(store, 20_000)


def test_what_is_no_link_looks_the_same_whatever_it_is(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    url = link(store)
    assert url is not None
    foreign = link_to(MemoryStore(), one_request(store), "anna")
    pages = {
        Visitor(store, each).ask(method).page
        for each in (
            url[:-1], f"{url}A", foreign, url.replace("/a/", "/inbox/"), f"{url}/q/x/y", f"{url}/", "/", "/a/",
            "/robots.txt", "/favicon.ico", "/a/" + "A" * 5_000, "/../../etc/passwd", "/a/\0", "http://other.example/a/x",
        )
        for method in ("GET", "POST")
    }  # fmt: skip
    (page,) = pages
    assert page.status == 404
    assert NOWHERE in page.body


def test_a_link_grows_old_and_says_so_to_whoever_has_it(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    anna = Visitor(store, link(store))
    anna.get()
    anna.ahead = (DAYS + 1) * 86_400
    assert anna.press("Approve").status == 410
    assert "This link is too old" in anna.get().text
    assert one_request(store).status == "pending"


def test_keys_may_be_changed_while_links_are_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "https://flows.example.org")
    kept = open_store(f"sqlite:///{tmp_path}/.flownb/flownb.db")
    flow = Flow("f")
    flow.approval("ok", "Fine?")
    run = flow.run(store=kept, display=False)
    wait_for(lambda: run.resting)
    anna, ben = Visitor(kept, link(kept)), Visitor(kept, link(kept, "ben"))
    anna.get()
    ben.get()
    keys = tmp_path / ".flownb" / "keys"
    old = keys.read_text()
    keys.write_text(f"{'7' * 64}\n{old}")
    assert ben.ask("GET").status == 200  # an old key verifies
    keys.write_text(f"{'7' * 64}\n")
    assert ben.press("Approve").status == 404  # until it is taken away
    keys.write_text(f"{'7' * 64}\n{old}")
    assert "Approved" in anna.press("Approve").text  # its form was signed by the old one
    assert run.result(5)


# --- the form ---------------------------------------------------------------------------------------------------------


def test_a_form_counts_only_where_it_was_shown(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    (asked,) = store.approvals()
    anna, ben = Visitor(store, link(store)), Visitor(store, link(store, "ben"))
    again = Visitor(store, link_to(store, asked, "anna"))
    theirs = {each: each.get().fields["page"] for each in (anna, ben, again)}
    ask("Another?")
    other = Visitor(store, link_to(store, store.approvals()[-1], "anna")).get().fields["page"]
    for page in ("", "x", theirs[ben], theirs[again], other, anna.url.rpartition("/")[2]):
        anna.get()
        found = anna.press("Approve", page=page)
        assert (found.status, "Open the link again" in found.text) == (403, True)
    assert {row.status for row in store.approvals(pending=False)} == {"pending"}


def test_a_form_of_another_site_or_none_at_all_is_refused(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    anna = Visitor(store, link(store))
    body = urlencode({**anna.get().fields, "port": "approved"}).encode()
    assert anna.ask("POST", body=body, fetch_site="cross-site").status == 403
    assert anna.ask("POST", body=body, content_type="text/plain").status == 400
    assert anna.ask("POST", body=b'{"port": "approved"}', content_type="application/json").status == 400
    assert anna.ask("POST", body=b"\xff\xfe=1").status == 400
    assert anna.ask("POST", body=b"&".join(b"a=1" for _ in range(30_000))).status == 400
    assert anna.ask("POST", body=b"x" * 1_000_001).status == 413
    assert anna.ask("POST").status == 403
    assert one_request(store).status == "pending"
    assert anna.ask("POST", body=body, fetch_site="same-origin").status == 303


def test_a_link_that_posts_without_end_has_to_wait(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    anna, ben = Visitor(store, link(store)), Visitor(store, link(store, "ben"))
    anna.site = ben.site
    anna.get()
    body = urlencode({**anna.seen.fields, "port": "approved", "page": "x"}).encode()
    statuses = [anna.ask("POST", body=body).status for _ in range(31)]
    assert statuses == [403] * 30 + [429]
    ben.get()
    assert "Approved" in ben.press("Approve").text  # others need not


# --- requests that wait no more ---------------------------------------------------------------------------------------


def test_who_comes_second_is_told_who_was_first_and_what_they_said(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    anna, ben = Visitor(store, link(store)), Visitor(store, link(store, "ben"))
    anna.get()
    ben.get()
    anna.press("Reject", comment="The sum is wrong.")
    for seen in (ben.press("Approve"), ben.get()):
        assert "Rejected by anna" in seen.text
        assert "“The sum is wrong.” anna," in seen.text
        assert "Post 3 EUR?" in seen.text
        assert seen.buttons == {}
    assert anna.get().text.startswith("shop: ok Rejected")


def test_a_question_whose_time_is_over_says_so_and_takes_no_answer(store: Store, ask: Callable[..., Run]) -> None:
    run = ask(timeout=3600)
    anna = Visitor(store, link(store))
    assert "expires in 59 min" in anna.get().text
    assert "Open until" in anna.seen.text
    anna.ahead = 3601
    seen = anna.press("Approve")
    assert (seen.status, seen.has("section", data_status="expired")) == (409, True)
    assert "Expired after 1 h" in seen.text
    assert "Nobody answered until" in anna.get().text
    assert one_request(store).status == "expired"
    assert run.result(5) == {}


def test_a_question_that_nobody_waits_for_says_so(store: Store, ask: Callable[..., Run]) -> None:
    run = ask()
    anna = Visitor(store, link(store))
    anna.get()
    run.cancel()
    wait_for(lambda: one_request(store).status == "cancelled")
    assert "Nobody waits for an answer any more" in anna.press("Approve").text
    assert anna.get().has("section", data_status="cancelled")


def test_a_run_that_was_deleted_leaves_links_that_lead_nowhere(store: Store, ask: Callable[..., Run]) -> None:
    run = ask()
    anna = Visitor(store, link(store))
    anna.get()
    run.cancel()
    wait_for(lambda: store.owner_of(run.id) is None)
    store.delete_run(run.id)
    assert NOWHERE in anna.press("Approve").text
    assert NOWHERE in anna.get().text


# --- who may ----------------------------------------------------------------------------------------------------------


def test_who_may_not_answer_is_told_and_the_question_stays(store: Store, ask: Callable[..., Run]) -> None:
    ask(approvers=["ben"])
    for person, who in (("anna", "anna"), ("", "whoever has the link")):
        visitor = Visitor(store, link(store, person))
        assert "May decide: ben." in visitor.get().text
        seen = visitor.press("Approve")
        assert (seen.status, f"{who} may not answer ok; ben may." in seen.text) == (403, True)
    refused = [event for _, event in audited(store, one_request(store).run) if isinstance(event, ev.ApprovalRefused)]
    assert [(each.by, each.via) for each in refused] == [("anna", "link"), ("whoever has the link", "link")]
    ben = Visitor(store, link(store, "ben"))
    ben.get()
    assert "Approved" in ben.press("Approve").text


def test_several_persons_vote_each_once_and_see_how_it_stands(store: Store, ask: Callable[..., Run]) -> None:
    run = ask(approvals_needed=2)
    anna, ben = Visitor(store, link(store)), Visitor(store, link(store, "ben"))
    assert "0 of 2 votes" in anna.get().text
    seen = anna.press("Approve")
    assert "Your answer is counted: Approve" in seen.text
    assert "1 of 2 votes for approved" in seen.text
    assert seen.buttons == {}
    another = Visitor(store, link(store))  # another link of hers is no other vote
    assert another.get().buttons == {}
    assert "1 of 2 votes for approved" in ben.get().text
    assert "Approved" in ben.press("Approve").text
    assert run.result(5) == {"post": "yes"}
    assert [vote.by for vote in one_request(store).votes] == ["anna", "ben"]


def test_who_was_asked_because_it_took_too_long_may_answer_from_then_on(store: Store, ask: Callable[..., Run]) -> None:
    ask(approvers=["anna"], escalate_to=["ben"], escalate_after=3600)
    ben, listed = Visitor(store, link(store, "ben")), Visitor(store, inbox_link(store, "ben"))
    assert "May decide: anna." in ben.get().text
    assert ben.press("Approve").status == 403
    assert "nothing waits for you" in listed.get().text
    ben.ahead = listed.ahead = 3700
    assert "1 waits for you" in listed.get().text
    assert "May decide: anna, ben." in ben.get().text
    assert "Approved" in ben.press("Approve").text


# --- lists and runs ---------------------------------------------------------------------------------------------------


def test_the_list_of_a_person_has_what_they_may_answer_and_nothing_else(store: Store, ask: Callable[..., Run]) -> None:
    ask("For anna?", approvers=["anna"], timeout=7200)
    ask("For ben?", approvers=["ben"])
    ask("For all?")
    anna = Visitor(store, inbox_link(store, "anna"))
    seen = anna.get()
    assert "2 wait for you" in seen.text
    assert ("For anna?" in seen.text, "For all?" in seen.text, "For ben?" in seen.text) == (True, True, False)
    others = next(row for row in store.approvals() if row.request.approvers == ("ben",))
    assert Visitor(store, f"{anna.url}/q/{others.run}/{others.id}", site=anna.site).get().status == 404
    assert Visitor(store, f"{anna.url}/run/{others.run}", site=anna.site).get().status == 404
    top = anna.url
    anna.follow("For anna?")
    assert anna.seen.has("form", class_="flownb-approval")
    assert "Approved" in anna.press("Approve").text
    seen = anna.follow("All questions")
    assert anna.url == top
    assert "1 waits for you" in seen.text
    assert "Decided last" in seen.text
    assert "approved by anna" in seen.text


def test_from_a_question_the_way_leads_to_the_course_of_its_run_and_back(store: Store, ask: Callable[..., Run]) -> None:
    run = ask(shown="secret figures")
    anna = Visitor(store, inbox_link(store, "anna"))
    anna.get()
    anna.follow("Post 3 EUR?")
    seen = anna.follow(f"run {run.id}")
    assert f"Run {run.id} is paused. It waits for somebody's answer." in seen.text
    assert seen.has("li", data_flownb_node="load", data_status="completed")
    assert seen.has("li", data_flownb_node="ok", data_status="waiting")
    assert "secret figures" not in seen.text
    anna.follow("Post 3 EUR?")
    assert list(anna.seen.buttons) == ["Approve", "Reject"]


def test_a_list_may_be_empty_and_may_be_long(store: Store, ask: Callable[..., Run]) -> None:
    anna = Visitor(store, inbox_link(store, "anna"))
    assert "nothing waits for you" in anna.get().text
    flow = Flow("many")
    for number in range(120):
        flow.approval(f"ok{number}", f"Number {number}?")
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting, 30)
    seen = anna.get()
    assert "120 wait for you" in seen.text
    found = [anna.seen.text.count("Number ")]
    for _ in range(2):
        anna.follow(" more")
        found.append(anna.seen.text.count("Number "))
    assert found == [50, 50, 20]
    anna.follow("Earlier ones")
    run.cancel()


def test_the_link_to_a_run_leads_to_what_it_asks_or_shows_its_course(store: Store, ask: Callable[..., Run]) -> None:
    run = ask()
    anyone = Visitor(store, run_link(store, run.id))
    seen = anyone.get()
    assert "This link is for whoever holds it." in seen.text
    assert list(seen.buttons) == ["Approve", "Reject"]
    seen = anyone.press("Approve")
    assert "Approved" in seen.text
    run.result(5)
    decided = one_request(store).decision
    assert isinstance(decided, ev.ApprovalDecided)
    assert (decided.by, decided.via) == ("whoever has the link", "link")
    again = Visitor(store, run_link(store, run.id)).get()
    assert f"Run {run.id} is completed." in again.text
    assert isinstance(again, Read)


def test_a_run_that_asks_named_people_does_not_show_its_question_to_whoever_has_its_link(
    store: Store, ask: Callable[..., Run]
) -> None:
    run = ask("Post 3 EUR?", approvers=["anna"])
    seen = Visitor(store, run_link(store, run.id)).get()
    assert "Post 3 EUR?" not in seen.text
    assert seen.has("li", data_flownb_node="ok", data_status="waiting")
    assert urlsplit(str(run_link(store, run.id))).path.startswith("/f/r/")
