"""One run in many views, and views that outlive tabs, pages, connections and kernels."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.browser.jupyter import TOKEN, expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.jupyter import Lab, Notebook

FLOW = """
import os, time
from flownb import Flow
flow = Flow("views of {name}")

@flow.node
def work():
    while not os.path.exists("done-{name}"):
        time.sleep(0.02)
    return 1

flow.approval("ok", "Post it?", after=work)

@flow.node(after="ok.approved")
def post():
    return "posted"

run = flow.run()
"""


def test_a_run_in_ten_cells_and_a_second_browser_agree(
    notebook: Callable[..., Notebook], page: Page, lab: Lab, lab_folder: Path, browser: Browser
) -> None:
    opened = notebook(FLOW.format(name="ten"), *["run.view()"] * 9)
    opened.run_all()
    views = page.locator(".flownb-run")
    expect(views).to_have_count(10)
    expect(page.locator('.flownb-run[data-status="running"]')).to_have_count(10)
    opened.save()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    other = context.new_page()
    try:
        other.goto(f"{lab.url}/lab/workspaces/second/tree/{opened.path}?token={TOKEN}")
        expect(other.locator('.flownb-run[data-status="running"]').first).to_be_visible(timeout=90_000)

        (lab_folder / "done-ten").touch()
        expect(page.locator('.flownb-approval[data-status="pending"]')).to_have_count(10)
        other.locator('.flownb-approval[data-status="pending"] [data-action="approve"]').first.click()

        expect(page.locator('.flownb-run[data-status="completed"]')).to_have_count(10)
        expect(page.locator('.flownb-approval[data-status="approved"]')).to_have_count(10)
        expect(other.locator('.flownb-run[data-status="completed"]').first).to_be_visible(timeout=90_000)
    finally:
        context.close()


def test_a_view_is_there_again_when_its_tab_was_closed_and_its_connection_was_lost(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path
) -> None:
    opened = notebook(FLOW.format(name="tab"))
    opened.run_all()
    expect(opened.node("work")).to_have_attribute("data-status", "running")
    opened.save()
    opened.command("application:close")
    expect(page.locator(".flownb-run")).to_have_count(0)
    opened.command("docmanager:open", {"path": opened.path})
    opened.wait_for_kernel()
    expect(opened.node("work")).to_have_attribute("data-status", "running")

    page.evaluate(
        """() => {
          const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          return kernel.reconnect();
        }"""
    )
    (lab_folder / "done-tab").touch()

    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    card.locator('[data-action="approve"]').click()
    opened.wait_for_status("completed")
    expect(opened.node("post")).to_have_attribute("data-status", "completed")


def test_a_run_whose_kernel_was_killed_is_attached_and_answered_in_the_next(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path, shoot: Callable[[str], None]
) -> None:
    (lab_folder / "done-killed").touch()
    opened = notebook(FLOW.format(name="killed"), "print('pid', os.getpid())", "import flownb")
    opened.run_all()
    expect(page.locator(".flownb-approval")).to_have_attribute("data-status", "pending")
    run = page.locator(".flownb-run").get_attribute("data-run")
    pid = int(page.locator(".jp-OutputArea-output pre", has_text="pid").inner_text().split()[1])

    os.kill(pid, signal.SIGKILL)

    page.wait_for_selector(".jp-Dialog")
    opened.dismiss()
    gone = page.locator('[data-notice="gone"]')
    expect(gone).to_contain_text(f'flownb.attach("{run}")')
    expect(page.locator('.flownb-approval [data-action="approve"]')).to_be_disabled()
    shoot("killed-while-waiting-light")

    opened.wait_for_kernel()
    opened.command("notebook:insert-cell-below")
    opened.command("notebook:replace-selection", {"text": f'import flownb\nflownb.attach("{run}")'})
    opened.command("notebook:run-cell")
    fresh = page.locator(f'.flownb-run[data-run="{run}"]:not(:has([data-notice="gone"]))')
    card = fresh.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    card.locator('[data-action="approve"]').click()
    expect(card).to_have_attribute("data-status", "approved")
    fresh.locator('.fnb-bar [data-action="resume"]').click()
    expect(fresh).to_have_attribute("data-status", "completed")
