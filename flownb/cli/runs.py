"""Looking at runs: the list, one run, its journal, what its nodes printed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.cli.app import json_option, open_existing, store_option
from flownb.errors import NotFound, UsageError, near_names
from flownb.model.status import STATUS_ALIASES, RunStatus
from flownb.run.describe import describe_event, describe_row, describe_state
from flownb.run.recover import read_state, require_row

if TYPE_CHECKING:
    from flownb.model.events import Record
    from flownb.store.contract import RunRow, Store

#: A sign and a colour beside each word, so that colour is never the only sign.
_SIGNS: Final[dict[str, tuple[str, str]]] = {
    "pending": ("○", "white"),
    "queued": ("○", "white"),
    "running": ("◐", "blue"),
    "waiting": ("⧗", "yellow"),
    "paused": ("⧗", "yellow"),
    "completed": ("✔", "green"),
    "failed": ("✖", "red"),
    "skipped": ("»", "bright_black"),
    "cancelled": ("—", "bright_black"),
}


def status_text(status: str) -> str:
    """A status with its sign, coloured where that is seen."""
    sign, colour = _SIGNS[status]
    return click.style(f"{sign} {status}", fg=colour)


def when(seconds: float | None) -> str:
    """A local time for people."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else "-"


def duration(start: float | None, end: float | None) -> str:
    """A duration in one unit."""
    if not start or not end:
        return "-"
    seconds = end - start
    minute, hour = 60, 3600
    if seconds < 10:  # noqa: PLR2004  two digits that mean something
        return f"{seconds:.2f} s"
    if seconds < 2 * minute:
        return f"{seconds:.0f} s"
    return f"{seconds / minute:.0f} min" if seconds < 2 * hour else f"{seconds / hour:.1f} h"


@click.command("runs", epilog="Example: flownb runs --status failed")
@click.option("--status", help="Only runs in this status, as failed or paused.")
@click.option("--limit", default=50, show_default=True, help="How many at most; 0 for all.")
@store_option
@json_option
def runs_command(status: str | None, limit: int, store: str | None, *, as_json: bool) -> None:
    """List runs, newest first."""
    wanted = [_known_status(status)] if status else []
    opened = open_existing(store)
    found = list(opened.rows(status=wanted, limit=limit or None))
    if as_json:
        for row in found:
            click.echo(json.dumps(describe_row(row)))
        return
    if not found:
        click.echo(f"No {status + ' ' if status else ''}runs in {opened.url}.")
        return
    width = max(len(row.workflow) for row in found)
    for row in found:
        why = f" ({row.pause_reason})" if row.pause_reason else ""
        taken = duration(row.started_at, row.finished_at)
        click.echo(
            f"{row.id}  {row.workflow:<{width}}  {when(row.created_at)}  {taken:>8}  {status_text(row.status)}{why}"
        )
    if limit and len(found) == limit:
        click.echo(f"… the newest {limit}; --limit 0 lists all.", err=True)


def _known_status(status: str) -> str:
    name = STATUS_ALIASES.get(status, status)
    if name not in set(RunStatus):
        raise UsageError(f"A run has no status {status!r}.{near_names(status, RunStatus)}")
    return name


@click.command("show", epilog="Example: flownb show 1k3x9p2abcdef --json")
@click.argument("run_id", metavar="RUN")
@store_option
@json_option
def show_command(run_id: str, store: str | None, *, as_json: bool) -> None:
    """Show a run and each of its nodes."""
    opened = open_existing(store)
    row = require_row(opened, run_id)
    state = read_state(opened, row)
    if as_json:
        click.echo(json.dumps(describe_state(row, state, opened), indent=2))
        return
    show_run(opened, row, state)


