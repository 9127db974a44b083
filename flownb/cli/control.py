"""Asking something of a run, wherever it is at work."""

from __future__ import annotations

import getpass
import time
from typing import TYPE_CHECKING, Final

import click

from flownb.cli.app import open_existing, say, store_option
from flownb.cli.ending import is_alive, resume_line, why
from flownb.cli.find import find_run
from flownb.errors import NotFound, UsageError, near_names
from flownb.model import commands as cmd
from flownb.model.events import Event, NodeCancelled, Reason, RunCancelledEvent
from flownb.model.status import NodeStatus, RunStatus
from flownb.run import calls
from flownb.run.calls import with_call
from flownb.run.plan import unfinished
from flownb.run.recovery.recover import read_state, require_row
from flownb.run.waiting.decisions import RERUN, settle_doubt
from flownb.run.waiting.judging import SKIP
from flownb.store.contract import Write
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.store.contract import Owner, RunRow, Store

#: Seconds to wait for the owner's answer before leaving it at the request.
_ANSWER_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.05
_AT_WORK: Final = (RunStatus.PENDING, RunStatus.RUNNING)
_FINAL: Final = (RunStatus.COMPLETED, RunStatus.CANCELLED)


def user() -> str:
    """Who is at the keyboard, as the operating system says."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


@click.command("pause", epilog="Example: flownb pause 1k3x9p2abcdef")
@click.argument("run_id", metavar="RUN")
@store_option
def pause_command(run_id: str, store: str | None) -> None:
    """Let a run start nothing more; nodes in flight end first. `flownb resume RUN` goes on."""
    opened = open_existing(store)
    row = find_run(opened, run_id)
    if RunStatus(row.status).ended:
        raise UsageError(f"Run {row.id} is {row.status}; there is nothing to pause.")
    if row.status == RunStatus.PAUSED:
        click.echo(f"{row.id} is paused already{why(row)}.")
    elif not _ask_owner(opened, row, cmd.Pause(by=user())):
        click.echo(f"{row.id} is unfinished, but nobody is at work on it; `{resume_line(row.id, store)}` goes on.")


@click.command("cancel", epilog="Example: flownb cancel 1k3x9p2abcdef")
@click.argument("run_id", metavar="RUN")
@store_option
def cancel_command(run_id: str, store: str | None) -> None:
    """End a run now; that is final."""
    opened = open_existing(store)
    row = find_run(opened, run_id)
    if row.status == RunStatus.CANCELLED:
        click.echo(f"{row.id} is cancelled already.")
        return
    if row.status == RunStatus.COMPLETED:
        raise UsageError(f"Run {row.id} is completed; it can't be cancelled any more.")
    if not _ask_owner(opened, row, cmd.Cancel(by=user())):
        _cancel_resting(opened, row)
        click.echo(f"{row.id} is cancelled.")


def _ask_owner(store: Store, row: RunRow, command: cmd.Command) -> bool:
    """Leave a command for a living owner and wait for what comes of it; False where there is none, or it died."""
    if not is_alive(store, row.id):
        return False
    store.send(row.id, command)
    end = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < end:
        now = require_row(store, row.id)
        if now.status != row.status and now.status not in _AT_WORK:
            click.echo(f"{row.id} is {now.status}{why(now)}.")
            return True
        if not is_alive(store, row.id):
            return False
        time.sleep(_LOOK_SECONDS)
    say(f"{row.id} was asked; its nodes in flight are still at work.")
    return True


def _cancel_resting(store: Store, row: RunRow) -> None:
    """Nobody has the run: the end is written here, and no program is needed for it.

    Raises:
        UsageError: another process took it this moment.
    """
    owner = current_owner()
    store.register(owner)
    try:
        parts = [each for each in store.rows(group=row.id) if each.id != row.id]
        for each in [*parts, row]:
            if each.status not in _FINAL:
                _end(store, each.id, owner)
    finally:
        store.retire(owner.id)
    calls.answer(store)
    calls.wait()


def _end(store: Store, run_id: str, owner: Owner) -> None:
    lease = store.claim(run_id, owner)
    if lease is None:
        raise UsageError(f"Run {run_id} was taken by another process this moment; try again.")
    state = read_state(store, require_row(store, run_id))
    now, paths = time.time(), state.topology.paths
    reason = Reason(group="run", message="the run was cancelled")
    events: list[Event] = [NodeCancelled(at=now, node=paths[number], reason=reason) for number in unfinished(state)]
    events.append(with_call(RunCancelledEvent(at=now, by=user()), state))
    store.commit([Write(run=run_id, fence=lease.fence, first=state.seq + 1, events=tuple(events), release=True)])


# --- one node ---------------------------------------------------------------------------------------------------------


@click.command("retry", epilog="Example: flownb retry 1k3x9p2abcdef load")
@click.argument("run_id", metavar="RUN")
@click.argument("node")
@store_option
def retry_command(run_id: str, node: str, store: str | None) -> None:
    """Start a failed node again, with what was skipped because of it; or one that is in doubt after a crash."""
    wanted = (NodeStatus.FAILED, NodeStatus.WAITING)
    _about_node(run_id, store, cmd.RetryNode(node=node, by=user()), wanted)


@click.command("skip", epilog="Example: flownb skip 1k3x9p2abcdef load")
@click.argument("run_id", metavar="RUN")
@click.argument("node")
@store_option
def skip_command(run_id: str, node: str, store: str | None) -> None:
    """End a node as skipped: what needs it is skipped as well."""
    wanted = [status for status in NodeStatus if status not in (NodeStatus.COMPLETED, NodeStatus.SKIPPED)]
    _about_node(run_id, store, cmd.SkipNode(node=node, by=user()), wanted)


def _about_node(
    run_id: str, url: str | None, command: cmd.RetryNode | cmd.SkipNode, wanted: Iterable[NodeStatus]
) -> None:
    """Leave a command about a node for whoever has the run, or takes it up next.

    Raises:
        NotFound: no such run or node.
        UsageError: the run is final, or the node is in no status in which that makes sense.
    """
    store = open_existing(url)
    row = find_run(store, run_id)
    state = read_state(store, row)
    if command.node not in state.topology.index:
        raise NotFound(f"{row.workflow} has no node {command.node!r}.{near_names(command.node, state.topology.index)}")
    if row.status in _FINAL:
        raise UsageError(f"Run {row.id} is {row.status}; that is final.")
    status = state.status_of(command.node)
    if status not in wanted:
        kind = "retried" if isinstance(command, cmd.RetryNode) else "skipped"
        raise UsageError(f"{command.node} is {status} in run {row.id}; it can't be {kind}.")
    alive = is_alive(store, row.id)
    port = RERUN if isinstance(command, cmd.RetryNode) else SKIP
    if not settle_doubt(store, state, command.node, port, at=time.time()):
        store.send(row.id, command)
    click.echo(f"{row.id} was asked." if alive else f"Noted; `{resume_line(row.id, url)}` goes on with it.")
