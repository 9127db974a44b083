"""JupyterLab as the tests use it: a server of their own, and notebooks opened in a page."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from playwright.sync_api import Locator, LocatorAssertions, Page

TOKEN = "tests"
#: What flownb gives Jupyter to read; as an installed one has it, also where this clone was installed before.
OURS = Path(__file__).parents[2] / "kernel_ext" / "share" / "jupyter"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


def expect(locator: Locator) -> LocatorAssertions:
    """What the page has to show sooner or later; loaded late, so that tests are found where Playwright is not."""
    from playwright.sync_api import expect as expected

    expected.set_options(timeout=90_000)
    return expected(locator)


class Lab:
    """A running server."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, method: str = "GET") -> Any:
        """The answer of the server's REST interface."""
        request = urllib.request.Request(
            f"{self.url}{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def answers(self) -> bool:
        """Whether it is up."""
        with contextlib.suppress(OSError):
            return bool(self.ask("/api/status"))
        return False


@contextlib.contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """JupyterLab on a folder, without anybody's settings."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    for name, values in SETTINGS.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    root = folder / "notebooks"
    root.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "FLOWNB"))}
    kept["JUPYTER_PATH"] = str(OURS)
    kept["JUPYTER_CONFIG_PATH"] = str(OURS.parents[1] / "etc" / "jupyter")
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}",
        "--ServerApp.log_level=WARN", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=root, env=kept | own, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    lab = Lab(root, port)
    try:
        wait_for(lambda: lab.answers() or server.poll() is not None, 60)
        assert server.poll() is None, (folder / "server.log").read_text()[-4000:]
        yield lab
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


class Notebook:
    """A notebook in a page, as somebody sits before it."""

    def __init__(self, lab: Lab, page: Page, name: str, cells: Sequence[str], *, kernel: str = "python3") -> None:
        self.lab, self.page = lab, page
        self.path = f"{name}.ipynb"
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
        made.metadata.kernelspec = {"name": kernel, "display_name": "Python 3", "language": "python"}
        nbformat.write(made, lab.folder / self.path)

    def open(self, theme: str = "light") -> None:
        """Open it in the page, which has JupyterLab already, and wait until the kernel is there."""
        self.command("docmanager:open", {"path": self.path})
        self.wait_for_kernel()
        self.command("apputils:change-theme", {"theme": THEMES[theme]})
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=THEMES[theme])

    def read(self, theme: str = "light") -> None:
        """Open it as it was saved, without a kernel."""
        none = {"shouldStart": False, "canStart": True, "autoStartDefault": False}
        self.command("docmanager:open", {"path": self.path, "kernelPreference": none})
        self.page.wait_for_function(
            "path => window.jupyterapp?.shell.currentWidget?.context?.path === path", arg=self.path
        )
        self.command("apputils:change-theme", {"theme": THEMES[theme]})

    def reload(self) -> None:
        """Load the page anew, with this notebook."""
        self.page.goto(f"{self.lab.url}/lab/tree/{self.path}?token={TOKEN}")
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """Until the notebook is what the page shows, and has a kernel that is idle or at work."""
        self.page.wait_for_function(
            """path => {
              const shown = window.jupyterapp?.shell.currentWidget;
              const kernel = shown?.sessionContext?.session?.kernel;
              return shown?.context?.path === path && ['idle', 'busy'].includes(kernel?.status);
            }""",
            arg=self.path,
        )

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """One of JupyterLab's commands, as a menu gives it."""
        self.page.evaluate(
            "([name, args]) => jupyterapp.commands.execute(name, args).then(() => null)", [name, arguments or {}]
        )

    def run_all(self) -> None:
        """Run every cell; returns at once."""
        self.page.evaluate("() => { void jupyterapp.commands.execute('notebook:run-all-cells') }")

    def execute(self, code: str) -> None:
        """Have the kernel execute something, as from another front end."""
        self.page.evaluate(
            """code => {
              const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              return kernel.requestExecute({code, stop_on_error: false}).done.then(() => null);
            }""",
            code,
        )

    def dismiss(self) -> None:
        """Close the dialogs that JupyterLab has opened."""
        for button in self.page.locator(".jp-Dialog .jp-mod-accept").all():
            button.click()

    def save(self) -> Any:
        """Save it, and read what was saved."""
        self.command("docmanager:save")
        return nbformat.read(self.lab.folder / self.path, as_version=4)

    def save_when(self, shows: Callable[[Any], bool]) -> Any:
        """Save it when it shows what it shall, and read what was saved."""
        found: list[Any] = []

        def looks_right() -> bool:
            found[:] = [self.save()]
            return shows(found[0])

        wait_for(looks_right, 60)
        return found[0]

    @property
    def kernel(self) -> dict[str, Any]:
        """The kernel as the server knows it."""
        found = [each for each in self.lab.ask("/api/sessions") if each["path"] == self.path]
        kernel: dict[str, Any] = found[0]["kernel"]
        return kernel

    def run_view(self, nth: int = 0) -> Locator:
        """A run under its cell."""
        return self.page.locator(".flownb-run").nth(nth)

    def node(self, path: str) -> Locator:
        """A node's card."""
        return self.page.locator(f'[data-flownb-node="{path}"]')

    def covered(self) -> list[str]:
        """The cards over which tools, map or slider lie."""
        found: list[str] = self.page.evaluate(
            """() => {
              const boxes = [...document.querySelectorAll('.fnb-tools, .fnb-map, .fnb-journal')];
              const tools = boxes.map(each => each.getBoundingClientRect());
              const frames = [...document.querySelectorAll('.flownb-canvas')].map(each => each.getBoundingClientRect());
              const over = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
              const seen = (card) => frames.some(frame => over(card, frame));
              return [...document.querySelectorAll('.fnb-card')].filter(each => {
                const card = each.getBoundingClientRect();
                return seen(card) && tools.some(tool => over(tool, card) && frames.some(frame => over(tool, frame)));
              }).map(each => each.dataset.flownbNode);
            }"""
        )
        return found

    def tab(self, name: str) -> None:
        """Open a tab of the selected node."""
        tab = self.page.locator(f'[data-tab="{name}"]')
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")

    def wait_for_status(self, status: str) -> None:
        """Until the run under the cell is there and says this status."""
        self.page.wait_for_selector(f'.flownb-run[data-status="{status}"]')

    def close(self) -> None:
        """Close it and shut its kernel down, so that the next test has page and machine to itself."""
        self.dismiss()
        self.page.evaluate(
            """() => {
              for (const each of [...jupyterapp.shell.widgets('main')]) {
                if (each.context) each.context.model.dirty = false;  // else it asks whether to save
                each.close();
              }
            }"""
        )
        for each in self.lab.ask("/api/sessions"):
            if each["path"] == self.path:
                with contextlib.suppress(OSError):
                    self.lab.ask(f"/api/sessions/{each['id']}", "DELETE")
