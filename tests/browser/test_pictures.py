"""Pictures of the run view for people to look at: small, middle and large graphs, in every state, light and dark."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

pytestmark = pytest.mark.soak

START = """
import os, time
print("pid", os.getpid())
from flownb import Flow
flow = Flow("{count} nodes")
def make(i):
    wide = {wide}
    body = "raise ValueError('SMTP 421: the mail server refused it')" if {bad} == i else f"return {{i}}"
    source = f"def n{{i}}({{'' if i < wide else f'n{{i - wide}}'}}):\\n    {slow}\\n    {{body}}"
    names = {{}}
    exec(source, names)
    return names[f"n{{i}}"]
for i in range({count}):
    flow.node(make(i))
{more}
run = flow.run()
"""


PICTURES = [
    (state, count, theme)
    for count in (3, 60, 1000)
    for state in ("running", "failed", "waiting", "gone")
    for theme in ("light", "dark")
]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: "-".join(map(str, each)))
def test_a_picture(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], picture: tuple[str, int, str]
) -> None:
    state, count, theme = picture
    wide = {3: 1, 60: 6, 1000: 25}[count]
    more = ""
    if state == "waiting":
        more = f"ok = flow.approval('ok', 'Post 4 821.50 EUR from 12 invoices?', after='n{count - 1}')"
    slow = f"import time; time.sleep(120 if i == {count // 2 + 1} else 0)" if state == "running" else "pass"
    slow = slow.replace("i ==", "{i} ==")
    bad = count // 2 if state == "failed" else -1
    code = START.format(count=count, wide=wide, bad=bad, more=more, slow=slow)
    opened = notebook("# " + state, code, theme=theme)
    opened.run_all()
    opened.wait_for_status({"running": "running", "failed": "failed", "waiting": "paused", "gone": "completed"}[state])
    if state == "running":
        expect(opened.node(f"n{count // 2 + 1}")).to_have_attribute("data-status", "running")
    if state == "gone":
        pid = int(opened.save().cells[1].outputs[0]["text"].split()[1])
        os.kill(pid, signal.SIGKILL)
        page.wait_for_selector(".jp-Dialog")
        opened.dismiss()
        expect(page.locator('[data-notice="gone"]')).to_contain_text("flownb.attach(")
    opened.run_view().scroll_into_view_if_needed()
    page.locator(".flownb-run").evaluate("each => each.scrollIntoView({block: 'start'})")
    assert opened.covered() == []
    shoot(f"state-{count:04}-{state}-{theme}")


def test_five_thousand_nodes_are_usable(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None]
) -> None:
    code = START.format(count=5000, wide=100, bad=-1, more="", slow="pass")
    opened = notebook(code)
    opened.run_all()
    opened.wait_for_status("completed")
    expect(page.locator(".fnb-bars path.m-completed")).to_have_count(1)
    assert page.locator(".fnb-card").count() < 300
    page.locator(".flownb-run").evaluate("each => each.scrollIntoView({block: 'start'})")
    shoot("five-thousand-light")
    page.get_by_role("button", name="Find a node").click()
    page.get_by_role("searchbox", name="Find a node").fill("n4321")
    page.locator(".fnb-find [role=option]").first.click()
    expect(opened.node("n4321")).to_have_attribute("data-status", "completed")
    assert page.locator(".fnb-card").count() < 300
    slider = page.locator('[data-journal="slider"]')
    slider.fill("5000")
    expect(opened.run_view()).to_have_attribute("data-moment", "5000")
    shoot("five-thousand-past-light")
