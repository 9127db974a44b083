"""What failed and waits for somebody: listed, shown, run again, dropped."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.control import user
from flownb.cli.find import find_run
from flownb.cli.look import when
from flownb.errors import FlownbError, UsageError
from flownb.run.recovery.letters import ask_again, describe_letter, drop, find_letters, letter_id
from flownb.run.recovery.recover import require_row
from flownb.services.harmless import block, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flownb.store.contract import Store
    from flownb.store.letters import DeadLetter

_MOST_ID: Final = 60
_MOST_NAME: Final = 40
_WRONG_USE: Final = 2


@click.group(
    "dead-letters", invoke_without_command=True, epilog="Example: flownb dead-letters retry 1k3x9p2abcdef:load"
)
@click.option("--run", "run_id", metavar="RUN", help="Only those of this run.")
@store_option
@json_option
@click.pass_context
def dead_letters_command(ctx: click.Context, run_id: str | None, store: str | None, *, as_json: bool) -> None:
    """List the nodes that failed and that nobody has taken care of, oldest first; show, retry or drop them.

    A letter is called by the idempotency key of its node, `RUN:NODE`; RUN alone means all of a run's.
    """
    ctx.obj = {"store": store, "as_json": as_json}
    if ctx.invoked_subcommand is not None:
        return
    opened = open_existing(store)
    letters = opened.dead_letters(find_run(opened, run_id).id if run_id else None)
    if as_json:
        for each in letters:
            click.echo(json.dumps(_document(opened, each)))
        return
    if not letters:
        click.echo(f"There are no dead letters in {opened.url}.")
    for each in letters:
        error = line(each.event.error.text, 100)
        click.echo(
            f"{line(letter_id(each), _MOST_ID)}  {line(each.workflow, _MOST_NAME)}  {when(each.event.at)}  {error}"
        )


def _document(store: Store, letter: DeadLetter) -> dict[str, Any]:
    return describe_letter(letter, require_row(store, letter.run).status)


@dead_letters_command.command("show", epilog="Example: flownb dead-letters show 1k3x9p2abcdef:load")
@click.argument("letter", metavar="ID")
@store_option
@json_option
@click.pass_obj
def show_letter(given: dict[str, Any], letter: str, store: str | None, *, as_json: bool) -> None:
    """Show one, with its error as it was recorded."""
    opened = open_existing(store or given["store"])
    for each in find_letters(opened, [letter]):
        document = _document(opened, each)
        if as_json or given["as_json"]:
            click.echo(json.dumps(document, indent=2))
            continue
        error = each.event.error
        click.echo(f"{click.style(line(each.node, _MOST_ID), bold=True)} of {line(each.workflow, _MOST_NAME)}")
        click.echo(
            f"run {each.run} ({document['run_status']}), failed {when(each.event.at)}, {error.error_class} error"
        )
        click.echo(click.style(line(error.text, 2000), fg="red"))
        if error.traceback:
            click.echo(block(error.traceback).rstrip())


@dead_letters_command.command("retry", epilog="Example: flownb dead-letters retry --all")
@click.argument("letters", metavar="[ID]…", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that are on the list.")
@store_option
@click.pass_context
def retry_letters(ctx: click.Context, letters: tuple[str, ...], store: str | None, *, every: bool) -> int:
    """Run nodes again in their runs, under the same idempotency keys, with what was skipped because of them."""
    place = store or ctx.obj["store"]
    opened = open_existing(place)
    worst = 0
    for run, nodes in _by_run(_chosen(opened, letters, every=every)).items():
        try:
            worst = max(worst, _again(ctx, opened, run, nodes, place))
        except FlownbError as error:
            if not every:
                raise
            say(str(error))
            worst = max(worst, _WRONG_USE if isinstance(error, UsageError) else 1)
    return worst


def _again(ctx: click.Context, store: Store, run: str, nodes: Sequence[str], place: str | None) -> int:
    from flownb.cli.run import resume_command

    if ask_again(store, run, nodes, by=user()):
        click.echo(f"{run} is at work and was asked.")
        return 0
    result = ctx.invoke(
        resume_command, run_id=run, output=None, store=place, migrate=False, wait=False, as_json=ctx.obj["as_json"]
    )
    return result if isinstance(result, int) else 0


@dead_letters_command.command("drop", epilog="Example: flownb dead-letters drop 1k3x9p2abcdef:load")
@click.argument("letters", metavar="[ID]…", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that are on the list.")
@store_option
@click.pass_obj
def drop_letters(given: dict[str, Any], letters: tuple[str, ...], store: str | None, *, every: bool) -> None:
    """Take nodes off the list; their runs stay as they are."""
    opened = open_existing(store or given["store"])
    for run, nodes in _by_run(_chosen(opened, letters, every=every)).items():
        drop(opened, run, nodes, at=time.time(), by=user())
        click.echo(f"{run}: {', '.join(line(node, _MOST_ID) for node in nodes)} dropped.")


def _chosen(store: Store, names: Sequence[str], *, every: bool) -> list[DeadLetter]:
    if every and names:
        raise UsageError("Give ids, or --all.")
    if every:
        return store.dead_letters()
    if not names:
        raise UsageError("Say which: an id as `flownb dead-letters` lists them, or --all.")
    return find_letters(store, names)


def _by_run(letters: Sequence[DeadLetter]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in letters:
        found.setdefault(each.run, []).append(each.node)
    return found
