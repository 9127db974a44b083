"""Asking something of a run, wherever it is at work."""

from __future__ import annotations

import getpass
import time
from typing import TYPE_CHECKING, Final

import click

from flownb.cli.app import open_existing, say, store_option
from flownb.errors import NotFound, UsageError, near_names
from flownb.model import commands as cmd
from flownb.model.events import RunCancelledEvent
from flownb.model.status import RunStatus
from flownb.run.recover import read_state, require_row
from flownb.store.contract import Write
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from flownb.store.contract import RunRow, Store

#: Seconds to wait for the owner's answer before leaving it at the request.
_ANSWER_SECONDS: Final = 10.0


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


@click.command("pause", epilog="Example: flownb pause 1k3x9p2abcdef")
@click.argument("run_id", metavar="RUN")
@store_option
def pause_command(run_id: str, store: str | None) -> None:
    """Let a run start nothing more; nodes in flight end first."""
    opened = open_existing(store)
    row = require_row(opened, run_id)
    if row.status == RunStatus.PAUSED:
        click.echo(f"{run_id} is paused already ({row.pause_reason}).")
        return
    if not _ask_owner(opened, row, cmd.Pause(by=_user())):
        say(f"Nobody is at work on {run_id}; there is nothing to pause.")


@click.command("cancel", epilog="Example: flownb cancel 1k3x9p2abcdef")
@click.argument("run_id", metavar="RUN")
@store_option
def cancel_command(run_id: str, store: str | None) -> None:
    """End a run now; that is final."""
    opened = open_existing(store)
    row = require_row(opened, run_id)
    if row.status == RunStatus.CANCELLED:
        click.echo(f"{run_id} is cancelled already.")
        return
    if row.status == RunStatus.COMPLETED:
        raise UsageError(f"{run_id} is completed; it can't be cancelled any more.")
    if not _ask_owner(opened, row, cmd.Cancel(by=_user())):
        _cancel_resting(opened, row)


def _ask_owner(store: Store, row: RunRow, command: cmd.Command) -> bool:
    """Leave a command for a living owner and wait for what comes of it; False where there is none."""
    owner = store.owner_of(row.id)
    if owner is None or not owner[1]:
        return False
    store.send(row.id, command)
    end = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < end:
        now = require_row(store, row.id)
        if now.status != row.status:
            click.echo(f"{row.id} is {now.status}.")
            return True
        time.sleep(0.05)
    say(f"{row.id} was asked; its nodes in flight are still at work.")
    return True


def _cancel_resting(store: Store, row: RunRow) -> None:
    """Nobody has the run: the end is written here, and no program is needed for it."""
    owner = current_owner()
    store.register(owner)
    lease = store.claim(row.id, owner)
    if lease is None:
        raise UsageError(f"{row.id} was taken by another process this moment; try again.")
    state = read_state(store, require_row(store, row.id))
    event = RunCancelledEvent(at=time.time(), by=_user())
    store.commit([Write(run=row.id, fence=lease.fence, first=state.seq + 1, events=(event,), release=True)])
    store.retire(owner.id)
    click.echo(f"{row.id} is cancelled.")


@click.command("retry", epilog="Example: flownb retry 1k3x9p2abcdef load")
@click.argument("run_id", metavar="RUN")
@click.argument("node")
@store_option
def retry_command(run_id: str, node: str, store: str | None) -> None:
    """Start a failed node again, with what was skipped because of it."""
    _about_node(run_id, node, store, cmd.RetryNode(node=node, by=_user()))


@click.command("skip", epilog="Example: flownb skip 1k3x9p2abcdef load")
@click.argument("run_id", metavar="RUN")
@click.argument("node")
@store_option
def skip_command(run_id: str, node: str, store: str | None) -> None:
    """End a node as skipped."""
    _about_node(run_id, node, store, cmd.SkipNode(node=node, by=_user()))


def _about_node(run_id: str, node: str, url: str | None, command: cmd.Command) -> None:
    store = open_existing(url)
    row = require_row(store, run_id)
    known = read_state(store, row).topology.index
    if node not in known:
        raise NotFound(f"{row.workflow} has no node {node!r}.{near_names(node, known)}")
    if RunStatus(row.status) in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        raise UsageError(f"{run_id} is {row.status}; that is final.")
    # Whoever takes the run up next finds the command waiting and obeys it first.
    store.send(run_id, command)
    owner = store.owner_of(run_id)
    if owner is None or not owner[1]:
        click.echo(f"Noted; `flownb resume {run_id}` goes on with it.")
    else:
        click.echo(f"{run_id} was asked.")
