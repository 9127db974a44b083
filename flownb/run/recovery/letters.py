"""Dead letters, taken up again or taken off the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import Conflict, NotFound, UsageError, near_names
from flownb.ids import attempt_key
from flownb.model import commands as cmd
from flownb.model.events import DeadLetterDropped
from flownb.model.status import RunStatus
from flownb.model.times import iso
from flownb.run.handles.describe import describe_failure
from flownb.run.recovery.recover import read_state, refuse_undone, require_row
from flownb.store.contract import Write
from flownb.store.owner import current_owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flownb.store.contract import Store
    from flownb.store.letters import DeadLetter

_FINAL = (RunStatus.COMPLETED, RunStatus.CANCELLED)


def letter_id(letter: DeadLetter) -> str:
    """What a letter is called by: the idempotency key of its node, which stays the same when that runs again."""
    return attempt_key(letter.run, letter.node)


def find_letters(store: Store, names: Iterable[str]) -> list[DeadLetter]:
    """The letters of these names: ids of letters, or of runs for all of theirs; each is given once.

    Raises:
        NotFound: there is none of that name; the message lists near ones.
    """
    letters = {letter_id(each): each for each in store.dead_letters()}
    found: dict[str, DeadLetter] = {}
    for name in names:
        some = {each: letter for each, letter in letters.items() if name in (each, letter.run)}
        if not some:
            known = near_names(name, letters) if letters else " The list is empty."
            raise NotFound(f"There is no dead letter {name!r} in {store.url}.{known}")
        found |= some
    return list(found.values())


def ask_again(store: Store, run: str, nodes: Sequence[str], by: str = "") -> bool:
    """Leave word that nodes of a run are to run again; whether somebody has the run who hears it.

    Where nobody has it, the run is to be resumed; then they do.

    Raises:
        Conflict: the run was undone, so that nothing of it can go on.
        UsageError: the run is final.
    """
    row = require_row(store, run)
    if row.status in _FINAL:
        raise UsageError(
            f"Run {run} is {row.status}, which is final: {', '.join(nodes)} can't run again in it. Start another run, "
            f"or take it off the list: `flownb dead-letters drop {run}`."
        )
    refuse_undone(read_state(store, row))
    owner = store.owner_of(run)
    for node in nodes:
        store.send(run, cmd.RetryNode(node=node, by=by))
    return owner is not None and owner[1]


def drop(store: Store, run: str, nodes: Sequence[str], *, at: float, by: str = "") -> None:
    """Take nodes of a run off the list; the run stays as it is.

    Raises:
        Conflict: somebody is at work on the run.
    """
    owner = current_owner()
    store.register(owner)
    try:
        lease = store.claim(run, owner)
        if lease is None:
            raise Conflict(
                f"Run {run} is at work; what failed in it can be taken off the list when it has ended, or now by "
                f"`flownb cancel {run}`.",
                run=run,
            )
        first = require_row(store, run).seq + 1
        events = [DeadLetterDropped(at=at, node=node, by=by) for node in nodes]
        store.commit([Write(run, lease.fence, first, events, release=True)])
    finally:
        store.retire(owner.id)


def describe_letter(letter: DeadLetter, status: str) -> dict[str, Any]:
    """A line of `flownb dead-letters --json`; `status` is that of its run."""
    failure = describe_failure(letter.event.error, None) or {}
    return {
        "id": letter_id(letter),
        "run": letter.run,
        "workflow": letter.workflow,
        "node": letter.node,
        "at": iso(letter.event.at),
        "error": failure,
        "run_status": status,
    }
