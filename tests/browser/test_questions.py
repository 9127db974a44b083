"""What a run asks people, under its cell: answered there, by mouse and by keyboard, and shown as answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

STORY = """
import pandas as pd
from flownb import Flow
flow = Flow("invoices")

@flow.node
def load():
    return pd.DataFrame({"supplier": ["Acme GmbH", "Brunner & Sohn"], "amount": [310.0, 4511.5]})

@flow.node
def total(load):
    return {"amount": float(load.amount.sum()), "rows": len(load)}

big = flow.condition("big", "total.amount > 1000")
ok = flow.approval("ok", "Post {{ total.amount }} EUR from {{ total.rows }} invoices?", after=big.true, preview="load")

@flow.node(after=[ok.approved, big.false])
def post(total):
    return f"posted {total['amount']}"
"""
FORM = """
from flownb import Flow
flow = Flow("details")
flow.input("details", "Where does it belong?", form={
    "type": "object",
    "properties": {
        "centre": {"type": "string", "title": "Cost centre", "enum": ["4200 Operations", "4300 Sales"]},
        "share": {"type": "number", "title": "Share", "minimum": 0, "maximum": 1},
    },
    "required": ["centre"],
})

@flow.node
def booked(details):
    return f"{details['centre']} at {details['share']}"
"""


def test_the_story_is_approved_under_its_cell_while_another_cell_runs(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    opened = notebook(STORY, "run = flow.run()", "6 * 7")
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    expect(card).to_contain_text("Post 4821.5 EUR from 2 invoices?")
    expect(card).to_contain_text("Brunner & Sohn")
    expect(opened.node("ok")).to_have_attribute("data-status", "waiting")
    expect(page.locator(".jp-OutputArea-executeResult")).to_contain_text("42")
    card.scroll_into_view_if_needed()
    shoot("question-open-light")

    card.get_by_placeholder("Why, in a few words").fill("Checked against the bank statement.")
    card.locator('[data-action="approve"]').click()

    opened.wait_for_status("completed")
    expect(card).to_have_attribute("data-status", "approved")
    expect(card).to_contain_text("Checked against the bank statement.")
    expect(opened.node("post")).to_contain_text("posted 4821.5")
    shoot("question-answered-light")


def test_a_question_is_rejected_by_a_letter_and_what_waited_for_it_is_skipped(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    opened = notebook(STORY, "run = flow.run()", theme="dark")
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    card.scroll_into_view_if_needed()
    shoot("question-open-dark")

    card.focus()
    card.press("r")

    expect(card).to_have_attribute("data-status", "rejected")
    expect(opened.node("post")).to_have_attribute("data-status", "skipped")
    opened.wait_for_status("completed")


def test_a_form_says_what_is_missing_and_sends_what_was_filled_in(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    opened = notebook(FORM, "run = flow.run()")
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    send = card.locator("button.primary")
    send.click()
    expect(card).to_contain_text("This is needed.")
    card.get_by_label("Cost centre").select_option("4300 Sales")
    card.get_by_label("Share").fill("0.5")
    shoot("question-form-light")

    send.click()

    opened.wait_for_status("completed")
    expect(opened.node("booked")).to_contain_text("4300 Sales at 0.5")


def test_an_answer_from_elsewhere_shows_at_once(notebook: Callable[..., Notebook], page: Page) -> None:
    code = "run.decide(next(iter(run.state.approvals)), comment='by code')"
    opened = notebook(STORY, "run = flow.run()")
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    opened.execute(code)
    expect(card).to_have_attribute("data-status", "approved")
    opened.wait_for_status("completed")


REVIEW = """
import pandas as pd
from flownb import Flow
flow = Flow("review")

@flow.node
def load():
    return pd.DataFrame({"supplier": ["Acme GmbH", "Brunner & Sohn"], "rows": [3, 4]})

checked = flow.review("checked", "Are the lines right?", preview="load", edits=True)

@flow.node(after=checked.approved)
def post(checked):
    return f"posted {checked['rows'].sum()} rows, {checked['rows'].dtype}"
"""


def test_a_reviewer_changes_cells_is_refused_what_does_not_fit_and_approves_with_changes(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    opened = notebook(REVIEW, "run = flow.run()")
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    card.locator('[data-action="edit"]').click()
    cell = card.get_by_label("rows, row 1")
    cell.fill("many")
    approve = card.locator('[data-action="approve"]')
    expect(approve).to_contain_text("with changes")
    approve.click()
    expect(card.get_by_role("alert")).to_contain_text("rows")
    expect(card).to_have_attribute("data-status", "pending")
    shoot("question-edits-light")
    cell.fill("5")
    card.focus()
    card.press("a")
    opened.wait_for_status("completed")
    expect(opened.node("post")).to_contain_text("posted 8 rows, int64")
