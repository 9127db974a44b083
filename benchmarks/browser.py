"""What people see, in a real JupyterLab and Chromium: how soon, how often, and what it costs the engine.

    python -m benchmarks.run --only browser

It needs what the browser tests need (`scripts/setup --lab --apt chromium`). Everything is on this one machine, browser
and kernel included, so a slow machine is slow for both.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import SMOKE, Row, Size, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.jupyter import Notebook

GROUP = "browser"
#: Seconds until 1,000 nodes are drawn, messages a second, what a view may cost, seconds to a decision.
_DRAWN, _FRAMES, _SLOWER, _DECIDED = 2.0, 20.0, 1.05, 0.1

GRAPH = """
import json, threading, time
from flownb import Flow
from IPython.display import display

def graph(count, width=20):
    flow = Flow(f"{count} nodes")
    def make(i):
        names = {}
        exec(f"def n{i}({'' if i < width else f'n{i - width}'}): return {i}", names)
        return names[f"n{i}"]
    for i in range(count):
        flow.node(make(i))
    run = flow.run(store="memory:", display=False)
    run.result()
    return run

def tell(value):
    with open("told.json", "w") as file:
        json.dump(value, file)
"""
CYTOSCAPE = """
from flownb.widgets import views
views.MOST_NODES = 10_000
"""
FLOOD = """
gate = threading.Event()
flood = Flow("flood")

@flood.node
def items():
    gate.wait()
    return list(range(COUNT))

with flood.loop("each", over="items", concurrency=64) as each:
    @flood.node
    async def work(item):
        return item

@flood.node
def last(each):
    return len(each)

run = flood.run(store="memory:")
"""
WORK = """
import flownb.notebook.display as pictures
work = Flow("work")

def busy():
    end = time.thread_time() + 0.002
    while time.thread_time() < end:
        sum(range(100))

@work.node
def n0():
    gate.wait()

def make(i):
    names = {"busy": busy}
    exec(f"def n{i}(n{i - 1}): busy()", names)
    return names[f"n{i}"]

for i in range(1, COUNT):
    work.node(make(i))

def begin(seen):
    global gate, run
    pictures.finish()  # those of the turn before
    gate = threading.Event()
    run = work.run(store="memory:", display=False)
    if seen:
        display(run.view())

def finish():
    started, before = time.time(), time.process_time()
    gate.set()
    run.result()
    tell([run.state.finished_at - started, time.process_time() - before])
"""
ASKS = """
asks = Flow("asks")
before = []
for i in range(COUNT):
    before = [asks.approval(f"ok{i}", f"Number {i}?", after=before).approved]
