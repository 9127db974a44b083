"""Saved notebooks where there is no kernel: each shows how the run ended, and never that a model is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from tests.browser.jupyter import Notebook, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.browser.jupyter import Lab

#: What Jupyter's widgets say where there is no model for them.
LOST = re.compile("model not found|Loading widget|Error displaying widget", re.IGNORECASE)
FLOW = """
from flownb import Flow
flow = Flow("invoices")

@flow.node
def load():
    return [310.0, 500.0]

@flow.node
def total(load):
    return sum(load)
"""
ENDS = "run = flow.run()\nassert run.result()"
WAITS = """
flow.approval("ok", "Post {{ total }} EUR?")
waiting = flow.run()
"""
TUTORIAL = Path(__file__).parents[2] / "notebooks" / "tutorial.ipynb"
PICTURES = TUTORIAL.read_text("utf-8").count('"image/png": "')
SAID = {1: "run completed", 2: "run paused"}


@pytest.fixture(scope="module")
def saved(lab: Lab, desk: Page) -> Notebook:
    """A notebook as somebody leaves it: a run completed, one that waits, a list of both; saved, its kernel gone."""
    opened = Notebook(lab, desk, "saved", [FLOW, ENDS, WAITS, "import flownb\nflownb.runs()"])
    opened.open()
    opened.run_all()
    opened.wait_for_status("completed")
    opened.wait_for_status("paused")
    desk.wait_for_selector(".flownb-runs")
    opened.save_when(lambda made: all(_text(made.cells[each]).startswith(SAID[each]) for each in SAID))
    opened.close()
    return opened


def _text(cell: Any) -> str:
    shown = [each for each in cell.outputs if each.output_type == "display_data"]
    return "".join(shown[0]["data"]["text/plain"]) if shown else ""


@pytest.fixture
def reopened(saved: Notebook, page: Page) -> Iterator[Callable[..., Notebook]]:
    """Open the saved notebook, or another file beside it, without its kernel: `reopened(theme=…, path=…)`."""

    def open_again(theme: str = "light", path: str | None = None) -> Notebook:
        saved.path = path or saved.path
        saved.read(theme)
        return saved

    before = saved.path
    yield open_again
    saved.close()
    saved.path = before


def expect_pictures(page: Page, count: int) -> None:
    """So many pictures of runs are there, each with something in it, and nothing says that a model is missing."""
    shown = page.locator(".jp-OutputArea-output img")
    expect(shown).to_have_count(count)
    for each in shown.all():
        each.scroll_into_view_if_needed()
        expect(each).to_be_visible()
        assert each.evaluate("image => image.decode().then(() => image.naturalWidth)") > 200
    expect(page.get_by_text(LOST)).to_have_count(0)


def test_ones_own_notebook_shows_its_pictures_without_a_kernel_and_with_a_new_one(
    reopened: Callable[..., Notebook], page: Page, lab: Lab, shoot: Callable[[str], None]
) -> None:
    opened = reopened()
    expect_pictures(page, 3)
    assert lab.ask("/api/sessions") == []
    expect(page.get_by_text("flownb.attach(")).to_have_count(2)
    shoot("saved-without-kernel-light")

    opened.close()
    opened.open()
    opened.execute("1")  # this kernel has no such widgets
    expect_pictures(page, 3)


def test_somebody_elses_notebook_shows_its_pictures(
    reopened: Callable[..., Notebook], page: Page, lab: Lab, saved: Notebook, shoot: Callable[[str], None]
) -> None:
    made = nbformat.read(lab.folder / saved.path, as_version=4)
    made.cells[0].source += "\n# from elsewhere: no signature vouches for it"
    nbformat.write(made, lab.folder / "untrusted.ipynb")

    reopened("dark", "untrusted.ipynb")

    expect_pictures(page, 3)
    assert not page.evaluate("jupyterapp.shell.currentWidget.model.cells.get(1).trusted")
    shoot("saved-untrusted-dark")


def exporter(**options: str) -> Any:
    """What makes HTML of notebooks."""
    import nbconvert

    made: Any = nbconvert.HTMLExporter
    return made(**options)


def convert(notebook: Path, folder: Path, **options: str) -> Path:
    """HTML by nbconvert, as anybody makes it."""
    body, _ = exporter(**options).from_filename(str(notebook))
    path = folder / notebook.with_suffix(".html").name
    path.write_text(body, encoding="utf-8")
    return path


def call(*command: str, cwd: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False, timeout=240
    )
    assert ended.returncode in (0, 75), ended.stdout + ended.stderr


def alone(browser: Browser, path: Path) -> tuple[Page, list[str]]:
    """A file in a browser without a network, and what it asked of others."""
    context = browser.new_context(offline=True)
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(path.as_uri())
    return opened, [each for each in asked if not each.startswith(("file:", "data:"))]


def test_html_made_of_it_shows_its_pictures_and_asks_nobody(saved: Notebook, browser: Browser, tmp_path: Path) -> None:
    page, asked = alone(browser, convert(saved.lab.folder / saved.path, tmp_path, require_js_url="", mathjax_url=""))
    assert asked == []
    expect_pictures(page, 3)
    page.context.close()


def test_html_as_nbconvert_makes_it_by_itself_asks_only_for_nbconverts_own_scripts(
    saved: Notebook, browser: Browser, tmp_path: Path
) -> None:
    own = exporter()
    page, asked = alone(browser, convert(saved.lab.folder / saved.path, tmp_path))
    assert set(asked) <= {own.require_js_url, own.mathjax_url}
    expect_pictures(page, 3)
    page.context.close()


def test_the_tutorial_made_html_shows_its_pictures_and_asks_nobody(browser: Browser, tmp_path: Path) -> None:
    page, asked = alone(browser, convert(TUTORIAL, tmp_path, require_js_url="", mathjax_url=""))
    assert asked == []
    expect_pictures(page, PICTURES)
    page.context.close()


def test_the_tutorial_shows_its_pictures_without_a_kernel(
    reopened: Callable[..., Notebook], page: Page, lab: Lab, shoot: Callable[[str], None]
) -> None:
    (lab.folder / TUTORIAL.name).write_text(TUTORIAL.read_text("utf-8"), "utf-8")
    reopened("light", TUTORIAL.name)
    expect_pictures(page, PICTURES)
    shoot("tutorial-without-kernel-light")


@pytest.mark.parametrize("command", [["papermill"], ["flownb", "run"]], ids=["papermill", "flownb run"])
def test_what_was_run_headless_shows_its_pictures(
    reopened: Callable[..., Notebook], page: Page, lab: Lab, shoot: Callable[[str], None], command: list[str]
) -> None:
    source, out = lab.folder / "source.ipynb", lab.folder / f"out-{len(command)}.ipynb"
    cells = [nbformat.v4.new_code_cell(each) for each in (FLOW, ENDS)]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, source)
    call(*command, str(source), *(["-o"] if len(command) > 1 else []), str(out), cwd=lab.folder)

    reopened("light", out.name)

    expect_pictures(page, 1)
    shoot(f"saved-{command[0]}-light")
