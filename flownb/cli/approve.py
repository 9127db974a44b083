"""Looking at what runs ask people, and answering."""

from __future__ import annotations

import json
import shlex
import time
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.ending import is_alive, resume_line
from flownb.cli.look import when
from flownb.errors import Conflict, NotFound, UsageError, near_names
from flownb.run.handles.describe import describe_request
from flownb.run.waiting.decisions import decide, look_after, remind
from flownb.run.waiting.judging import REJECTED, standing
from flownb.services.harmless import line
from flownb.services.identity import Who

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

_LEAST: Final = 4
_REFUSED: Final = 1
#: How long a list waits for what it has sent, in seconds.
_SEND_SECONDS: Final = 5.0


@click.command("approvals", epilog="Example: flownb approvals --json")
@click.option("--all", "everything", is_flag=True, help="Those that have an answer as well.")
@click.option("--send", is_flag=True, help="List nothing: tell people what they are to be told by now, as cron may do.")
@store_option
@json_option
def approvals_command(store: str | None, *, everything: bool, send: bool, as_json: bool) -> int:
    """List what runs ask people, oldest first, with what is shown beside it; with --json, an object a line.

    What nobody answered in time expires now, and mails and reminders that are due go out, if they have not already.
    With --send that is all that is done: a line for each, and exit status 1 where one could not be delivered.
    """
    from flownb.run.handles.question import answer_lines, question_lines

    opened = open_existing(store)
    if send:
        return _send(opened, as_json=as_json)
    now = time.time()
    look_after(opened, now)
    rows = opened.approvals(pending=not everything)
    place = f" --store {shlex.quote(store)}" if store else ""
    for row in rows:
        remind(opened, row, now)
        if as_json:
            click.echo(json.dumps(describe_request(row)))
            continue
        click.echo(
            f"{row.id}  {when(row.created_at)}  {_told(row)}  {line(row.workflow, 40)}  {row.run}  {line(row.node, 60)}"
        )
        for text in question_lines(row, now):
            click.echo(text)
        if row.status == "pending":
            for text in answer_lines(row.request, place):
                click.echo(f"      {text}")
    if not rows and not as_json:
        click.echo("Nobody is asked anything.")
    if (moment := opened.next_notice()) is not None and moment <= now:
        from flownb.run.waiting.deliveries import deliveries

        deliveries().soon(opened, time.time)
        deliveries().wait(_SEND_SECONDS)
    return 0


def _send(opened: Store, *, as_json: bool) -> int:
    """One pass over what is due."""
    from flownb.run.handles.told import describe_outcome, outcome_line
    from flownb.run.waiting.lookout import look_over

    failed = False
    for told in look_over(opened, time.time):
        failed = failed or bool(told.why)
        click.echo(json.dumps(describe_outcome(told)) if as_json else f"{told.approval}  {outcome_line(told)}")
    return _REFUSED if failed else 0


def _told(row: ApprovalRow) -> str:
    """How a request stands, and whose answer it was."""
    if row.decision is None or row.port is None:
        return row.status
    if row.status == "expired":
        return f"expired, {row.port}"
    claim = getattr(row.decision, "claim", "")
    user = getattr(row.decision, "user", "") or row.decided_by or "somebody"
    who = Who(row.decided_by or "somebody", user, claim, via=getattr(row.decision, "via", ""))
    return f"{row.status}: {row.port} by {line(who.told, 80)} {when(row.decided_at)}"


def _options(function: Any) -> Any:
    for option in (
        click.argument("approval_id", metavar="ID"),
        click.option("--comment", default="", metavar="TEXT", help="A word for the record."),
        click.option("--data", metavar="JSON", help="What comes with the answer: its form, or changed data."),
        click.option("--as", "claim", default="", metavar="USER", help="Who you say you are; recorded as a claim."),
        click.option("--resume", "go_on", is_flag=True, help="Go on with the run here, where nobody has it."),
        store_option,
        click.pass_context,
    )[::-1]:
        function = option(function)
    return function


@click.command("approve", epilog="Example: flownb approve 5e1c --data '{\"cost_centre\": 4200}'")
@click.option("--port", "-P", metavar="PORT", help="Which answer, where it is not the usual one.")
@_options
def approve_command(
    ctx: click.Context,
    *,
    approval_id: str,
    port: str | None,
    data: str | None,
    comment: str,
    claim: str,
    go_on: bool,
    store: str | None,
) -> int:
    """Answer what a run asks; `flownb approvals` lists the ids, and the beginning of one is enough.

    The answer is recorded, and the process that has the run goes on by itself; else the line that is printed does.
    Leaves with 1 where it was answered before, or nobody waits any more.
    """
    return _answer(
        ctx,
        approval_id,
        lambda _: port,
        data=data,
        comment=comment,
        claim=claim,
        go_on=go_on,
        store=store,
    )


@click.command("reject", epilog="Example: flownb reject 5e1c --comment 'The sum is wrong.'")
@click.option("--port", "-P", metavar="PORT", help="Another answer than rejected.")
@_options
def reject_command(
    ctx: click.Context,
    *,
    approval_id: str,
    port: str | None,
    data: str | None,
    comment: str,
    claim: str,
    go_on: bool,
    store: str | None,
) -> int:
    """Say no to what a run asks; nothing behind `approved` runs then. As `approve` in all else."""
    return _answer(
        ctx,
        approval_id,
        lambda row: port or _no(row),
        data=data,
        comment=comment,
        claim=claim,
        go_on=go_on,
        store=store,
    )


def _no(row: ApprovalRow) -> str:
    if REJECTED in row.request.ports:
        return REJECTED
    raise UsageError(f"{row.node} can't be rejected; it can be answered with {'|'.join(row.request.ports)}.")


def _answer(
    ctx: click.Context,
    approval_id: str,
    port_of: Callable[[ApprovalRow], str | None],
    *,
    data: str | None,
    comment: str,
    claim: str,
    go_on: bool,
    store: str | None,
) -> int:
    opened = open_existing(store)
    row = find_request(opened, approval_id)
    given = _read(data)
    try:
        answer = decide(
            opened, row.run, row.id, port=port_of(row), at=time.time(), claim=claim, data=given, comment=comment
        )
    except Conflict as late:
        say(str(late))
        return _REFUSED
    if answer.port is None:
        click.echo(f"{answer.node} in run {answer.run}: your answer is counted; {standing(answer)}.")
        return 0
    click.echo(f"{answer.node} in run {answer.run}: {_told(answer)}.")
    if go_on and not is_alive(opened, row.run):
        from flownb.cli.run import resume_command

        return int(ctx.invoke(resume_command, run_id=row.run, store=store) or 0)
    if not is_alive(opened, row.run):
        say(f"`{resume_line(row.run, store)}` goes on with it, unless a process that has its program does so now.")
    return 0


def find_request(store: Store, text: str) -> ApprovalRow:
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


def _read(data: str | None) -> Any:
    if data is None:
        return None
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--data is no JSON: {error}. Text is JSON in quotes, as --data '\"done\"'.") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")
