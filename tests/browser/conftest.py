"""A real JupyterLab, real kernels and a real Chromium, for the tests of what people see.

One server serves a whole session, and one browser a file: while Playwright is at work, its thread counts as one with a
running loop, which other tests must not meet. Every test has a notebook of its own. Nothing waits for a
time: everything waits for what the page shows, long enough for a machine that has other things to do.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.jupyter import TOKEN, Lab, Notebook, open_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
#: Screenshots, for people and as what CI keeps; git ignores it.
SHOTS = ROOT / "out" / "browser"
#: What a page gets before it counts as stuck.
PATIENCE = 90_000
#: Seconds for a test with the server and the browser that it may be the first to need, on a busy machine.
LONGEST = 400


#: Chromium without a window and without any wish to talk to its makers.
ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]  # fmt: skip

REPORT = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep how the test itself ended, for those who clean up after it."""
    report = yield
    if report.when == "call":
        item.stash[REPORT] = report
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A page has more to wait for than a function has."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LONGEST))


@pytest.fixture(scope="session")
def node() -> list[str]:
    """How Node is called, with all packages there."""
    spec = spec_from_file_location("build_widgets", ROOT / "scripts" / "build_widgets.py")
    assert spec is not None
    assert spec.loader is not None
    build: Any = module_from_spec(spec)
    spec.loader.exec_module(build)
    found: list[str] = build.install_packages(everything=True)
    return found


def chromium() -> str | None:
    """Where the browser is: never one that a test would have to download."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in names if (found := shutil.which(name))), None)


def missing() -> str:
    """What these tests need and this machine has not, as a sentence."""
    for name in ("playwright", "jupyterlab", "anywidget"):
        if find_spec(name) is None:
            return f"The browser tests need {name}: `scripts/setup --lab` installs it."
    from flownb.widgets.bundle import missing as no_bundle

    if why := no_bundle():
        return why
    return (
        ""
        if chromium()
        else "The browser tests need Chromium: `scripts/setup --apt chromium`, or CHROMIUM=/path/to/it."
    )


@pytest.fixture(scope="session", autouse=True)
def everything_is_there() -> None:
    """In CI a browser test that can't run is a failure; elsewhere it says what it needs."""
    if why := missing():
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, everything_is_there: None) -> Iterator[Lab]:
    """JupyterLab on a folder of its own."""
    with open_lab(tmp_path_factory.mktemp("lab")) as opened:
        yield opened


@pytest.fixture
def lab_folder(lab: Lab) -> Path:
    """Where notebooks and their kernels are."""
    return lab.folder


@pytest.fixture(scope="module")
def browser(everything_is_there: None) -> Iterator[Browser]:
    """Chromium, without a window and without any wish to talk to its makers."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS, timeout=PATIENCE)
        yield launched
        launched.close()


def load(browser: Browser, lab: Lab) -> Page:
    """JupyterLab in a page of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=1)
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    opened.goto(f"{lab.url}/lab?reset&token={TOKEN}")
    opened.wait_for_function("window.jupyterapp?.commands.hasCommand('docmanager:open')")
    opened.evaluate("() => jupyterapp.restored.then(() => { jupyterapp.shell.collapseLeft() })")
    return opened


@pytest.fixture(scope="module")
def desk(browser: Browser, lab: Lab) -> Iterator[Page]:
    """JupyterLab, loaded once; showing one document at a time."""
    opened = load(browser, lab)
    yield opened
    opened.context.close()


@pytest.fixture
def page(desk: Page) -> Iterator[Page]:
    """The page, which may speak to this machine only: what it asked of others is a failure of the test."""
    elsewhere: list[str] = []

    def note(url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")):
            elsewhere.append(url)

    asks = lambda request: note(request.url)  # noqa: E731  the same object is taken off again
    opens = lambda socket: note(socket.url)  # noqa: E731
    desk.on("request", asks)
    desk.on("websocket", opens)
    yield desk
    desk.remove_listener("request", asks)
    desk.remove_listener("websocket", opens)
    assert elsewhere == []


@pytest.fixture
def notebook(lab: Lab, page: Page, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """Make and open a notebook: `notebook(cell, cell, …)`."""
    opened: list[Notebook] = []

    def make(*cells: str, theme: str = "light", kernel: str = "python3") -> Notebook:
        name = f"{request.node.name}-{len(opened)}".replace("[", "-").replace("]", "")
        made = Notebook(lab, page, name, cells, kernel=kernel)
        opened.append(made)
        made.open(theme)
        return made

    yield make
    report = request.node.stash.get(REPORT, None)
    if report is not None and report.failed:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"failed-{request.node.name}.png")
    for each in opened:
        each.close()


@pytest.fixture
def shoot(page: Page) -> Callable[[str], None]:
    """Keep a picture of the page for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> None:
        page.screenshot(path=SHOTS / f"{name}.png")

    return take
