"""The lists of a store under a cell: what runs ask people, and the runs, live, and with a way into each run."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

#: Each test has a store of its own, as runs of the tests before it would be listed as well.
STORE = "import os\nos.environ['FLOWNB_STORE'] = os.path.abspath('{name}.db')\nimport flownb\nfrom flownb import Flow\n"
FLOW = """
flow = Flow("invoices")

@flow.node
def load(month: str):
    return [{"supplier": "Acme GmbH", "amount": 310.0}, {"supplier": "Brunner & Sohn", "amount": 500.0}]

flow.approval("ok", "Post {{ month }} of {{ load.0.supplier }}?", preview="load")

@flow.node
def post(ok):
    return "posted"

import time
runs = []
for month in ("May", "June", "July"):
    runs.append(flow.run(month=month, display=False))
    while not runs[-1].approvals:  # so that they ask in this order
        time.sleep(0.01)
"""


def elsewhere(code: str, folder: Path, name: str) -> None:
    """Something that another process does with the store."""
    text = f"import os\nos.environ['FLOWNB_STORE'] = {str(folder / f'{name}.db')!r}\nimport flownb\n{code}"
    subprocess.run([sys.executable, "-c", text], check=True, cwd=folder, timeout=100)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_inbox_is_answered_in_its_lines_and_hears_of_answers_given_elsewhere(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path, shoot: Callable[[str], None], theme: str
) -> None:
    name = f"inbox-{theme}"
    opened = notebook(STORE.format(name=name), "flownb.inbox()", FLOW, theme=theme)
    opened.run_all()
    lines = page.locator(".flownb-inbox [data-request]")
    expect(lines).to_have_count(3)
    expect(lines.first).to_contain_text("Post May of Acme GmbH?")

    lines.first.locator("[data-row]").focus()
    page.keyboard.press("ArrowDown")
    expect(lines.nth(1).locator("[data-row]")).to_be_focused()
    page.keyboard.press("Enter")
    card = page.locator(".flownb-inbox .flownb-approval")
    expect(card).to_contain_text("Brunner & Sohn")
    shoot(f"inbox-few-{theme}")
    card.locator('[data-action="approve"]').click()
    expect(card).to_have_attribute("data-status", "approved")

    elsewhere("flownb.inbox()[0].reject(comment='from outside')", lab_folder, name)
    expect(page.locator('.flownb-inbox [data-request][data-status="pending"]')).to_have_count(1)
    elsewhere("flownb.inbox()[0].approve()", lab_folder, name)
    card_line = page.locator(".flownb-inbox [data-request]")
    expect(card_line).to_have_count(1)
    card_line.locator("[data-row]").click()
    expect(page.locator('[data-empty="requests"]')).to_be_visible()
    shoot(f"inbox-empty-{theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_home_and_runs_filter_search_and_open_a_run_below(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path, shoot: Callable[[str], None], theme: str
) -> None:
    name = f"home-{theme}"
    opened = notebook(STORE.format(name=name), "flownb.home()", "flownb.runs()", FLOW, theme=theme)
    opened.run_all()
    home, runs = page.locator(".flownb-home"), page.locator(".flownb-runs")
    expect(home.locator("[data-run-row]")).to_have_count(3)
    expect(runs.locator('[data-run-row][data-status="paused"]')).to_have_count(3)
    elsewhere("flownb.inbox()[0].approve()", lab_folder, name)
    expect(runs.locator('[data-filter="completed"]')).to_contain_text("1")
    shoot(f"home-few-{theme}")

    runs.locator('[data-filter="completed"]').click()
    expect(runs.locator("[data-run-row]")).to_have_count(1)
    runs.locator("[data-run-row]").click()
    view = runs.locator(".flownb-run")
    expect(view).to_have_attribute("data-status", "completed")
    expect(view.locator('[data-flownb-node="post"]')).to_contain_text("posted")
    view.scroll_into_view_if_needed()
    shoot(f"runs-opened-{theme}")
    runs.locator('[data-search="runs"]').fill("nothing like it")
    expect(runs.locator(".fnb-none")).to_contain_text("nothing like it")
