"""Hostile text, and graphs that are large: shown, and nothing runs, nothing is asked for, nothing breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

HOSTILE = r"""
from flownb import Flow
EVIL = [
    "<script>window.hit = 1</script>", "<img src='http://192.0.2.1/a.png' onerror='window.hit = 2'>",
    "<svg onload='window.hit = 3'><image href='http://192.0.2.1/b.svg'/></svg>", "[x](javascript:window.hit=4)",
    "<iframe src='http://192.0.2.1/'></iframe>", "{{ 7 * 7 }}", "\u202egnp.exe", "${window.hit=5}", "\x1b[31m\x00",
    "</script><style>@import 'http://192.0.2.1/c.css';</style>", "<a href='http://192.0.2.1/d'>here</a>",
]
ALL = " ".join(EVIL)
flow = Flow("hostile " + ALL)

@flow.node(name=ALL[:300])
def source(text: str, ctx):
    print(ALL)
    ctx.status(ALL)
    return {each: each for each in EVIL}

@flow.node
def frame(source):
    import pandas as pd
    return pd.DataFrame({each: EVIL for each in EVIL})

@flow.node
def huge(source):
    return "<b>" + "y" * 3_000_000

flow.approval("ok", "Sure? " + "%s", details=ALL, preview=["frame", "source"], ports=["other"])

@flow.node(on_error="continue")
def fails(frame):
    raise ValueError(ALL)

run = flow.run(text=ALL)
""".replace('"Sure? " + "%s"', "\"Sure? <script>window.hit = 6</script><img src='http://192.0.2.1/q.png'>\"")

MANY = """
from flownb import Flow
flow = Flow("many")
def make(i):
    source = f"def n{i}({'' if i < 10 else f'n{i - 10}'}): return {i}"
    names = {}
    exec(source, names)
    return names[f"n{i}"]
for i in range(1000):
    flow.node(make(i))
run = flow.run()
"""


def test_hostile_text_is_shown_as_text_runs_nothing_and_asks_for_nothing(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    opened = notebook(HOSTILE)
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_contain_text("<script>window.hit = 6</script>")
    expect(opened.node("fails")).to_have_attribute("data-status", "failed")
    for node, tab, text in [
        ("source", "output", "<iframe src="), ("source", "log", "onerror="), ("source", "inputs", "javascript:"),
        ("frame", "output", "<svg onload="), ("huge", "output", "<b>yyy"), ("fails", "error", "@import"),
        ("fails", "attempts", "failed"), ("fails", "config", "type"),
    ]:  # fmt: skip
        opened.node(node).click()
        opened.tab(tab)
        expect(page.locator(".fnb-tabbody")).to_contain_text(text)
    page.locator('[data-panel="events"]').click()
    expect(page.locator(".fnb-events")).to_contain_text("node_failed")
    shoot("hostile-light")
    assert page.evaluate("window.hit") is None
    for live in ("script", "iframe", "style", "a[href]", "img:not([src^='data:'])"):
        expect(page.locator(f".flownb-run {live}")).to_have_count(0)
    # The `page` fixture fails the test if anything was asked of another machine.


def test_a_thousand_nodes_are_drawn_and_end_right(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    opened = notebook(MANY)
    opened.run_all()
    opened.wait_for_status("completed")
    expect(page.locator(".fnb-bar")).to_contain_text("1\u202f000/1\u202f000")
    expect(opened.node("n999")).to_have_attribute("data-status", "completed")
    shoot("thousand-light")
    page.get_by_role("button", name="Find a node").click()
    page.get_by_role("searchbox", name="Find a node").fill("n777")
    page.locator(".fnb-find [role=option]").first.click()
    expect(opened.node("n777")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".fnb-tabbody")).to_contain_text("777")
    shoot("thousand-found-light")
