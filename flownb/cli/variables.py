"""What workflows remember between runs: looked at, set and forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.control import user
from flownb.cli.look import when
from flownb.cli.typed import typed_as
from flownb.errors import NotFound, UsageError, near_names
from flownb.model.times import iso
from flownb.services.harmless import line
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.model.workflow import Variable
    from flownb.store.contract import Store, VariableRow


@click.command("variables", epilog="Example: flownb variables invoices --set limit 500")
@click.argument("workflow", required=False)
@click.option("--set", "given", nargs=2, multiple=True, metavar="NAME VALUE", help="Set one; VALUE is JSON, else text.")
@click.option("--unset", multiple=True, metavar="NAME", help="Forget one.")
@store_option
@json_option
def variables_command(
    workflow: str | None,
    given: tuple[tuple[str, str], ...],
    unset: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
) -> None:
    """List what workflows remember between runs, or set it: runs that start later begin with it.

    A run that is at work keeps what it began with.
    """
    opened = open_existing(store)
    if given or unset:
        if workflow is None:
            raise UsageError("Say whose variable it is: `flownb variables WORKFLOW --set NAME VALUE`.")
        _change(opened, workflow, given, unset)
    rows = opened.variables(workflow)
    if as_json:
        for row in rows:
            click.echo(json.dumps(_document(row)))
        return
    if not rows:
        click.echo(f"{workflow or 'No workflow'} remembers {'nothing' if workflow else 'anything'} in {opened.url}.")
    for row in rows:
        name = row.event.name if workflow else f"{row.workflow}.{row.event.name}"
        click.echo(f"{line(name, 60)} = {line(values.preview(row.event.value, 100), 100)}  {_origin(row)}")


def _change(store: Store, workflow: str, given: Iterable[tuple[str, str]], unset: Iterable[str]) -> None:
    from flownb.run.workflow_variables import WorkflowVariables

    declared = _declared(store, workflow)
    variables = WorkflowVariables(store, workflow, declared or (), by=user())
    there = set(variables)
    for name in unset:
        if name not in there:
            raise NotFound(f"{workflow} has no variable {name!r}.{near_names(name, there)}")
    for name in unset:
        variables.pop(name, None)
    for name, text in given:
        variables[name] = typed_as(declared or (), name, text)
    if declared is None and given:
        others = {row.workflow for row in store.rows(limit=200)}
        say(f"No run of {workflow} is in {store.url} yet; its first will find it.{near_names(workflow, others)}")


def _declared(store: Store, workflow: str) -> tuple[Variable, ...] | None:
    """The inputs and variables of the workflow as its newest run knew them; None where it has no run."""
    from flownb.model.document import from_json

    for row in store.rows(workflow=workflow, limit=1):
        document = store.definition(row.definition) if row.definition else None
        return from_json(document).variables if document else ()
    return None


def _document(row: VariableRow) -> dict[str, Any]:
    event = row.event
    return {
        "workflow": row.workflow,
        "name": event.name,
        "value": event.value,
        "set_at": iso(event.at),
        "run": row.run,
        "node": event.node,
        "by": event.by or None,
    }


def _origin(row: VariableRow) -> str:
    who = f"by {row.event.node} of run {row.run}" if row.event.node else f"by {row.event.by or 'somebody'}"
    return click.style(f"set {when(row.event.at)} {who}", dim=True)
