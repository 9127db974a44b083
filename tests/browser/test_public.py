"""The public pages in a phone's browser: read, filled in and answered by a touch; light and dark, without a script."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.services.links import inbox_link, link_to, run_link
from flownb.store.place import open_store
from tests.browser.conftest import PATIENCE, SHOTS
from tests.unit.server.test_public import Served
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store

PHONE = {"width": 390, "height": 844}
FORM = {
    "properties": {
        "cost_centre": {
            "title": "Cost centre", "enum": ["4200 Operations", "4300 Sales"], "default": "4200 Operations",
        },
        "day": {"title": "Posting date", "type": "string", "format": "date", "default": "2026-07-31"},
        "lines": {"title": "Lines", "type": "integer", "minimum": 1, "description": "How many you have checked."},
        "paid": {"title": "It was paid already", "type": "boolean", "default": False},
    },
    "required": ["cost_centre", "day", "lines"],
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path}/.flownb/flownb.db")


@pytest.fixture
def served(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with Served(store) as serving:
        monkeypatch.setenv("FLOWNB_PUBLIC_URL", f"http://127.0.0.1:{serving.port}")
        yield serving


@pytest.fixture
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`phone(dark=True)` opens a page of a phone's size; what it loads beside its own address is a fault."""
    contexts, faults = [], []

    def open_page(*, dark: bool = False, size: Any = PHONE) -> Page:
        context = browser.new_context(
            viewport=size, color_scheme="dark" if dark else "light", java_script_enabled=False,
            has_touch=True, device_scale_factor=2,
        )  # fmt: skip
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda asked: faults.append(asked.url) if asked.resource_type != "document" else None)
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in faults if not each.startswith(("data:", "Failed to load resource"))] == []


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"public-{name}.png", full_page=True)


def fits(page: Page) -> bool:
    """Whether nothing sticks out at the right: asked of the protocol, because the page runs no script."""
    session = page.context.new_cdp_session(page)
    size = session.send("Page.getLayoutMetrics")["cssContentSize"]
    return bool(size["width"] <= page.viewport_size["width"])


def invoices(store: Store, **options: Any) -> Run:
    import pandas as pd

    flow = Flow("invoices")

    @flow.node
    def load() -> Any:
        rows = [
            ("Acme GmbH", "A-2107", "2026-07-01", 310.0), ("Acme GmbH", "A-2110", "2026-07-03", 930.0),
            ("Brunner & Sohn", "4711", "2026-07-09", 500.0), ("Brunner & Sohn", "4712", "2026-07-11", 486.5),
            ("Cantina Rossi", "R-88", "2026-07-14", 400.0), ("Dachdecker Ümit", "R-89", "2026-07-15", 2195.0),
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["supplier", "invoice", "date", "amount"])
        return frame.assign(date=pd.to_datetime(frame.date))

    question = "Post {{ sum([310.0, 930.0, 500.0, 486.5, 400.0, 2195.0]) }} EUR from {{ len(load.rows) }} invoices?"
    options = {"preview": "load", "form": FORM, "timeout": 85_300, "ports": ["escalate"], **options}
    ok = flow.approval("ok", question, approvers=["anna", "finance"], **options)
    flow.set_variable("post", "posted", "yes", after=ok.approved)
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting, 30)
    return run


def link(store: Store, run: Run, person: str = "anna") -> str:
    (row,) = store.approvals(run=run.id)
    return str(link_to(store, row, person))


def test_a_question_is_read_filled_in_and_approved_by_a_touch(
    store: Store, served: Served, phone: Callable[..., Page]
) -> None:
    run = invoices(store)
    page, url = phone(), link(store, run)
    page.goto(url)
    assert fits(page)
    shoot(page, "asking-light")
    night = phone(dark=True)
    night.goto(url)
    shoot(night, "asking-dark")
    wide = phone(size={"width": 1000, "height": 800})
    wide.goto(url)
    shoot(wide, "asking-wide")
    for button in page.locator("button").all():
        assert (button.bounding_box() or {"height": 0})["height"] >= 48
    for field in page.locator("input.fnb-in, select, textarea").all():
        assert (field.bounding_box() or {"height": 0})["height"] >= 44
    page.get_by_text("Show all").tap()
    assert page.get_by_text("Dachdecker Ümit").is_visible()
    page.get_by_label("Lines").fill("0")
    page.get_by_label("Cost centre").select_option("4300 Sales")
    page.get_by_label("Comment").fill("Checked against the statement.")
    page.get_by_role("button", name="Approve").tap()
    page.locator("#f2-wrong", has_text="should be at least 1").wait_for()
    assert fits(page)
    shoot(page, "refused-light")
    assert store.approvals(run=run.id)[0].status == "pending"
    assert page.get_by_label("Comment").input_value() == "Checked against the statement."
    page.get_by_label("Lines").fill("6")
    page.get_by_label("It was paid already").tap()
    begun = time.monotonic()
    page.get_by_role("button", name="Approve").tap()
    page.locator(".flownb-approval[data-status=approved]").wait_for()
    wait_for(lambda: run.status == "completed")  # the kernel that has the run goes on with it
    assert time.monotonic() - begun < 5
    assert run["ok"].output["data"] == {
        "cost_centre": "4300 Sales", "day": "2026-07-31", "lines": 6, "paid": True,
    }  # fmt: skip
    page.reload()
    assert "Approved" in page.locator("h1").inner_text()
    shoot(page, "approved-light")
    night.reload()
    shoot(night, "approved-dark")