def show_run(store: Store, row: RunRow, state: Any) -> None:
    """Print a run for people."""
    from flownb.store import values

    why = f" ({row.pause_reason})" if row.pause_reason else ""
    click.echo(f"{click.style(row.workflow, bold=True)}  {row.id}  {status_text(row.status)}{why}")
    click.echo(f"started {when(row.started_at)}, took {duration(row.started_at, row.finished_at)}; kept in {store.url}")
    if state.message:
        click.echo(state.message)
    for name, plain in state.inputs.items():
        click.echo(f"  {name} = {values.preview(plain, 100)}")
    document = describe_state(row, state)
    width = max((len(path) for path in document["nodes"]), default=0)
    for number, (path, node) in enumerate(document["nodes"].items()):
        taken = duration(state.node_started[number], state.node_finished[number]) if node["attempts"] else ""
        tries = f" ({node['attempts']} attempts)" if node["attempts"] > 1 else ""
        text = _second_column(node)
        click.echo(f"  {path:<{width}}  {status_text(node['status'])}{tries}  {taken:>8}  {text}".rstrip())
    if document["error"]:
        click.echo()
        click.echo(click.style(f"{document['error']['type']}: {document['error']['message']}", fg="red"))
        if document["error"]["traceback"]:
            click.echo(document["error"]["traceback"].rstrip())
    for name, plain in (state.results or state.outputs()).items():
        click.echo(f"{name}: {values.preview(plain, 500)}")
    for each in store.rows(group=row.id):
        click.echo(f"beneath it: {each.id}  {each.workflow}  {status_text(each.status)}")
    if row.status in ("failed", "paused", "running", "pending"):
        click.echo(f"`flownb resume {row.id}` goes on with it.", err=True)


def _second_column(node: dict[str, Any]) -> str:
    from flownb.store import values

    if node["error"]:
        return (
            f"{node['error']['type']}: {node['error']['message'].splitlines()[0] if node['error']['message'] else ''}"
        )
    if node["reason"]:
        return str(node["reason"])
    ports = f"→ {', '.join(node['ports'])} " if node["ports"] else ""
    return ports + (values.preview(node["output"], 80) if node["output"] is not None else "")


@click.command("events", epilog="Example: flownb events 1k3x9p2abcdef --follow --json")
@click.argument("run_id", metavar="RUN")
@click.option("--after", default=0, metavar="SEQ", help="Only events after this number.")
@click.option("--follow", is_flag=True, help="Stay until the run has ended or paused.")
@store_option
@json_option
def events_command(run_id: str, after: int, store: str | None, *, follow: bool, as_json: bool) -> None:
    """Print the journal of a run, one event a line."""
    opened = open_existing(store)
    require_row(opened, run_id)
    for record in _events(opened, run_id, after, follow=follow):
        document = describe_event(record)
        if as_json:
            click.echo(json.dumps(document))
        else:
            click.echo(_event_line(document))


def _events(store: Store, run_id: str, after: int, *, follow: bool) -> Any:
    while True:
        for record in store.events(run_id, after):
            after = record.seq
            yield record
        row = require_row(store, run_id)
        if not follow or RunStatus(row.status).ended or row.status == RunStatus.PAUSED:
            yield from store.events(run_id, after)
            return
        time.sleep(0.1)


def _event_line(document: dict[str, Any]) -> str:
    rest = {name: value for name, value in document.items() if name not in ("seq", "at", "type", "node")}
    text = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in rest.items())
    node = document.get("node") or ""
    return f"{document['seq']:>5}  {document['at']}  {document['type']:<16}  {node:<16}  {text[:200]}".rstrip()


@click.command("logs", epilog="Example: flownb logs 1k3x9p2abcdef load")
@click.argument("run_id", metavar="RUN")
@click.argument("node", required=False)
@store_option
@json_option
def logs_command(run_id: str, node: str | None, store: str | None, *, as_json: bool) -> None:
    """Print what the nodes of a run printed, logged and warned."""
    opened = open_existing(store)
    row = require_row(opened, run_id)
    if node is not None:
        known = read_state(opened, row).topology.index
        if node not in known:
            raise NotFound(f"Run {run_id} has no node {node!r}.{near_names(node, known)}")
    written = [record for record in opened.events(run_id) if _is_output(record, node)]
    for record in written:
        document = describe_event(record)
        if as_json:
            click.echo(json.dumps(document))
        else:
            _print_output(document, alone=node is not None)
    if not written and not as_json:
        click.echo(f"{node or 'No node of the run'} printed nothing.", err=True)


def _is_output(record: Record, node: str | None) -> bool:
    document = describe_event(record)
    return document["type"] == "node_output" and node in (None, document["node"])


def _print_output(document: dict[str, Any], *, alone: bool) -> None:
    for line in document["text"].splitlines():
        click.echo(line if alone else f"{document['node']}: {line}")
