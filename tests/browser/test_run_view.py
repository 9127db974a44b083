"""A run under its cell, in a real JupyterLab: it appears, it moves, it ends, and it is never lost."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.jupyter import expect
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

FLOW = """
from pathlib import Path
import time
from flownb import Flow

def wait_for(name):
    while not Path(name).exists():
        time.sleep(0.02)

flow = Flow("invoices")

@flow.node
def load(path: str):
    print("reading", path)
    return [{"supplier": "Acme GmbH", "amount": 310.0}, {"supplier": "Brunner", "amount": 500.0}]

@flow.node
def total(load):
    return {"amount": sum(each["amount"] for each in load), "rows": len(load)}

@flow.node
def post(total, path: str, ctx):
    ctx.status("Posting 1/2")
    ctx.progress(0.5)
    wait_for(path)
    if path == "bad":
        raise ConnectionError("SMTP 421: the mail server refused the message")
    return f"posted {total['amount']}"
"""


@pytest.fixture
def go(notebook: Callable[..., Notebook], lab_folder: Path) -> Callable[[str], None]:
    """Let the last node of `FLOW` end."""
    del notebook
    return lambda name: (lab_folder / name).touch()


def test_a_run_appears_once_under_its_cell_moves_and_completes(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], go: Callable[[str], None]
) -> None:
    opened = notebook(FLOW, "run = flow.run(path='appears')")
    opened.run_all()
    opened.wait_for_status("running")
    expect(opened.node("post")).to_have_attribute("data-status", "running")
    expect(opened.node("post")).to_contain_text("Posting 1/2")
    expect(opened.node("load")).to_contain_text("2 items")
    shoot("three-running-light")

    go("appears")

    opened.wait_for_status("completed")
    expect(opened.node("post")).to_have_attribute("data-status", "completed")
    expect(opened.node("post")).to_contain_text("posted 810.0")
    expect(page.locator(".flownb-run")).to_have_count(1)
    expect(page.locator(".flownb-canvas")).to_have_count(1)
    expect(page.locator("[data-flownb-node]")).to_have_count(3)
    shoot("three-completed-light")


SIXTY = """
import time
from flownb import Flow
flow = Flow("sixty nodes")
def make(i):
    source = f"def n{i}({'' if i < 6 else f'n{i - 6}'}):\\n    import time; time.sleep(0.1)\\n    return {i}"
    names = {}
    exec(source, names)
    return names[f"n{i}"]
for i in range(60):
    flow.node(make(i))
run = flow.run()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_end_of_every_node_is_shown(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], theme: str
) -> None:
    opened = notebook(SIXTY, theme=theme)
    opened.run_all()
    page.wait_for_selector(".flownb-run")
    shoot(f"sixty-running-{theme}")
    opened.wait_for_status("completed")
    expect(page.locator('[data-flownb-node][data-status="completed"]')).to_have_count(60)
    assert opened.covered() == []
    shoot(f"sixty-completed-{theme}")


def test_a_node_shows_its_output_inputs_and_log(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], go: Callable[[str], None]
) -> None:
    go("august")
    opened = notebook(FLOW, "run = flow.run(path='august')", theme="dark")
    opened.run_all()
    opened.wait_for_status("completed")

    opened.node("load").click()

    panel = page.locator(".fnb-tabbody")
    expect(panel).to_contain_text("Acme GmbH")
    opened.tab("log")
    expect(panel).to_contain_text("reading august")
    opened.tab("inputs")
    expect(panel).to_contain_text("from the run's inputs")
    page.locator('[data-panel="timeline"]').click()
    expect(page.locator(".fnb-gantt .row")).to_have_count(3)
    shoot("three-panels-dark")


def test_a_failing_run_shows_its_error_and_can_be_retried(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], go: Callable[[str], None]
) -> None:
    go("bad")
    opened = notebook(FLOW, "run = flow.run(path='bad')")
    opened.run_all()
    opened.wait_for_status("failed")
    expect(page.locator(".fnb-banner.failed")).to_contain_text("SMTP 421: the mail server refused the message")

    page.get_by_role("button", name="Show the error").click()

    expect(page.locator(".fnb-tabbody")).to_contain_text("raise ConnectionError")
    shoot("three-failed-light")

    page.locator('[data-action="retry"]').click()

    opened.tab("attempts")
    expect(page.locator(".fnb-tabbody tbody tr")).to_have_count(2)
    opened.wait_for_status("failed")


def test_a_run_is_paused_and_resumed_from_the_bar(
    notebook: Callable[..., Notebook], page: Page, go: Callable[[str], None]
) -> None:
    opened = notebook(FLOW + "\n@flow.node\ndef last(post):\n    return 1\n", "run = flow.run(path='may')")
    opened.run_all()
    opened.wait_for_status("running")
    expect(opened.node("post")).to_have_attribute("data-status", "running")

    page.locator('[data-action="pause"]').click()
    expect(page.locator(".fnb-bar")).to_have_attribute("aria-busy", "false")  # the kernel has taken it
    go("may")

    opened.wait_for_status("paused")
    expect(opened.node("last")).to_have_attribute("data-status", "pending")
    page.locator('[data-action="resume"]').click()
    opened.wait_for_status("completed")


def test_the_view_is_there_again_when_the_page_is_loaded_anew(
    notebook: Callable[..., Notebook], page: Page, go: Callable[[str], None]
) -> None:
    opened = notebook(FLOW, "run = flow.run(path='june')")
    opened.run_all()
    expect(opened.node("post")).to_have_attribute("data-status", "running")
    opened.node("load").click()
    page.locator('[data-breakpoint="post"]').dispatch_event("click")
    expect(page.locator('[data-breakpoint="post"]')).to_have_attribute("data-on", "true")
    opened.save()

    opened.reload()

    expect(opened.node("post")).to_have_attribute("data-status", "running")
    expect(page.locator('[data-breakpoint="post"]')).to_have_attribute("data-on", "true")
    expect(page.locator(".fnb-tabbody")).to_contain_text("Acme GmbH")
    go("june")
    opened.wait_for_status("completed")


def picture(opened: Notebook) -> Any:
    """What the saved notebook shows of the run."""
    return next(each for each in opened.save().cells[1].outputs if each.output_type == "display_data")["data"]


def test_a_kernel_that_is_killed_is_noticed_and_the_saved_notebook_keeps_the_picture(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], go: Callable[[str], None]
) -> None:
    go("march")
    opened = notebook(FLOW, "import os\nprint('pid', os.getpid())\nrun = flow.run(path='march')")
    opened.run_all()
    opened.wait_for_status("completed")
    wait_for(lambda: picture(opened)["text/plain"].startswith("run completed"), 60)  # it comes after the widget's news
    assert len(picture(opened)["image/png"]) > 1_000

    pid = int(opened.save().cells[1].outputs[0]["text"].split()[1])
    os.kill(pid, signal.SIGKILL)

    page.wait_for_selector(".jp-Dialog")
    opened.dismiss()

    expect(page.locator('[data-notice="gone"]')).to_contain_text("flownb.attach(")
    expect(opened.node("post")).to_have_attribute("data-status", "completed")
    shoot("three-without-kernel-light")


def test_an_awaited_run_shows_itself_while_its_cell_is_busy(
    notebook: Callable[..., Notebook], go: Callable[[str], None]
) -> None:
    opened = notebook(FLOW, "run = flow.run(path='april')\nawait run")
    opened.run_all()
    expect(opened.node("post")).to_have_attribute("data-status", "running")
    go("april")
    opened.wait_for_status("completed")
