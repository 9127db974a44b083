"""A run on the other canvas: what can be seen and done with the usual one, for graphs that are small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.browser.jupyter import expect
from tests.browser.test_questions import STORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

#: The graph that cytoscape keeps with the element in which it draws.
GRAPH = """() => {
  const box = [...document.querySelectorAll('.flownb-canvas')].find(each => each._cyreg);
  return box?._cyreg.cy;
}"""


def shown(page: Page) -> dict[str, Any]:
    """What the canvas shows: each node's look and label, and how many edges there are."""
    found: dict[str, Any] = page.evaluate(
        f"""() => {{
          const graph = ({GRAPH})();
          const nodes = graph ? graph.nodes().map(each => [each.id(), [each.data('look'), each.data('label')]]) : [];
          return {{nodes: Object.fromEntries(nodes), edges: graph?.edges().length}};
        }}"""
    )
    return found


def wait_for_look(page: Page, node: str, look: str) -> None:
    page.wait_for_function(
        f"([node, look]) => ({GRAPH})()?.getElementById(node).data('look') === look", arg=[node, look]
    )


def click(page: Page, node: str) -> None:
    """Click where the canvas draws a node."""
    where = page.evaluate(
        f"""node => {{
          const graph = ({GRAPH})();
          const box = graph.container().getBoundingClientRect();
          const {{x, y}} = graph.getElementById(node).renderedPosition();
          return [box.left + x, box.top + y];
        }}""",
        node,
    )
    page.mouse.click(*where)


def test_the_story_passes_with_it(notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]) -> None:
    opened = notebook(STORY, "run = flow.run(display=False)\nrun.view(renderer='cytoscape')", "6 * 7")
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_contain_text("Post 4821.5 EUR from 2 invoices?")
    expect(page.locator(".jp-OutputArea-executeResult")).to_contain_text("42")
    wait_for_look(page, "ok", "waiting")
    before = shown(page)
    assert before["nodes"].keys() == {"load", "total", "big", "ok", "post"}
    assert before["nodes"]["load"] == ["completed", "load\n✓ 2 rows"]
    assert before["edges"] >= 5
    expect(page.locator(".react-flow")).to_have_count(0)

    click(page, "total")
    expect(page.locator(".fnb-tabbody")).to_contain_text("4821.5")
    shoot("cytoscape-question-light")
    card.locator('[data-action="approve"]').click()

    opened.wait_for_status("completed")
    wait_for_look(page, "post", "completed")
    assert "posted 4821.5" in shown(page)["nodes"]["post"][1]
    shoot("cytoscape-completed-light")
    opened.save_when(lambda made: "run completed" in str(made.cells[1].outputs))
