"""Whether the program is still the one that a run was started with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import DefinitionDrift
from flownb.run.recovery.drift import difference
from flownb.run.recovery.migrate import obstacles
from flownb.run.recovery.recover import read_state

if TYPE_CHECKING:
    from flownb.run.definition import Definition
    from flownb.run.request import Request
    from flownb.store.contract import RunRow


def check_drift(request: Request, row: RunRow, *, migrate: bool) -> None:
    """The program must be the one that the run was started with.

    Raises:
        DefinitionDrift: it is not, and `migrate` is off, or what changed can't be moved; with the difference.
    """
    definition: Definition = request.definition
    if row.definition in ("", definition.hash):
        return
    recorded = request.store.definition(row.definition)
    text = difference(recorded or "", definition.document)
    if not migrate:
        raise DefinitionDrift(
            f"{row.workflow} is not what run {row.id} was started with:\n{text}\n"
            f"`flownb resume {row.id} --migrate` goes on with it as it is now; or put it back.",
            run=row.id,
            difference=text,
        )
    found = obstacles(read_state(request.store, row), definition)
    if found:
        listed = "\n".join(f"- {each}" for each in found)
        raise DefinitionDrift(
            f"Run {row.id} can't go over to {row.workflow} as it is now; nothing was changed:\n{listed}\n"
            f"What has changed:\n{text}\n"
            f"Put back what is named first, or go on as it was with `flownb resume {row.id}`.",
            run=row.id,
            difference=text,
            obstacles=found,
        )
    request.store.put_definition(definition.hash, definition.document)
    request.moves = True
