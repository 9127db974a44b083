"""A question as a page: every kind, every field, everything that can be shown, and text that means harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.model import events as ev
from flownb.run.waiting.decisions import audited
from flownb.services.links import inbox_link, link_to
from tests.unit.run.test_recovery import dead_owner, two_steps
from tests.unit.run.waiting.test_decisions import in_doubt
from tests.unit.server.visiting import Visitor, one_request
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Owner, Store

__all__ = ["dead_owner"]
FIELDS: dict[str, Any] = {
    "text": {"type": "string", "title": "A text", "description": "Any."},
    "long": {"type": "string", "maxLength": 500},
    "whole": {"type": "integer", "minimum": 3},
    "figure": {"type": "number", "default": 1.5},
    "day": {"type": "string", "format": "date"},
    "pick": {"enum": ["a", 2, None, "c"], "default": 2},
    "yes": {"type": "boolean", "default": True},
    "no": {"type": "boolean"},
    "mail": {"type": "string", "format": "email"},
    "list": {"type": "array", "items": {"type": "integer"}},
    "n": {"type": "integer"},
    "n n": {"type": "integer"},
}
FORM = {
    "properties": FIELDS,
    "required": ["text", "whole", "yes"],
    "additionalProperties": False,
}


def opened(store: Store, person: str = "anna") -> Visitor:
    visitor = Visitor(store, link_to(store, one_request(store), person))
    visitor.get()
    return visitor


# --- forms ------------------------------------------------------------------------------------------------------------


def test_every_field_of_a_form_is_a_field_of_the_page(store: Store, ask: Callable[..., Run]) -> None:
    run = ask("What?", kind="input", form=FORM)
    anna = opened(store)
    assert list(anna.seen.buttons) == ["Send"]
    keys = {name: f"f{number}" for number, name in enumerate(FIELDS)}
    assert anna.seen.has("input", type="date", id=keys["day"])
    assert anna.seen.has("input", type="email", id=keys["mail"])
    assert anna.seen.has("input", type="checkbox", id=keys["yes"], checked=None)
    assert anna.seen.has("textarea", id=keys["long"])
    assert (anna.seen.fields[keys["figure"]], anna.seen.fields[keys["pick"]]) == ("1.5", "1")
    filled = {
        "text": "  kept as it is ", "long": "two\r\nlines", "whole": "1 000", "figure": "2,5", "day": "2026-07-31",
        "pick": "2", "mail": "a@b.c", "list": "[1, 2]",
    }  # fmt: skip
    anna.press("Send", **{keys[name]: value for name, value in filled.items()})
    assert run.result(5)["ok"] == {
        "text": "  kept as it is ", "long": "two\nlines", "whole": 1000, "figure": 2.5, "day": "2026-07-31",
        "pick": "c", "yes": True, "no": False, "mail": "a@b.c", "list": [1, 2],
    }  # fmt: skip


def test_each_fault_stands_beside_its_field_and_what_was_filled_in_stays(store: Store, ask: Callable[..., Run]) -> None:
    ask("What?", kind="input", form=FORM)
    anna = opened(store)
    filled = {
        "f0": "", "f2": "two", "f3": "1,234", "f4": "tomorrow", "f5": "77", "f8": "nobody", "f9": "[1", "f10": "x",
        "f11": "y", "comment": "my comment",
    }  # fmt: skip
    del anna.seen.fields["f6"]  # the box is not ticked any more
    seen = anna.press("Send", **filled)
    assert seen.status == 422
    for key, why in {
        "f0": "This is needed.",
        "f2": "This is 'two', and should be a whole number.",
        "f3": "This is '1,234', and should be a number.",  # thousands, or a fraction?
        "f4": "This is 'tomorrow', and should be a date as 2026-07-31.",
        "f5": "This is '77', and should be one of 'a', 2, None, 'c'.",
        "f8": "This is 'nobody', and should be a mail address.",
        "f9": "This is '[1', and should be a list.",
        "f10": "This is 'x', and should be a whole number.",
        "f11": "This is 'y', and should be a whole number.",
    }.items():
        assert seen.has("span", class_="wrong", id=f"{key}-wrong"), key
        assert why in seen.text
    assert {key: seen.fields[key] for key in filled if key != "f5"} == {k: v for k, v in filled.items() if k != "f5"}
    assert "f6" not in seen.fields
    assert sum(1 for _, found in seen.tags if "autofocus" in found) == 1
    assert one_request(store).status == "pending"
    refused = [event for _, event in audited(store, one_request(store).run) if isinstance(event, ev.ApprovalRefused)]
    assert len(refused) == 1


def test_a_form_is_not_asked_for_by_those_who_say_no(store: Store, ask: Callable[..., Run]) -> None:
    ask(form=FORM)
    anna = opened(store)
    seen = anna.press("Reject", f2="two")
    assert "Rejected" in seen.text
    assert getattr(one_request(store).decision, "data", "?") is None


def test_answers_that_the_question_does_not_offer_are_refused(store: Store, ask: Callable[..., Run]) -> None:
    ask()
    anna = opened(store)
    for port in ("", "aproved", "expired", "main", "skip"):
        anna.seen.buttons["Other"] = port
        seen = anna.press("Other", comment="kept")
        assert (seen.status, "can't be answered with" in seen.text, seen.fields["comment"]) == (422, True, "kept")
    assert one_request(store).status == "pending"
    seen = anna.press("Approve", comment="x" * 4_001)
    assert (seen.status, "4,000 are the most" in seen.text) == (422, True)


def test_a_node_in_doubt_is_answered_with_its_value(store: Store, dead_owner: Owner) -> None:
    store.register(dead_owner)
    run, _ = in_doubt(two_steps([], on_crash="ask"), store, dead_owner)
    anna = opened(store)
    assert list(anna.seen.buttons) == ["Run it again", "It was done", "It failed"]
    assert "is no JSON" in anna.press("It was done", value="{").text
    assert "Answered: It was done" in anna.press("It was done", value='{"sent": 3}').text
    wait_for(lambda: run.status == "completed")
    assert run["second"].output == {"sent": 3}


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_whatever_is_shown_is_shown_as_what_it_is(store: Store, ask: Callable[..., Run]) -> None:
    import pandas as pd
    from PIL import Image

    def shown(value: Any) -> Any:
        run = ask("Fine?", shown=value)
        row = store.approvals(run=run.id)[0]
        return Visitor(store, link_to(store, row, "anna")).get()

    frame = pd.DataFrame({"name": list("abcde"), "n": [1, 2, 3, 4, 5], "x": [0.5, 1234.25, 1 / 3, None, 0.0]})
    seen = shown(frame)
    assert "3 of 5 rows" in seen.text
    for words in ("1,234.25", "0.333333333333", "Show all", "float64"):
        assert words in seen.text
    assert seen.has("td", class_="one", data_name="name")
    assert seen.has("td", class_="two r", data_name="x")
    assert shown(pd.DataFrame({"a": []})).status == 200
    assert shown(pd.DataFrame({"a": range(1_000)})).text.count("Show 20 of 1,000") == 1
    assert any(
        str(found.get("src")).startswith("data:image/png;base64,")
        for _, found in shown(Image.new("RGB", (40, 30))).tags
    )
    assert "Graz" in shown({"city": "Graz"}).text
    rows = shown([{"item": "tea", "n": 3}, {"item": "coffee", "n": None}] * 20)
    assert "3 of 40 rows" in rows.text
    assert rows.has("td", class_="one", data_name="item")
    assert rows.has("td", class_="two r", data_name="n")
    assert "20 of 90" in shown(list(range(90))).text
    assert "12" in shown(12).text
    assert "two lines" in shown("two\nlines").text
    assert shown("x" * 300_000).status == 200
    assert shown(b"\x00\x01").status == 200


def test_the_difference_of_two_values_is_shown_line_by_line(store: Store) -> None:
    flow = Flow("f")
    flow.node(lambda: {"name": "Brunner"}, id="old")
    flow.node(lambda: {"name": "<i>Brunner</i>"}, id="new")
    flow.approval("ok", "Fine?", preview={"before": "old", "after": "new"})
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting)
    seen = opened(store).seen
    assert "old → new" in seen.text
    assert seen.has("span", class_="a")
    assert seen.has("span", class_="d")
    assert '+ "name": "<i>Brunner</i>"' in seen.text
    assert not seen.has("i")


# --- text that means harm ---------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</textarea><script>alert(1)</script>",
    '" autofocus onfocus=alert(1) x="', "'><svg onload=alert(1)>", "javascript:alert(1)", "</title><script>",
    "</style><script>alert(1)</script>", "\u202egnp.exe", "\x1b[2J\x00\x07", "&lt;b&gt;",
    "<!--", "]]>", "<form action=https://evil.example>", "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>", "Ṫ" * 500, "x" * 5_000,
)  # fmt: skip
#: The elements that a page is made of, and the attributes that each of them may have.
ALLOWED = {
    "html", "head", "meta", "title", "link", "style", "body", "div", "main", "form", "input", "span", "svg", "path",
    "b", "h1", "h2", "p", "section", "pre", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "small",
    "details", "summary", "fieldset", "legend", "label", "select", "option", "textarea", "button", "img", "a", "ul",
    "ol", "li", "footer",
}  # fmt: skip


def is_harmless(seen: Any) -> None:
    assert {tag for tag, _ in seen.tags} <= ALLOWED
    for tag, found in seen.tags:
        assert not [name for name in found if name.startswith("on") or name in ("style", "srcdoc", "formaction")], tag
        for name in ("href", "src", "action"):
            value = found.get(name) or ""
            assert "evil" not in value
            assert ":" not in value.partition("/")[0] or value.startswith("data:")
        if tag == "form":
            assert (found["action"], found["method"]) == ("", "post")
    body = seen.page.body.partition("</style>")[2]
    assert not {"\x1b", "\x00", "\x07", "\u202e", "\ud800"} & set(body)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_text_that_means_harm_is_text(store: Store, number: int) -> None:
    text = HOSTILE[number]
    flow = Flow(text[:60].encode("ascii", "ignore").decode().replace("\x1b", "").replace("\x00", "").strip() or "f")
    flow.node(lambda: {text: [text]}, id="load")
    flow.node(lambda: text, id="other")
    sayable = text.encode("utf-8", "replace").decode()[:3_000]
    form = {
        "properties": {
            sayable: {"type": "string", "title": sayable, "description": sayable, "default": sayable},
            "pick": {"enum": [sayable, "other"], "title": sayable},
            "deep": {"type": "object", "title": sayable, "default": {sayable: sayable}},
        }
    }
    flow.node(lambda: {"question": text}, id="q")
    flow.approval(
        "ok", "{{ q.question }} ?", details="{{ q.question }}", form=form,
        preview=["load", "other", {"before": "load", "after": "other"}],
    )  # fmt: skip
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting or run.status == "failed")
    assert run.status == "paused", run.state.message
    anna = opened(store)
    is_harmless(anna.seen)
    listed = Visitor(store, inbox_link(store, "anna"))
    is_harmless(listed.get())
    is_harmless(listed.get(f"{listed.url}/run/{run.id}"))
    sayable = text.encode("utf-8", "replace").decode()[:3_000]
    seen = anna.press(
        "Approve", f1="9", f2="[", comment=sayable, f0=sayable
    )  # refused: shown again as it was filled in
    assert seen.status == 422
    is_harmless(seen)
    seen = anna.press("Reject", comment=sayable)
    assert seen.has("section", data_status="rejected")
    is_harmless(seen)


def test_a_person_whose_name_means_harm_is_a_name(store: Store, ask: Callable[..., Run]) -> None:
    ask(approvals_needed=2)
    for name in ("<script>alert(1)</script>", '"><b>'):
        visitor = opened(store, name)
        is_harmless(visitor.seen)
        is_harmless(visitor.press("Approve"))
    is_harmless(opened(store, "anna").seen)