def test_other_kinds_and_ways_to_end_look_as_they_should(
    store: Store, served: Served, phone: Callable[..., Page]
) -> None:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (640, 360), "#f2f4f7")
    ImageDraw.Draw(picture).rectangle((60, 60, 580, 300), fill="#56b4e9", outline="#0072b2", width=4)
    flow = Flow("match_suppliers")
    flow.node(lambda: picture, id="scan")
    flow.node(lambda: {"name": "Brunner", "city": "Graz", "vat": None}, id="old")
    flow.node(lambda: {"name": "Brunner & Sohn", "city": "Graz", "vat": "ATU123"}, id="new")
    shown = ["scan", {"before": "old", "after": "new"}, "new"]
    flow.decision(
        "pick", "Which of the two suppliers is meant by “Brunner”?", ["brunner_and_sohn", "brunner_kg", "neither"],
        preview=shown, details="The scan is bad.\nThe number could be either's.",
    )  # fmt: skip
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting, 30)
    for dark in (False, True):
        page = phone(dark=dark)
        page.goto(link(store, run))
        assert fits(page)
        shoot(page, f"decision-{'dark' if dark else 'light'}")
    page.get_by_role("button", name="Brunner kg").tap()
    page.locator("h1", has_text="Answered: Brunner kg").wait_for()
    late = invoices(store, timeout=1, form=None)
    url = str(link_to(store, store.approvals(run=late.id, pending=False)[0], "anna"))
    wait_for(lambda: store.approvals(run=late.id, pending=False)[0].status == "expired", 20)
    page.goto(url)
    shoot(page, "expired-dark")
    page.goto(url[:-1])
    assert "This link leads nowhere" in page.locator("h1").inner_text()
    shoot(page, "nowhere-dark")


def test_a_list_of_questions_leads_to_each_and_to_the_course_of_its_run(
    store: Store, served: Served, phone: Callable[..., Page]
) -> None:
    page, url = phone(), str(inbox_link(store, "anna"))
    page.goto(url)
    assert "nothing waits for you" in page.inner_text("main")
    shoot(page, "inbox-empty-light")
    first, second = invoices(store, timeout=1_800), invoices(store, form=None)
    page.goto(url)
    assert page.locator("a.row").count() == 2
    assert fits(page)
    shoot(page, "inbox-light")
    night = phone(dark=True)
    night.goto(url)
    shoot(night, "inbox-dark")
    page.locator("a.row").last.tap()
    page.get_by_role("link", name=f"run {second.id}").tap()
    page.locator("[data-flownb-node=load][data-status=completed]").wait_for()
    assert fits(page)
    shoot(page, "course-light")
    page.locator("a.row").tap()
    page.get_by_role("button", name="Reject").tap()
    page.get_by_role("link", name="All questions").tap()
    page.locator("a.row[data-status=rejected]").wait_for()
    shoot(page, "inbox-decided-light")
    page.goto(str(run_link(store, first.id)))
    assert "invoices" in page.locator("h1").inner_text()


def test_a_reviewer_changes_a_cell_and_leaves_a_row_out(
    store: Store, served: Served, phone: Callable[..., Page]
) -> None:
    flow = Flow("orders")
    flow.node(lambda: [{"item": "tea", "n": 3, "price": 1.5}, {"item": "coffee", "n": 1, "price": 2.0}], id="load")
    flow.review("checked", "Are the lines right?", preview="load", edits=True)
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting, 30)
    page = phone()
    page.goto(link(store, run))
    page.get_by_text("Edit the data").tap()
    page.get_by_label("n", exact=True).first.fill("many")
    page.get_by_role("button", name="Approve").tap()
    page.locator(".wrong", has_text="should be a whole number").wait_for()
    assert fits(page)
    shoot(page, "edits-light")
    page.get_by_label("n", exact=True).first.fill("4")
    page.get_by_label("Leave this row out").last.tap()
    page.get_by_role("button", name="Approve").tap()
    page.locator(".flownb-approval[data-status=approved]").wait_for()
    wait_for(lambda: run.status == "completed")
    assert run["checked"].output == [{"item": "tea", "n": 4, "price": 1.5}]
