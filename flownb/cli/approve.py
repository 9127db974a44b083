"""Looking at what runs ask people, and answering."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.control import user
from flownb.cli.ending import is_alive, resume_line
from flownb.cli.harmless import block, line
from flownb.cli.look import when
from flownb.errors import NotFound, UsageError, near_names
from flownb.run.handles.describe import describe_request
from flownb.run.waiting.decisions import decide
from flownb.store import values

if TYPE_CHECKING:
    from flownb.store.contract import ApprovalRow, Store

_LEAST: Final = 4
_APPROVED: Final = "approved"


@click.command("approvals", epilog="Example: flownb approvals --json")
@click.option("--all", "everything", is_flag=True, help="Those that have an answer as well.")
@store_option
@json_option
def approvals_command(store: str | None, *, everything: bool, as_json: bool) -> None:
    """List what runs ask people, oldest first; with --json, an object a line."""
    opened = open_existing(store)
    rows = opened.approvals(pending=not everything)
    for row in rows:
        if as_json:
            click.echo(json.dumps(describe_request(row)))
            continue
        answer = "" if row.port is None else f"  {row.port} by {line(row.decided_by or 'somebody', 40)}"
        click.echo(
            f"{row.id}  {when(row.created_at)}  {row.status}{answer}  {line(row.workflow, 40)}  {row.run}  "
            f"{line(row.node, 60)}"
        )
        click.echo(f"    {block(row.request.question)}  [{' | '.join(row.request.ports)}]")
    if not rows and not as_json:
        click.echo("Nobody is asked anything.")


@click.command("approve", epilog="Example: flownb approve 5e1c --port completed --data '{\"sent\": 3}'")
@click.argument("approval_id", metavar="ID")
@click.option("--port", "-P", metavar="PORT", help="Which answer, where there are others than approved.")
@click.option("--data", metavar="JSON", help="What comes with the answer.")
@click.option("--comment", default="", metavar="TEXT", help="A word for the record.")
@click.option("--resume", "go_on", is_flag=True, help="Go on with the run here, where nobody has it.")
@store_option
@click.pass_context
def approve_command(
    ctx: click.Context,
    *,
    approval_id: str,
    port: str | None,
    data: str | None,
    comment: str,
    go_on: bool,
    store: str | None,
) -> int:
    """Answer what a run asks; `flownb approvals` lists the ids, and the beginning of one is enough.

    The answer is recorded, and the process that has the run goes on by itself.
    """
    opened = open_existing(store)
    row = _find(opened, approval_id)
    answer = decide(
        opened,
        row.run,
        row.id,
        port=port or _usual(row),
        at=time.time(),
        by=user(),
        data=_read(data, opened),
        comment=comment,
    )
    click.echo(f"{answer.node} in run {answer.run}: {answer.port}, by {answer.decided_by}.")
    if go_on and not is_alive(opened, row.run):
        from flownb.cli.run import resume_command

        return int(ctx.invoke(resume_command, run_id=row.run, store=store) or 0)
    if not is_alive(opened, row.run):
        say(f"`{resume_line(row.run, store)}` goes on with it, unless a process that has its program does so now.")
    return 0


def _usual(row: ApprovalRow) -> str:
    if _APPROVED in row.request.ports:
        return _APPROVED
    raise UsageError(f"{row.node} has several answers; say which: --port {'|'.join(row.request.ports)}.")


def _find(store: Store, text: str) -> ApprovalRow:
    """The request with this id, or the only one whose id begins so.

    Raises:
        NotFound: there is none; near ids are listed.
        UsageError: several ids begin so.
    """
    rows = store.approvals(pending=False)
    found = [row for row in rows if row.id == text]
    if not found and len(text) >= _LEAST:
        found = [row for row in rows if row.id.startswith(text)]
    if not found:
        waiting = [row.id for row in rows if row.port is None]
        raise NotFound(f"There is no request {text!r}.{near_names(text, waiting)} `flownb approvals` lists them.")
    if len(found) > 1:
        shown = ", ".join(f"{row.id} ({row.node})" for row in found[:10])
        raise UsageError(f"{len(found)} requests begin with {text!r}: {shown}. Give more of the id.")
    return found[0]


def _read(data: str | None, store: Store) -> Any:
    if data is None:
        return None
    try:
        return values.store(json.loads(data), store.artifacts).plain
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--data is no JSON: {error}. Text is JSON in quotes, as --data '\"done\"'.") from None