run = asks.run(store=f"sqlite:///{FOLDER}/asks.db")
"""
COUNT_MESSAGES = """() => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  window.counted = [];
  kernel.iopubMessage.connect((_, message) => {
    const data = message.content.data;
    if (message.header.msg_type !== 'comm_msg' || data?.method !== 'custom') return;
    window.counted.push([performance.now() / 1000, data.content.kind, data.content.number ?? 0]);
  });
}"""
#: Seconds from asking the kernel to show something until it is painted.
DRAW = """([code, drawn]) => new Promise((done, fail) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const cells = jupyterapp.shell.currentWidget.content;
  const before = performance.now();
  const patience = setTimeout(() => fail(new Error('it was not drawn within 60 s')), 60000);
  const look = () => {
    if (!eval(drawn)) return requestAnimationFrame(look);
    clearTimeout(patience);
    requestAnimationFrame(() => requestAnimationFrame(() => done((performance.now() - before) / 1000)));
  };
  const cell = cells.widgets[cells.widgets.length - 1];
  cell.model.sharedModel.setSource(code);
  cells.activeCellIndex = cells.widgets.length - 1;
  void jupyterapp.commands.execute('notebook:run-cell');
  requestAnimationFrame(look);
})"""
OURS = "document.querySelectorAll('.flownb-canvas [data-flownb-node]').length > 0"
THEIRS = """(() => {
  const box = [...document.querySelectorAll('.flownb-canvas')].find(each => each._cyreg);
  const graph = box?._cyreg.cy;
  return graph && graph.nodes().length === NODES && graph.edges().length === EDGES;
})()"""


def rows(size: Size) -> Iterator[Row]:
    """All figures; a row without one says why."""
    if why := _missing(size):
        yield Row(GROUP, "views in JupyterLab", note=why)
        return
    with notebook() as opened:
        yield from drawing(opened, 3 if size.name == "quick" else 5)
        yield from flood(opened, 50_000)
        yield slowdown(opened, 5 if size.name == "quick" else 9)
        yield clicks(opened, 15)


def _missing(size: Size) -> str:
    if size.name == SMOKE.name:
        return "not in the smallest case"
    for name in ("playwright", "jupyterlab", "anywidget"):
        if find_spec(name) is None:
            return f"needs {name}: scripts/setup --lab"
    from tests.browser.conftest import chromium

    return "" if chromium() else "needs Chromium: scripts/setup --apt chromium"


@contextmanager
def notebook() -> Iterator[Notebook]:
    """A notebook in a page, as somebody sits before it."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, PATIENCE, chromium, load
    from tests.browser.jupyter import Notebook, open_lab

    with (
        tempfile.TemporaryDirectory(prefix="flownb-bench-") as folder,
        open_lab(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS, timeout=PATIENCE)
        page = load(browser, lab)
        opened = Notebook(lab, page, "bench", [""])
        opened.open()
        opened.execute(GRAPH)
        yield opened
        opened.close()
        browser.close()


def drawing(opened: Notebook, rounds: int) -> Iterator[Row]:
    """Graphs that have run, shown: from the cell to the picture, each in a fresh cell."""
    ours: dict[int, float] = {}
    for count in (300, 1_000):
        opened.execute(f"run = graph({count})")
        ours[count] = statistics.median(_drawn(opened, "run.view()", OURS) for _ in range(rounds))
        aim = _DRAWN if count == 1_000 else None
        yield Row(GROUP, f"{count:,} nodes drawn", value=ours[count], aim=aim, aim_of="value")
    opened.execute(CYTOSCAPE)
    for count in (300, 1_000):
        opened.execute(f"run = graph({count})")
        drawn = THEIRS.replace("NODES", str(count)).replace("EDGES", str(count - 20))
        try:
            taken = statistics.median(_drawn(opened, "run.view(renderer='cytoscape')", drawn) for _ in range(2))
        except Exception as error:  # noqa: BLE001  that it never gets there is a finding
            yield Row(GROUP, f"{count:,} nodes drawn", who="ipycytoscape", note=str(error).splitlines()[0])
            continue
        beside = {"beside": "ours", "baseline": ours[count]}
        yield Row(GROUP, f"{count:,} nodes drawn", who="ipycytoscape", value=taken, **beside)


def _drawn(opened: Notebook, code: str, drawn: str) -> float:
    opened.page.evaluate("() => { void jupyterapp.commands.execute('notebook:clear-all-cell-outputs') }")
    opened.page.wait_for_function("() => document.querySelectorAll('.flownb-canvas').length === 0")
    taken: float = opened.page.evaluate(DRAW, [code, drawn])
    return taken


def flood(opened: Notebook, count: int) -> Iterator[Row]:
    """Twice as many events as rounds, as fast as the engine makes them."""
    _show(opened, FLOOD.replace("COUNT", str(count)))
    opened.page.wait_for_selector('.flownb-run[data-status="running"]')
    opened.page.evaluate(COUNT_MESSAGES)
    opened.execute("begun = time.time(); gate.set(); run.result(); tell([time.time() - begun, run.state.seq])")
    opened.page.wait_for_selector('.flownb-run[data-status="completed"]')
    opened.page.wait_for_selector('[data-flownb-node="last"][data-status="completed"]')
    seconds, events = _told(opened)
    news = [(at, number) for at, kind, number in opened.page.evaluate("window.counted") if kind == "news"]
    numbers = [number for _, number in news]
    check(numbers, list(range(numbers[0], numbers[0] + len(numbers))))  # none was lost
    bar = opened.page.locator(".fnb-bar").inner_text()
    check(f"{count + 3:,}".replace(",", "\u202f") in bar, expected=True)
    rate = len(news) / max(seconds, news[-1][0] - news[0][0])
    what = f"flood of {events:,} events in {seconds:.1f} s, messages a second"
    yield Row(GROUP, what, unit="", value=rate, aim=_FRAMES, aim_of="value", note="each arrived, and the end is right")


def slowdown(opened: Notebook, rounds: int) -> Row:
    """The same run with a view and without, taking turns in one kernel."""
    opened.execute("gate = None\n" + WORK.replace("COUNT", "300"))
    taken: tuple[list[list[float]], list[list[float]]] = ([], [])
    for turn in range(2 * rounds):
        seen = turn % 2 == 0
        _show(opened, f"begin({seen})")
        if seen:
            opened.page.wait_for_selector('.flownb-run[data-status="running"]')
        opened.execute("finish()")
        taken[0 if seen else 1].append(_told(opened))
    (with_view, busy), (without, alone) = (map(statistics.median, zip(*each, strict=True)) for each in taken)
    what, note = "300 nodes of 2 ms with a view", f"processor of the kernel {busy / alone:.2f}"
    return Row(GROUP, what, value=with_view, beside="without", baseline=without, aim=_SLOWER, note=note)


def clicks(opened: Notebook, rounds: int) -> Row:
    """From the click on Approve until the journal has the decision."""
    _show(opened, ASKS.replace("COUNT", str(rounds)).replace("{FOLDER}", str(opened.lab.folder)))
    opened.page.evaluate(
        "() => { window.clicked = []; addEventListener('click', () => window.clicked.push(Date.now() / 1000), true) }"
    )
    for place in range(rounds):
        card = opened.page.locator('.flownb-approval[data-status="pending"]').filter(has_text=f"Number {place}?")
        card.locator('[data-action="approve"]').click()
    opened.page.wait_for_selector('.flownb-run[data-status="completed"]')
    opened.execute("tell([each.event.at for each in run.events() if type(each.event).__name__ == 'ApprovalDecided'])")
    taken = [at - when for at, when in zip(_told(opened), opened.page.evaluate("window.clicked"), strict=True)]
    value = statistics.median(taken)
    return Row(GROUP, "click to the decision in the journal", value=value, aim=_DECIDED, aim_of="value")


def _show(opened: Notebook, code: str) -> None:
    """Run code in the one cell, whose outputs go first."""
    opened.page.evaluate("() => { void jupyterapp.commands.execute('notebook:clear-all-cell-outputs') }")
    opened.page.wait_for_function("() => document.querySelectorAll('.flownb-run').length === 0")
    opened.page.evaluate(DRAW, [code, "true"])


def _told(opened: Notebook) -> Any:
    return json.loads((opened.lab.folder / "told.json").read_text())
