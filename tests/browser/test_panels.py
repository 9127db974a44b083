"""What the run view shows beside its nodes: data on edges, variables, breakpoints, outputs for the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

FLOW = """
from flownb import Flow
flow = Flow("rates")
flow.variable("rate", type="number", default=1.5)
flow.variable("token", type="string", secret=True, default="secret://smtp")

@flow.node
def load():
    return [{"supplier": "Acme GmbH", "amount": 310.0}, {"supplier": "Brunner", "amount": 500.0}]

@flow.node
def total(load):
    return {"amount": sum(each["amount"] for each in load), "rows": len(load)}

big = flow.condition("big", "total.amount > 1000")

@flow.node(after=big.true)
def alarm(total):
    return "alarm"

@flow.node(after=big.false)
def post(total):
    return f"posted {total['amount']}"

run = flow.run()
run.breakpoint("post")
"""


def test_edges_variables_breakpoints_and_outputs(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    start = FLOW.replace(
        "run = flow.run()", "ok = flow.approval('ok', 'Go?')\nflow.edge(ok.approved, 'load')\nrun = flow.run()"
    )
    opened = notebook(start)
    opened.run_all()
    opened.wait_for_status("paused")
    opened.node("post").scroll_into_view_if_needed()
    halt = page.locator('[data-breakpoint="post"]')
    expect(halt).to_have_attribute("data-on", "true")
    opened.node("total").hover()
    page.locator('[data-breakpoint="total"]').click()  # while the run rests
    expect(page.locator('[data-breakpoint="total"]')).to_have_attribute("data-on", "true")

    page.locator('[data-action="approve"]').click()
    expect(page.locator(".fnb-bar")).to_contain_text("Halted at a breakpoint")
    expect(opened.node("total")).to_have_attribute("data-status", "pending")
    shoot("panels-halted-light")
    page.locator('[data-action="step"]').click()
    expect(opened.node("total")).to_have_attribute("data-status", "completed")

    page.locator('[data-panel="variables"]').click()
    row = page.locator('[data-variable="rate"]')
    expect(row).to_contain_text("1.5")
    expect(page.locator('[data-variable="token"]')).not_to_contain_text("smtp")
    page.get_by_role("button", name="Change rate").click()
    field = page.get_by_label("Value of rate")
    field.fill("twelve")
    field.press("Enter")
    expect(row).to_contain_text("it must be number")
    shoot("panels-variables-light")
    field.fill("2.5")
    field.press("Enter")
    expect(row).to_contain_text("taken up when the run goes on")

    page.locator('[data-action="resume"]').click()
    expect(page.locator(".fnb-bar")).to_contain_text("Halted at a breakpoint")
    expect(row).to_contain_text("you, ")
    opened.node("post").click()
    opened.node("post").press("b")
    expect(halt).to_have_attribute("data-on", "false")
    page.locator('[data-action="resume"]').click()
    opened.wait_for_status("completed")

    page.locator('[data-edge="load.main->total.load"] .fnb-grip').dispatch_event("click")
    panel = page.locator("[data-edge-panel]")
    expect(panel).to_contain_text("total gets the value as load")
    expect(panel).to_contain_text("Acme GmbH")
    shoot("panels-edge-light")
    page.locator(".flownb-canvas").press("ArrowRight")  # to its end
    page.locator(".flownb-canvas").press("e")
    expect(panel).to_contain_text("total")

    opened.node("total").click()
    page.locator('[data-action="take"]').click()
    expect(page.locator(".fnb-take")).to_contain_text("total = dict")
    opened.execute("assert total == {'amount': 810.0, 'rows': 2}; print('taken')")
