"""`display` in nodes, in a shell of its own process and in a real kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHELL = """
import asyncio, base64, json, os, threading
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import HTML, Image, clear_output, display, publish_display_data
from flownb import Flow

shell = InteractiveShell.instance()
published, cleared = [], []
shell.display_pub.publish = lambda data, metadata=None, **kwargs: published.append(data)
type(shell.display_pub).clear_output = lambda self, wait=False: cleared.append(wait)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
flow = Flow("shows")
"""

NODES = """
@flow.node
def on_thread():
    display(HTML("<b>bold</b>"))
    thread = threading.Thread(target=display, args=({"from": "a thread"},))
    thread.start()
    thread.join()
    clear_output()
    print("printed")

@flow.node
async def on_loop():
    display(Image(data=PNG))
    handle = display(HTML("0"), display_id=True)
    for number in range(1, 100):
        handle.update(HTML(str(number)))

@flow.node
def large():
    picture, table = os.urandom(500_000), "x" * 300_000
    publish_display_data({"image/png": picture, "application/json": {"a": [1, 2]}, "text/html": table})

run = flow.run(store="sqlite:///FOLDER/f.db", display=False)
run.result()
display(HTML("outside"))
clear_output()
print(json.dumps({
    "published": published, "cleared": len(cleared),
    "on_thread": run["on_thread"].displays, "log": run["on_thread"].log,
    "on_loop": [sorted(each) for each in run["on_loop"].displays], "last": run["on_loop"].displays[-1]["text/html"],
    "large": {name: len(each) for name, each in run["large"].displays[0].items()},
    "journal": max(len(repr(each.event)) for each in run.events()),
    "undone": shell.display_pub.__dict__.get("clear_output") is None,
}))
"""


def run_in(code: str, folder: Path) -> Any:
    code = code.replace("FOLDER", str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_a_node_displays_is_its_own(tmp_path: Path) -> None:
    found = run_in(SHELL + NODES, tmp_path)
    assert found["published"] == [{"text/plain": "<IPython.core.display.HTML object>", "text/html": "outside"}]
    assert found["cleared"] == 1
    assert found["undone"]
    html, thread = found["on_thread"]
    assert html["text/html"] == "<b>bold</b>"
    assert thread == {"text/plain": "{'from': 'a thread'}"}
    assert found["log"] == "<IPython.core.display.HTML object>\n{'from': 'a thread'}\nprinted\n"


def test_pictures_updates_and_large_forms_are_kept_as_far_as_a_journal_can(tmp_path: Path) -> None:
    found = run_in(SHELL + NODES, tmp_path)
    assert found["on_loop"][0] == ["image/png", "text/plain"]
    assert found["last"] == "99"
    assert len(found["on_loop"]) <= 10
    assert found["large"] == {"image/png": 500_000, "application/json": 1, "text/html": 300_000}
    assert found["journal"] < 300_000


def test_without_a_shell_a_node_that_displays_prints(tmp_path: Path) -> None:
    code = """
import json
from IPython.display import HTML, display
from flownb import Flow
flow = Flow("prints")
@flow.node
def shows():
    display(HTML("<b>bold</b>"))
run = flow.run(store="memory:")
run.result()
print(json.dumps(run["shows"].log))
"""
    assert run_in(code, tmp_path) == "<IPython.core.display.HTML object>\n"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Any]:
    manager = KernelManager()
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_in_a_kernel_nothing_of_a_node_appears_under_a_cell(kernel: Any) -> None:
    code = """
import sys, time
from IPython.display import HTML, display
from flownb import Flow
flow = Flow("shows")
@flow.node
def shows():
    for number in range(3):
        display(HTML(f"<b>{number}</b>"))
        print("printed")
        print("to stderr", file=sys.stderr)
run = flow.run(store="memory:", display=False)
display(HTML("cell"))
run.result()
print(len(run["shows"].displays), run["shows"].log.count("printed"), run["shows"].log.count("to stderr"))
"""
    outputs: list[Any] = []
    reply = kernel.execute_interactive(code, timeout=60, output_hook=lambda message: outputs.append(message["content"]))
    assert reply["content"]["status"] == "ok", reply["content"]
    shown = [each["data"]["text/html"] for each in outputs if "data" in each]
    assert shown == ["cell"]
    assert "".join(each["text"] for each in outputs if "text" in each) == "3 3 3\n"
