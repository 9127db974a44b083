"""The slider under the canvas: a run as it was after any of its events, while it goes on beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.jupyter import expect
from tests.browser.test_run_view import FLOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook


def test_the_slider_shows_moments_of_the_journal_while_the_run_goes_on(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], lab_folder: Path
) -> None:
    opened = notebook(FLOW, "run = flow.run(path='sept')")
    opened.run_all()
    expect(opened.node("post")).to_have_attribute("data-status", "running")
    opened.node("total").click()
    expect(page.locator(".fnb-tabbody")).to_contain_text("810")
    slider = page.locator('[data-journal="slider"]')

    slider.fill("3")  # run_started, load started, what load printed

    expect(opened.run_view()).to_have_attribute("data-moment", "3")
    expect(opened.node("load")).to_have_attribute("data-status", "running")
    expect(opened.node("total")).to_have_attribute("data-status", "pending")
    expect(page.locator(".fnb-tabbody")).to_contain_text("No output")
    expect(page.locator('[data-action="pause"]')).to_be_disabled()
    shoot("three-past-light")

    slider.press("ArrowRight")
    expect(opened.run_view()).to_have_attribute("data-moment", "4")
    (lab_folder / "sept").touch()
    expect(page.locator(".fnb-journal .said")).to_contain_text("event 4 of 1")  # it has grown beneath
    expect(opened.node("post")).to_have_attribute("data-status", "pending")

    page.locator('[data-journal="now"]').click()

    opened.wait_for_status("completed")
    expect(opened.node("post")).to_have_attribute("data-status", "completed")
    expect(page.locator(".fnb-tabbody")).to_contain_text("810")
