"""The story on other kernels than the newest: each is installed into a folder of its own, and runs beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.jupyter import Lab, Notebook

STORY = """
import ipykernel, os, time
from flownb import Flow
print("ipykernel", ipykernel.__version__)
flow = Flow("story of {name}")

@flow.node
def load():
    while not os.path.exists("loaded-{name}"):
        time.sleep(0.02)
    return [310.0, 4511.5]

flow.approval("ok", "Post {{{{ sum(load) }}}} EUR?", preview="load")

@flow.node(after="ok.approved")
def post(load):
    return f"posted {{sum(load)}}"

run = flow.run()
"""
BUSY = """
while not os.path.exists("free-{name}"):
    time.sleep(0.1)
"""


def prompt(page: Page) -> Locator:
    """What stands before the second cell: a star while it is at work."""
    return page.locator(".jp-InputArea-prompt").nth(1)


@pytest.fixture(params=["6.31.0", "7.1.0"])
def kernel(request: pytest.FixtureRequest, lab: Lab, page: Page, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a kernel of that version."""
    version = str(request.param)
    folder = tmp_path_factory.mktemp(f"ipykernel-{version}")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, f"ipykernel=={version}"],
        check=True,
        timeout=300,
    )
    name = f"ipykernel-{version}"
    spec = lab.folder.parent / "data" / "kernels" / name
    spec.mkdir(parents=True, exist_ok=True)
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": launch, "display_name": name, "language": "python", "env": {"PYTHONPATH": str(folder)}}
    (spec / "kernel.json").write_text(json.dumps(told))
    page.evaluate("() => jupyterapp.serviceManager.kernelspecs.refreshSpecs().then(() => null)")
    return name


@pytest.mark.soak
def test_the_story_passes_on_that_kernel(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path, kernel: str, shoot: Callable[[str], None]
) -> None:
    version = kernel.removeprefix("ipykernel-")
    opened = notebook(STORY.format(name=version), BUSY.format(name=version), kernel=kernel)
    opened.run_all()
    expect(page.locator(".jp-OutputArea-output pre", has_text="ipykernel")).to_contain_text(version)
    expect(opened.node("load")).to_have_attribute("data-status", "running")

    (lab_folder / f"loaded-{version}").touch()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    expect(card).to_contain_text("Post 4821.5 EUR?")
    expect(prompt(page)).to_contain_text("*")  # another cell is at work all the while
    opened.save()
    (lab_folder / f"free-{version}").touch()  # while a cell is at work, these kernels tell no page what there is
    opened.reload()
    expect(card).to_have_attribute("data-status", "pending")
    card.locator('[data-action="approve"]').click()

    opened.wait_for_status("completed")
    expect(card).to_have_attribute("data-status", "approved")
    expect(opened.node("post")).to_contain_text("posted 4821.5")
    shoot(f"kernel-{version}-light")


@pytest.mark.soak
def test_a_click_gets_through_while_that_kernel_is_busy(
    notebook: Callable[..., Notebook], page: Page, lab_folder: Path, kernel: str
) -> None:
    version = f"busy-{kernel}"
    (lab_folder / f"loaded-{version}").touch()
    opened = notebook(STORY.format(name=version), BUSY.format(name=version), kernel=kernel)
    opened.run_all()
    card = page.locator(".flownb-approval")
    expect(card).to_have_attribute("data-status", "pending")
    card.locator('[data-action="approve"]').click()
    opened.wait_for_status("completed")
    expect(prompt(page)).to_contain_text("*")
    (lab_folder / f"free-{version}").touch()
    expect(card).to_have_attribute("data-status", "approved")
    expect(page.locator("[data-notice]")).to_have_count(0)
