"""Hostile text, and graphs that are large: shown, and nothing runs, nothing is asked for, nothing breaks."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from tests.browser.jupyter import expect
from tests.browser.poisons import EACH, TEXTS, WORKFLOWS, forged_outputs, poisons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.browser.jupyter import Lab, Notebook

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


class Canary:
    """A server that nobody has a reason to ask for anything."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  the names that the library wants

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def canary(page: Page, lab: Lab) -> Iterator[Canary]:
    """What poisons try to reach: neither it nor anybody but the server of the lab is asked by the page."""
    asked: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((lab.url, lab.url.replace("http", "ws", 1), "data:", "blob:", "about:")):
            asked.append(url)

    asks = lambda request: note(request.url)  # noqa: E731  the same object is taken off again
    page.on("request", asks)
    found = Canary()
    yield found
    found.close()
    page.remove_listener("request", asks)
    assert asked == []
    assert found.asked == []
    assert page.evaluate("window.hit") is None


#: What no text may have become.
ALIVE = (
    "script, iframe, style, object, embed, link, meta, base, video, audio, math, template, form, details, a, "
    "img:not([src^='data:image/png;base64,'])"
)
#: Goes through everything that a view can show of a run, and returns what stood there.
VISIT = """async view => {
  const told = [];
  const until = async (what, ready) => {
    for (let tries = 0; tries < 1500; tries++) {
      if (ready()) return;
      await new Promise(done => setTimeout(done, 20));
    }
    throw new Error(`${what} did not come in ${view.dataset.run}`);
  };
  const body = () => view.querySelector('.fnb-tabbody');
  told.push(view.innerText);
  for (const name of ['timeline', 'events']) {
    view.querySelector(`[data-panel="${name}"]`).click();
    await until(name, () => view.querySelector(name === 'events' ? '.fnb-events' : '.fnb-gantt'));
    told.push(view.innerText);
  }
  for (const card of view.querySelectorAll('[data-flownb-node="source"], [data-flownb-node^="fails"]')) {
    card.click();
    await until('node', () => card.getAttribute('aria-pressed') === 'true');
    const begins = card.dataset.status === 'failed' ? 'error' : 'output';
    await until('detail', () => view.querySelector(`[data-tab="${begins}"]`) && body()?.innerText.trim());
    for (const tab of view.querySelectorAll('[data-tab]')) {
      tab.click();
      await until('tab', () => tab.getAttribute('aria-selected') === 'true');
      told.push(body()?.innerText ?? '');
    }
  }
  return told.join('\\n');
}"""


def test_fifty_poisons_in_workflows_are_shown_as_text_run_nothing_and_ask_for_nothing(
    notebook: Callable[..., Notebook], page: Page, lab: Lab, canary: Canary
) -> None:
    (lab.folder / "poisons.json").write_text(json.dumps(poisons(canary.url)))
    begins = range(0, len(TEXTS), EACH)
    opened = notebook(WORKFLOWS, *(f"run = started({each})" for each in begins))
    opened.run_all()
    for place, begin in enumerate(begins, 1):
        cell = page.locator(".jp-Notebook .jp-Cell").nth(place)
        cell.scroll_into_view_if_needed()
        view = cell.locator(".flownb-run")
        expect(view).to_have_attribute("data-status", "paused")
        told = view.evaluate(VISIT)
        for number in range(begin, begin + EACH):
            assert f"Number {number}: " in told
            if len(TEXTS[number]) > 10_000:
                assert TEXTS[number][:20] in told
            else:  # as text to its end: what it sets or asks stands there
                assert told.count(f"'{number}'") + told.count(f"/{number}/") > 3, TEXTS[number]
        expect(view.locator(ALIVE)).to_have_count(0)


def test_poisons_in_saved_notebooks_run_nothing_and_ask_for_nothing(
    notebook: Callable[..., Notebook], page: Page, lab: Lab, canary: Canary
) -> None:
    outputs = forged_outputs(canary.url)
    forge(lab, "forged.ipynb", outputs, canary.url)
    opened = notebook("1")
    opened.close()
    opened.path = "forged.ipynb"
    opened.read()
    look_through(page, outputs)

    # What has the form of ours is shown by flownb itself where JupyterLab trusts a notebook.
    ours = [row for row in outputs if VIEW in row[0]["data"]]
    forge(lab, "trusted.ipynb", ours, canary.url)
    opened.close()
    opened.path = "trusted.ipynb"
    opened.read()
    look_through(page, ours)  # only then is there something to trust
    page.evaluate("() => { for (const each of jupyterapp.shell.currentWidget.model.cells) each.trusted = true }")
    expect(page.get_by_text("flownb.attach(").first).to_be_visible()
    look_through(page, ours)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_fifty_poisoned_notebooks_run_nothing_and_ask_for_nothing(
    notebook: Callable[..., Notebook], page: Page, lab: Lab, canary: Canary
) -> None:
    opened = notebook("1")
    for number, text in enumerate(poisons(canary.url)):
        stream = nbformat.v4.new_output("stream", text=text)
        error = nbformat.v4.new_output("error", ename=text[:300], evalue=text, traceback=[text])
        shown = {"text/plain": text, "image/png": text[:5_000], VIEW: {"model_id": text[:300], "version_major": 2}}
        lost = nbformat.v4.new_output("display_data", data=shown, metadata={"flownb": {"run": text}})
        outputs: list[list[dict[str, Any]]] = [[stream], [error], [lost]]
        forge(lab, f"poison{number}.ipynb", outputs, canary.url, text)
        opened.close()
        opened.path = f"poison{number}.ipynb"
        opened.read()
        look_through(page, outputs)
        assert page.evaluate("window.hit") is None, text
    print(f"{len(TEXTS)} notebooks opened; asked for: {canary.asked}")


VIEW = "application/vnd.jupyter.widget-view+json"


def forge(lab: Lab, name: str, outputs: list[list[dict[str, Any]]], canary: str, poison: str = "") -> None:
    """A saved notebook with poisons, or one, wherever one has text."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("run") for _ in outputs])
    poison = poison or " ".join(each[:300] for each in poisons(canary))
    made.metadata |= {
        "kernelspec": {"name": "python3", "display_name": poison, "language": "python"},
        "title": poison,
        "flownb": {"run": poison, "status": poison, "workflow": poison},
        "saved_from": poison,
    }
    for cell, row in zip(made.cells, outputs, strict=True):
        cell.outputs = row
        cell.metadata |= {"name": poison, "tags": [poison[:2_000]], "flownb": {"status": poison, "reason": poison}}
    nbformat.write(made, lab.folder / name)


def look_through(page: Page, outputs: list[list[dict[str, Any]]]) -> None:
    """See every output of the notebook."""
    cells = page.locator(".jp-Notebook .jp-Cell")
    expect(cells).to_have_count(len(outputs))
    for cell, row in zip(cells.all(), outputs, strict=True):
        cell.scroll_into_view_if_needed()
        expect(cell.locator(".jp-OutputArea-child")).to_have_count(len(row))


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
