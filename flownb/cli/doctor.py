"""Looking whether everything is in order, and saying what to do where it is not."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from flownb import __version__
from flownb.cli.app import json_option, store_option
from flownb.errors import FlownbError, NotFound
from flownb.services.harmless import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Extra, the modules that show that it is there.
_EXTRAS: Final = {
    "data": ("pandas", "pyarrow"),
    "lab": ("jupyterlab", "ipywidgets", "anywidget"),
    "ipyflow": ("ipyflow",),
    "desktop": ("mss", "pyautogui", "pytesseract"),
    "ai": ("openai",),
    "notify": ("apprise", "aiosmtplib"),
    "postgres": ("psycopg",),
    "dask": ("distributed",),
}
_CORE: Final = (
    "apsw", "click", "cloudpickle", "google-re2", "ipykernel", "msgspec", "nbclient", "nbformat", "papermill", "pillow",
    "pydantic", "rich",
)  # fmt: skip
_OLDEST: Final = (3, 11)
_LEAST_FREE: Final = 200_000_000


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    #: True: in order; False: not; None: not there, and that is fine.
    ok: bool | None
    message: str


@click.command("doctor", epilog="Example: flownb doctor")
@store_option
@json_option
def doctor_command(store: str | None, *, as_json: bool) -> int:
    """Look whether everything is in order: Python, packages, kernel, store, disk. Exit status 1 if something is not."""
    checks = list(_checks(store))
    if as_json:
        click.echo(json.dumps([{"check": each.name, "ok": each.ok, "message": each.message} for each in checks]))
    else:
        click.echo(f"flownb {__version__}")
        width = max(len(each.name) for each in checks)
        for each in checks:
            click.echo(f"  {_sign(each.ok)} {each.name:<{width}}  {line(each.message, 500)}")
        bad = sum(each.ok is False for each in checks)
        click.echo("Everything is in order." if not bad else f"{bad} of these need attention.")
    return 1 if any(each.ok is False for each in checks) else 0


def _sign(ok: bool | None) -> str:
    if ok is None:
        return "○"
    return click.style("✔", fg="green") if ok else click.style("✖", fg="red")


def _checks(url: str | None) -> Iterator[Check]:
    yield _python()
    yield from _packages()
    yield _engine()
    yield from _where_installed("kernels", lambda: iter([_kernels()]))
    yield from _where_installed("server", lambda: iter([_server()]))
    yield from _where_installed("store", lambda: _store(url))
    yield from _extras()


def _where_installed(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """What a check finds that needs packages of its own; what is missing must not keep the rest from being told."""
    try:
        yield from look()
    except ImportError as error:
        yield Check(name, False, f"can't be looked at: {error}")


def _python() -> Check:
    found = f"Python {platform.python_version()} on {platform.system()} {platform.machine()} ({sys.executable})"
    return Check("python", sys.version_info[:2] >= _OLDEST, found)


def _packages() -> Iterator[Check]:
    """One line where all are there, else one for each that is missing."""
    versions: dict[str, str] = {}
    for name in _CORE:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, False, "missing; `pip install flownb` brings it")
    yield Check("packages", True, ", ".join(f"{name} {version}" for name, version in versions.items()))


def _engine() -> Check:
    """Whether papermill finds flownb's engine by its entry point; `flownb run` needs no entry point."""
    points = importlib.metadata.entry_points(group="papermill.engine", name="flownb")
    if points:
        return Check("engine", True, "`papermill --engine flownb` works; so does `flownb run`")
    return Check("engine", None, "flownb is not installed here (it runs from a folder): only `flownb run` works")


def _kernels() -> Check:
    from jupyter_client.kernelspec import KernelSpecManager

    names = sorted(KernelSpecManager().find_kernel_specs())
    own = f"notebooks run on {sys.executable}"
    return Check("kernels", True, f"{own}; registered: {', '.join(names)}" if names else f"{own}; none registered")


def _server() -> Check:
    """Whether a Jupyter server here loads flownb's extension: then clicks get through while a kernel is busy."""
    from jupyter_core.paths import jupyter_config_path

    if importlib.util.find_spec("jupyter_server") is None:
        return Check("server", None, "no Jupyter server here; `pip install 'flownb[lab]'` brings one")
    files = [Path(folder, "jupyter_server_config.d", "flownb.json") for folder in jupyter_config_path()]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        how = "`jupyter server extension enable flownb` does it"
        return Check("server", None, f"the extension is not switched on, so a busy kernel hears clicks late; {how}")
    return Check("server", True, f"the extension is switched on by {found}: clicks get through while a kernel is busy")


def _store(url: str | None) -> Iterator[Check]:
    from flownb.store.place import open_store

    try:
        opened: Any = open_store(url, create=False)
    except NotFound as error:
        yield Check("store", None, f"none yet: {error}")
        yield from _room(Path.cwd())
        return
    except FlownbError as error:
        yield Check("store", False, str(error))
        return
    try:
        faults = opened.check()
        count = sum(1 for _ in opened.rows())
        yield Check("store", not faults, "; ".join([f"{opened.url}, {count} run{'' if count == 1 else 's'}", *faults]))
        yield from _unfinished(opened)
        yield from _channels(opened)
    except FlownbError as error:
        yield Check("store", False, str(error))
    if opened.url.startswith("sqlite:///"):
        yield from _room(Path(opened.url.removeprefix("sqlite:///")).parent)


def _unfinished(opened: Any) -> Iterator[Check]:
    """Runs whose process is gone."""
    if orphans := opened.orphans():
        one = len(orphans) == 1
        what = "1 unfinished run" if one else f"{len(orphans)} unfinished runs"
        yield Check("runs", None, f"{what} that nobody is at work on; `flownb resume {orphans[0]}` goes on")


def _channels(opened: Any) -> Iterator[Check]:
    """Whether the operator's channels could deliver, as far as can be told without trying; and what they could not."""
    from flownb.services.channels.directory import directory_of

    try:
        directory = directory_of(opened)
    except FlownbError as error:
        yield Check("channels", False, str(error))
        return
    for name in directory.names:
        try:
            channel = directory.channel(name)
            getattr(channel, "check", lambda: None)()
        except FlownbError as error:
            yield Check("channels", False, f"{name}: {error}")
        else:
            yield Check("channels", True, f"{name} ({directory.kind(name)})")
    if not directory.names:
        yield Check("channels", None, f"none set up; [channels.NAME] in {directory.told} makes one")
    late = [row for row in opened.approvals() if any(each.outcome and each.outcome.why for each in row.notices)]
    if late:
        yield Check("notices", None, f"{len(late)} requests of which not everybody could be told; `flownb approvals`")


def _room(folder: Path) -> Iterator[Check]:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Check("disk", False, f"{folder} can't be looked at: {error.strerror}")
        return
    writable = os.access(folder, os.W_OK)
    text = f"{free / 1e9:.1f} GB free in {folder}"
    if not writable:
        yield Check("disk", False, f"{folder} can't be written; --store or FLOWNB_STORE names another place")
    elif free < _LEAST_FREE:
        yield Check("disk", False, f"{text}: too little to work with; `flownb gc --older 30d` may help")
    else:
        yield Check("disk", True, text)


def _extras() -> Iterator[Check]:
    for extra, modules in _EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            yield Check(f"[{extra}]", None, f"not installed; `pip install 'flownb[{extra}]'` brings it")
        else:
            yield Check(f"[{extra}]", True, "installed")
