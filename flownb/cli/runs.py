"""Looking at runs: the list, one run, its journal, what its nodes printed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.ending import is_alive, results, sentences, why
from flownb.cli.find import find_run
from flownb.cli.look import duration, status_text, waiting_text, when
from flownb.cli.printed import Printed
from flownb.errors import NotFound, UsageError, near_names
from flownb.model.events import NodeOutput
from flownb.model.status import STATUS_ALIASES, RunStatus
from flownb.services.harmless import block, line
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flownb.model.events import Record
    from flownb.model.state import RunState
    from flownb.store.contract import RunRow, Store

_NEWEST: Final = 50
_MOST_NAME: Final = 40
_MOST_NODE: Final = 60
_MOST_STEPS: Final = 10
_LOOK_SECONDS: Final = 0.1
#: Every so many looks, whether the run's process still lives.
_OWNER_LOOKS: Final = 10


@click.command("runs", epilog="Example: flownb runs --status failed")
@click.option("--status", help="Only runs in this status, as failed or paused.")
@click.option("--limit", type=click.IntRange(0), help=f"How many at most, 0 for all; {_NEWEST}, and all with --json.")
@store_option
@json_option
def runs_command(status: str | None, limit: int | None, store: str | None, *, as_json: bool) -> None:
    """List runs, newest first; with --json, an object a line."""
    wanted = [_known_status(status)] if status else []
    if limit is None:
        limit = 0 if as_json else _NEWEST
    opened = open_existing(store)
    rows = opened.rows(status=wanted, limit=limit + 1 if limit else None)
    if as_json:
        from flownb.run.handles.describe import describe_row

        for number, row in enumerate(rows):
            if not limit or number < limit:
                click.echo(json.dumps(describe_row(row)))
        return
    found = list(rows)
    if not found:
        click.echo(f"There are no {f'{wanted[0]} ' if wanted else ''}runs in {opened.url}.")
        return
    shown = found[:limit] if limit else found
    width = max(len(line(row.workflow, _MOST_NAME)) for row in shown)
    for row in shown:
        click.echo(_row_line(row, width))
    if len(shown) < len(found):
        say(f"these are the newest {limit}; --limit 0 lists all.")


def _known_status(status: str) -> str:
    name = STATUS_ALIASES.get(status, status)
    if name not in set(RunStatus):
        raise UsageError(f"A run has no status {status!r}.{near_names(status, RunStatus)}")
    return name


def _row_line(row: RunRow, width: int = 0) -> str:
    taken = duration(row.started_at, row.finished_at)
    name = line(row.workflow, _MOST_NAME)
    key = f"  key {line(row.key, _MOST_NAME)}" if row.key else ""
    return f"{row.id}  {name:<{width}}  {when(row.created_at)}  {taken:>8}  {status_text(row.status)}{why(row)}{key}"


# --- one run ----------------------------------------------------------------------------------------------------------


@click.command("show", epilog="Example: flownb show 1k3x9p2abcdef --json")
@click.argument("run_id", metavar="RUN")
@store_option
@json_option
def show_command(run_id: str, store: str | None, *, as_json: bool) -> None:
    """Show a run and each of its nodes; the beginning of its id is enough."""
    opened = open_existing(store)
    row = find_run(opened, run_id)
    from flownb.run.handles.describe import describe_state
    from flownb.run.recovery.recover import read_state

    state = read_state(opened, row)
    if as_json:
        click.echo(json.dumps(describe_state(row, state, opened), indent=2))
        return
    for text in _about_run(opened, row, state):
        click.echo(text)
    if state.status is not RunStatus.FAILED:
        for text in sentences(opened, row, state, store):
            say(text)
    else:
        say(list(sentences(opened, row, state, store))[-1])


def _about_run(store: Store, row: RunRow, state: RunState) -> Iterator[str]:
    now = None if state.status.ended else time.time()
    name = click.style(line(row.workflow, 100), bold=True)
    yield f"{name}  {row.id}  {status_text(state.status)}{why(row)}"
    facts = [f"started {when(state.started_at)}", f"took {duration(state.started_at, state.finished_at or now)}"]
    facts += [f"key {line(row.key, 100)}"] if row.key else []
    yield f"{', '.join(facts)}; kept in {store.url}"
    if state.forked_from is not None:
        yield f"forked from {state.forked_from.source} at its event {state.forked_from.seq}"
    for run, seq in store.forks(row.id).items():
        yield f"forked at event {seq}: {run}"
    for name, plain in state.inputs.items():
        yield f"  {line(name, _MOST_NODE)} = {line(values.preview(plain, 100), 100)}"
    from flownb.run.handles.describe import describe_state

    document = describe_state(row, state, store)
    width = max((len(line(path, _MOST_NODE)) for path in document["nodes"]), default=0)
    for number, (path, node) in enumerate(document["nodes"].items()):
        yield _node_line(state, number, path, node, width)
        yield from _step_lines(node.get("steps", {}))
        yield from (_answer_line(each) for each in document["approvals"] if each["node"] == path and each["decided_at"])
    if not document["nodes"]:
        yield (
            "  It has no nodes: no flow was started in it." if state.status.ended else "  No flow is started in it yet."
        )
    if error := document["error"]:
        yield ""
        yield click.style(line(f"{error['type']}: {error['message']}", 2000), fg="red")
        yield from [block(error["traceback"]).rstrip()] if error["traceback"] else []
    for name, plain in results(row, state).items():
        yield f"{line(name, _MOST_NODE)}: {line(values.preview(plain, 500), 500)}"
    for each in store.rows(group=row.id):
        if each.id != row.id:
            yield f"beneath it: {_row_line(each)}"


def _answer_line(asked: dict[str, Any]) -> str:
    """What came of a question."""
    claim = f" (as {asked['claim']})" if asked["claim"] not in (None, asked["decided_by"]) else ""
    by = f" by {asked['decided_by']}{claim}" if asked["decided_by"] else ""
    said = f": {asked['comment']}" if asked["comment"] else ""
    told = f"{asked['status']}{by}, {asked['decided_at']}{said}"
    return f"      {line(told, 200)}"


def _node_line(state: RunState, number: int, path: str, node: dict[str, Any], width: int) -> str:
    started, finished = state.node_started[number], state.node_finished[number]
    taken = duration(started, finished or time.time()) if node["attempts"] else ""
    tries = f"({node['attempts']} attempts) " if node["attempts"] > 1 else ""
    name = line(path, _MOST_NODE)
    text = f"{tries}{_became(state, number, node)}"
    return f"  {name:<{width}}  {status_text(node['status'], 9)}  {taken:>8}  {text}".rstrip()


def _step_lines(steps: dict[str, Any]) -> Iterator[str]:
    for number, (name, plain) in enumerate(steps.items()):
        if number == _MOST_STEPS:
            yield f"      … and {len(steps) - _MOST_STEPS} more steps"
            return
        yield f"      · {line(name, _MOST_NODE)}: {line(values.preview(plain, 80), 80)}"


def _became(state: RunState, number: int, node: dict[str, Any]) -> str:
    if node["error"]:
        return line(f"{node['error']['type']}: {node['error']['message']}", 120)
    if node["reason"]:
        return line(node["reason"], 120)
    if number in state.waits:
        return waiting_text(state.waits[number].waits_for)
    if node["status"] == "running" and number in state.progress:
        return line(state.progress[number].text, 120)
    ports = f"→ {', '.join(node['ports'])} " if node["ports"] else ""
    return line(ports + (values.preview(node["output"], 80) if node["output"] is not None else ""), 120)


# --- its journal ------------------------------------------------------------------------------------------------------


@click.command("events", epilog="Example: flownb events 1k3x9p2abcdef --follow --json")
@click.argument("run_id", metavar="RUN")
@click.option("--after", default=0, metavar="SEQ", help="Only events after this number.")
@click.option("--follow", is_flag=True, help="Stay until the run has ended or paused.")
@store_option
@json_option
def events_command(run_id: str, after: int, store: str | None, *, follow: bool, as_json: bool) -> None:
    """Print the journal of a run, one event a line."""
    opened = open_existing(store)
    row = find_run(opened, run_id)
    records = _followed(opened, row.id, after) if follow else opened.events(row.id, after)
    for record in records:
        from flownb.run.handles.describe import describe_event

        document = describe_event(record)
        click.echo(json.dumps(document) if as_json else _event_line(document))


def _followed(store: Store, run_id: str, after: int) -> Iterator[Record]:
    """The events of a run, until it rests or nobody is at work on it."""
    looks, version = 0, -1
    while True:
        now = store.version()
        alive = looks % _OWNER_LOOKS or is_alive(store, run_id)
        if now != version or not alive:
            version = now
            from flownb.run.recovery.recover import require_row

            row = require_row(store, run_id)
            for record in store.events(run_id, after):
                after = record.seq
                yield record
            if RunStatus(row.status).ended or row.status == RunStatus.PAUSED:
                return
            if not alive:
                say(f"Run {run_id} is unfinished and nobody is at work on it; `flownb resume {run_id}` goes on.")
                return
        looks += 1
        time.sleep(_LOOK_SECONDS)


def _event_line(document: dict[str, Any]) -> str:
    rest = {name: value for name, value in document.items() if name not in ("seq", "at", "type", "node")}
    text = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in rest.items())
    node = line(document.get("node") or "", _MOST_NODE)
    return f"{document['seq']:>5}  {document['at']}  {document['type']:<16}  {node:<16}  {line(text, 200)}".rstrip()


# --- what its nodes printed -------------------------------------------------------------------------------------------


@click.command("logs", epilog="Example: flownb logs 1k3x9p2abcdef load")
@click.argument("run_id", metavar="RUN")
@click.argument("node", required=False)
@store_option
@json_option
def logs_command(run_id: str, node: str | None, store: str | None, *, as_json: bool) -> None:
    """Print what the nodes of a run printed, logged and warned."""
    opened = open_existing(store)
    row = find_run(opened, run_id)
    if node is not None:
        from flownb.run.recovery.recover import read_state

        known = read_state(opened, row).topology.index
        if node not in known:
            raise NotFound(f"Run {row.id} has no node {node!r}.{near_names(node, known)}")
    records = opened.events(row.id)
    written = [record for record in records if _is_output(record, node)]
    if as_json:
        for record in written:
            from flownb.run.handles.describe import describe_event

            click.echo(json.dumps(describe_event(record)))
        return
    for text in _printed([record.event for record in written], alone=node is not None):
        click.echo(text)
    if not written:
        say("No node of the run printed anything." if node is None else f"{node} printed nothing.")


def _is_output(record: Record, node: str | None) -> bool:
    return isinstance(record.event, NodeOutput) and node in (None, record.event.node)


def _printed(written: Iterable[Any], *, alone: bool) -> Iterator[str]:
    printed = Printed()
    for event in written:
        start = "" if alone else f"{line(event.node, _MOST_NODE)}: "
        for text in printed.add(event.node, event.text):
            yield f"{start}{text}"
    for node in printed.nodes():
        start = "" if alone else f"{line(node, _MOST_NODE)}: "
        for text in printed.end(node):
            yield f"{start}{text}"
