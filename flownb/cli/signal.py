"""Handing a signal to a run."""

from __future__ import annotations

import click

from flownb.cli.app import open_existing, store_option
from flownb.cli.control import user
from flownb.cli.ending import is_alive, resume_line
from flownb.cli.find import find_run
from flownb.cli.typed import typed
from flownb.errors import UsageError
from flownb.model import commands as cmd
from flownb.model.status import RunStatus
from flownb.store import values


@click.command("signal", epilog="Example: flownb signal 1k3x9p2abcdef paid '{\"amount\": 3.5}'")
@click.argument("run_id", metavar="RUN")
@click.argument("name")
@click.argument("value", required=False)
@store_option
def signal_command(run_id: str, name: str, value: str | None, store: str | None) -> None:
    """Hand a named value to the nodes of a run that wait for it; VALUE is JSON, else text.

    Where none waits it is kept for the next that asks.
    """
    opened = open_existing(store)
    row = find_run(opened, run_id)
    if RunStatus(row.status).ended:
        raise UsageError(f"Run {row.id} is {row.status}; a signal does not reach it any more.")
    alive = is_alive(opened, row.id)
    plain = values.store(typed(value), opened.artifacts).plain
    opened.send(row.id, cmd.Signal(name=name, value=plain, by=user()))
    click.echo(f"{row.id} was told." if alive else f"Noted; `{resume_line(row.id, store)}` goes on with it.")
