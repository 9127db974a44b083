"""Keeping house: deleting runs and what nothing names any more."""

from __future__ import annotations

import json
import re
import time
from typing import Final

import click

from flownb.cli.app import json_option, open_existing, store_option
from flownb.cli.find import find_run
from flownb.errors import UsageError
from flownb.run.recovery.retention import delete_expired, expired
from flownb.services.harmless import line

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@click.command("rm", epilog="Example: flownb rm 1k3x9p2abcdef")
@click.argument("run_ids", metavar="RUN…", nargs=-1, required=True)
@store_option
def rm_command(run_ids: tuple[str, ...], store: str | None) -> None:
    """Delete runs, their journals and what is beneath them; artifacts go with the next gc."""
    opened = open_existing(store)
    rows = {row.id: row for row in (find_run(opened, run_id) for run_id in run_ids)}  # all are there, or none goes
    for row in rows.values():
        opened.delete_run(row.id)
        click.echo(f"{row.id} of {line(row.workflow, 100)} is deleted.")


@click.command("gc", epilog="Example: flownb gc --older 30d")
@click.option("--older", metavar="AGE", help="Also delete ended runs older than this, as 30d, 12h or 90m.")
@click.option("--dry-run", is_flag=True, help="Delete nothing; say what would go.")
@store_option
@json_option
def gc_command(older: str | None, store: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Delete what nobody needs any more: artifacts that no run names, and old runs.

    Old are runs that their workflow's settings (keep_days, keep_runs) give up, and with --older all that ended longer
    ago.
    """
    age = None if older is None else _seconds(older)
    opened = open_existing(store)
    now = time.time()
    if dry_run:
        going = [row.id for row in expired(opened, now) if age is None or (row.finished_at or now) >= now - age]
        runs, size = opened.collect(older=age, dry_run=True)
        runs += len(going)
    else:
        first = delete_expired(opened, now)
        runs, size = opened.collect(older=age)
        runs += first
    if as_json:
        click.echo(json.dumps({"runs": runs, "bytes": size, "dry_run": dry_run}))
        return
    several = f"{runs} run{'' if runs == 1 else 's'}"
    click.echo(
        f"{several} would go, {_size(size)} with them." if dry_run else f"{several} deleted, {_size(size)} freed."
    )


def _seconds(age: str) -> float:
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]+)?)([smhdw])", age.strip())
    if match is None:
        raise UsageError(f"The age {age!r} is no number with a unit; write it as 30d, 12h, 90m or 45s.")
    return float(match[1]) * _UNITS[match[2]]


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004  the next unit
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
