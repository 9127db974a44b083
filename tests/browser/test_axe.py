"""Who can't see, or has no mouse, reads the views too: axe finds nothing serious in them, in light and in dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.jupyter import THEMES, expect
from tests.browser.test_run_view import FLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

AXE = Path(__file__).parents[2] / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
RUNS = """
failed = flow.run(path="failed")
waits = Flow("waits")
waits.input("details", "Where does it belong?", preview="lines", form={
    "type": "object",
    "properties": {
        "centre": {"type": "string", "title": "Cost centre", "enum": ["4200 Operations", "4300 Sales"]},
        "share": {"type": "number", "title": "Share"},
        "now": {"type": "boolean", "title": "At once"},
    },
})

@waits.node
def lines():
    return [{"supplier": "Acme GmbH", "amount": 310.0}]

asked = waits.run()
running = flow.run(path="july")
"""
SERIOUS = {"serious", "critical"}


def found(page: Page, where: str) -> list[str]:
    """What axe holds against all that is there, as sentences."""
    result: dict[str, Any] = page.evaluate(
        "where => axe.run({include: [...document.querySelectorAll(where)]}, {resultTypes: ['violations', 'passes']})",
        where,
    )
    assert len(result["passes"]) > 10  # it did look
    return [
        f"{each['id']}: {each['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for each in result["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


@pytest.mark.usefixtures("node")
def test_nothing_serious_is_found_in_runs_questions_and_lists(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    opened = notebook(FLOW.replace('path == "bad"', 'path == "failed"'), RUNS, "import flownb\nflownb.home()")
    (opened.lab.folder / "failed").touch()
    opened.run_all()
    for status in ("failed", "paused", "running"):
        opened.wait_for_status(status)
    for view, node in ((0, "load"), (1, "lines")):
        page.locator(".flownb-run").nth(view).locator(f'[data-flownb-node="{node}"]').click()
        expect(page.locator(".flownb-run").nth(view).locator(".fnb-tabbody")).to_contain_text("Acme GmbH")
    page.locator(".flownb-run").nth(0).locator('[data-panel="timeline"]').click()
    page.locator(".flownb-run").nth(1).locator('[data-panel="events"]').click()
    expect(page.locator(".fnb-list, .flownb-list").first).to_be_visible()
    page.evaluate(AXE.read_text("utf-8"))
    for theme in THEMES:
        opened.command("apputils:change-theme", {"theme": THEMES[theme]})
        page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=THEMES[theme])
        assert found(page, ".fnb") == [], theme
        shoot(f"axe-{theme}")
    (opened.lab.folder / "july").touch()
