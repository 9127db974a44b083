"""Going back to an event of a run, and on from there as another run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.control import user
from flownb.cli.find import find_run
from flownb.cli.run import output_option, resume_command, wait_option
from flownb.cli.typed import typed_as
from flownb.errors import NotFound
from flownb.ids import new_run_id
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.store.contract import RunRow, Store


@click.command("fork", epilog="Example: flownb fork 1k3x9p2abcdef --at 12 --set limit 500")
@click.argument("run_id", metavar="RUN")
@click.option("--at", type=int, metavar="SEQ", help="The last event that both share, as `flownb events RUN` lists it.")
@click.option(
    "--set",
    "given",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Change a variable, an input or the output of a node; VALUE is JSON, else text.",
)
@output_option
@wait_option
@store_option
@json_option
@click.pass_context
def fork_command(
    context: click.Context, /, *, run_id: str, at: int | None, given: tuple[tuple[str, str], ...], **resuming: Any
) -> int:
    """Go back to an event of a run, and on from there as another run, with something changed.

    What had ended by then is not done again, but for what depends on something that is changed. The run itself stays
    as it is.
    """
    opened = open_existing(resuming["store"])
    row = find_run(opened, run_id)
    if not row.program:
        raise NotFound(
            f"How run {row.id} was started is not recorded: a script that started it forks it, by run.fork()."
        )
    new = _fork(opened, row, at, given)
    say(f"{new} goes on from {'the last event' if at is None else f'event {at}'} of {row.id}.")
    status: int = context.invoke(resume_command, run_id=new, migrate=False, **resuming)
    return status


def _fork(store: Store, row: RunRow, at: int | None, given: Iterable[tuple[str, str]]) -> str:
    from flownb.run.recovery.fork import fork
    from flownb.run.recovery.recover import pinned_shape

    declared = pinned_shape(store, row).workflow.variables
    changes = {name: typed_as(declared, name, text) for name, text in given}
    owner = current_owner()
    store.register(owner)
    try:
        return fork(store, row, owner, new_run_id(), at=at, changes=changes, now=time.time(), by=user())
    finally:
        store.retire(owner.id)
