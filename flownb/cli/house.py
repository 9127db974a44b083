"""Keeping house: deleting runs, and looking whether everything is in order."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import re
import sys
from typing import Any, Final

import click

from flownb import __version__
from flownb.cli.app import json_option, open_existing, store_option
from flownb.errors import FlownbError, UsageError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
#: Extra, the module that shows that it is there.
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
_CORE: Final = ("apsw", "ipykernel", "msgspec", "nbclient", "nbformat", "papermill", "pillow", "pydantic")


@click.command("rm", epilog="Example: flownb rm 1k3x9p2abcdef")
@click.argument("run_ids", metavar="RUN…", nargs=-1, required=True)
@store_option
def rm_command(run_ids: tuple[str, ...], store: str | None) -> None:
    """Delete runs, their journals and what is beneath them; artifacts go with the next gc."""
    from flownb.run.recover import require_row

    opened = open_existing(store)
    for run_id in run_ids:
        require_row(opened, run_id)
        opened.delete_run(run_id)
        click.echo(f"{run_id} is deleted.")


@click.command("gc", epilog="Example: flownb gc --older 30d")
@click.option("--older", metavar="AGE", help="Also delete ended runs older than this, as 30d, 12h or 90m.")
@store_option
@json_option
def gc_command(older: str | None, store: str | None, *, as_json: bool) -> None:
    """Delete artifacts that no run names any more, and old runs where --older says so."""
    opened = open_existing(store)
    runs, size = opened.collect(older=None if older is None else _seconds(older))
    if as_json:
        click.echo(json.dumps({"runs": runs, "bytes": size}))
    else:
        click.echo(f"{runs} runs and {size / 1e6:.1f} MB of artifacts are gone.")


def _seconds(age: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", age.strip())
    if match is None:
        raise UsageError(f"The age {age!r} is no number with a unit; write it as 30d, 12h, 90m or 45s.")
    return float(match[1]) * _UNITS[match[2]]


@click.command("doctor", epilog="Example: flownb doctor")
@store_option
@json_option
def doctor_command(store: str | None, *, as_json: bool) -> int:
    """Look whether everything is in order: Python, packages, extras, kernels and the store."""
    checks = [*_packages(), *_extras(), _kernel(), *_store(store)]
    if as_json:
        click.echo(json.dumps([{"check": name, "ok": ok, "message": text} for name, ok, text in checks], indent=2))
    else:
        click.echo(f"flownb {__version__}, Python {platform.python_version()} on {platform.platform()}")
        for name, ok, text in checks:
            sign = click.style("✔", fg="green") if ok else click.style("✖", fg="red") if ok is False else "○"
            click.echo(f"  {sign} {name}: {text}")
    return 0 if all(ok is not False for _, ok, _ in checks) else 1


#: A check: its name, whether it is in order (None: not there, and that is fine), what was found.
Check = tuple[str, bool | None, str]


def _packages() -> list[Check]:
    found: list[Check] = []
    for name in _CORE:
        try:
            found.append((name, True, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            found.append((name, False, "missing; `pip install flownb` brings it"))
    return found


def _extras() -> list[Check]:
    found: list[Check] = []
    for extra, modules in _EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            found.append((f"extra {extra}", None, f"not installed; `pip install 'flownb[{extra}]'` brings it"))
        else:
            found.append((f"extra {extra}", True, "installed"))
    return found


def _kernel() -> Check:
    from jupyter_client.kernelspec import KernelSpecManager

    names = sorted(KernelSpecManager().find_kernel_specs())  # type: ignore[no-untyped-call]  # ships no types
    if not names:
        return ("kernels", None, f"none registered; notebooks run with {sys.executable}")
    return ("kernels", True, ", ".join(names))


def _store(url: str | None) -> list[Check]:
    try:
        opened: Any = open_existing(url)
    except FlownbError as error:
        return [("store", None if "Nothing has run" in str(error) else False, str(error))]
    faults = opened.check()
    where = f"{opened.url}, {sum(1 for _ in opened.rows())} runs"
    if orphans := opened.orphans():
        waiting = f"{len(orphans)} unfinished runs whose process is gone; `flownb resume {orphans[0]}` goes on"
        return [("store", not faults, "; ".join([where, *faults])), ("runs", None, waiting)]
    return [("store", not faults, "; ".join([where, *faults]))]
