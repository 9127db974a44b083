"""A kernel that is busy with another cell: clicks reach their runs all the same, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from tests.browser.jupyter import Notebook

PAUSED = """
import os, time
from flownb import Flow
flow = Flow("paused while busy")

@flow.node
def work():
    while not os.path.exists("worked"):
        time.sleep(0.02)
    return 1

@flow.node
def last(work):
    return "went on"

run = flow.run()
"""
ASKING = """
import os, time
from flownb import Flow
flow = Flow("asked while busy")
flow.approval("ok", "Go on?")

@flow.node(after="ok.approved")
def last():
    return "went on"

run = flow.run()
"""
BUSY = """
while not os.path.exists("free-{name}"):
    time.sleep(0.1)
"""
TOLD = """
kinds = [type(each.event).__name__ for each in run.events()]
clicks = [each.event.message for each in run.events() if getattr(each.event, "ask", "")]
print("decisions", kinds.count("ApprovalDecided"), "pauses", kinds.count("RunPaused"), "clicks", len(clicks))
"""


def is_busy(page: Page) -> bool:
    """Whether the kernel works at a cell."""
    status = page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status")
    return bool(status == "busy")


def until_busy(page: Page) -> None:
    """The kernel has ended the first cell and works at the second."""
    expect(page.locator(".jp-Notebook .jp-InputPrompt").first).to_contain_text("1")
    page.wait_for_function("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'")


def told(page: Page) -> str:
    """What the last cell says of the journal, when the kernel has come to it."""
    output = page.locator(".jp-OutputArea-output pre", has_text="decisions")
    expect(output).to_be_visible()
    return str(output.inner_text()).strip()


def test_an_answer_goes_by_the_server_where_the_kernel_is_busy_and_counts_once(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path, shoot: Callable[[str], None]
) -> None:
    opened = notebook(ASKING, BUSY.format(name="answer"), TOLD)
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    until_busy(page)

    card.locator('[data-action="approve"]').click()

    opened.wait_for_status("completed")
    expect(card).to_have_attribute("data-status", "approved")
    expect(opened.node("last")).to_contain_text("went on")
    assert is_busy(page)
    (lab_folder / "free-answer").touch()
    assert told(page) == "decisions 1 pauses 1 clicks 0"
    expect(page.locator("[data-notice]")).to_have_count(0)


def test_a_pause_goes_by_the_server_and_is_not_obeyed_again_when_the_kernel_hears_of_it(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path
) -> None:
    opened = notebook(PAUSED, BUSY.format(name="pause"), TOLD)
    opened.run_all()
    expect(opened.node("work")).to_have_attribute("data-status", "running")
    until_busy(page)

    page.locator('.fnb-bar [data-action="pause"]').click()

    expect(page.locator(".fnb-bar")).to_have_attribute("aria-busy", "false")
    (lab_folder / "worked").touch()
    opened.wait_for_status("paused")
    assert is_busy(page)
    (lab_folder / "free-pause").touch()
    assert told(page) == "decisions 0 pauses 1 clicks 1"
    expect(page.locator("[data-notice]")).to_have_count(0)


def test_without_the_server_the_card_names_the_command_that_answers(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path, shoot: Callable[[str], None]
) -> None:
    def nobody(route: Route) -> None:
        route.fulfill(status=404, content_type="text/html", body="<html>404</html>")

    page.route("**/flownb/api/**", nobody)
    try:
        opened = notebook(ASKING, BUSY.format(name="alone"), TOLD)
        opened.run_all()
        card = page.locator(".flownb-approval")
        expect(card).to_have_attribute("data-status", "pending")
        approval = card.get_attribute("data-approval")
        card.locator('[data-action="approve"]').click()
        expect(card).to_contain_text(f"flownb approve {approval}")
        shoot("busy-without-server-light")
        (lab_folder / "free-alone").touch()
        expect(card).to_have_attribute("data-status", "approved")
        opened.wait_for_status("completed")
    finally:
        page.unroute("**/flownb/api/**", nobody)
