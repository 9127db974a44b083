"""The sentences with which every store refuses, each written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.errors import Conflict, Fenced, InvalidInput, NotFound, StoreError, near_names
from flownb.model.status import ApprovalStatus
from flownb.model.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flownb.store.requests import ApprovalRow

_SHOWN = 5


def fenced(url: str, lost: Sequence[str]) -> Fenced:
    """A commit met runs that are somebody else's now."""
    names = ", ".join(lost[:_SHOWN]) + (f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else "")
    return Fenced(
        f"Another process owns {'run' if len(lost) == 1 else 'runs'} {names} now, or it was deleted: nothing was "
        f"written. `flownb show {lost[0]}` says how it stands.",
        runs=list(lost),
        place=url,
    )


def misnumbered(url: str, run: str, last: int, first: int) -> StoreError:
    """A commit would leave a gap in a run's journal."""
    return StoreError(
        f"The journal of run {run} ends with event {last}, so the next is {last + 1}, not {first}: nothing was "
        "written.",
        place=url,
        run=run,
    )


def no_such_run(url: str, run: str, known: Iterable[str]) -> NotFound:
    """A run is named that the store doesn't have."""
    near = near_names(run, known)
    hint = near if near.startswith(" Did") else " `flownb runs` lists what is there."
    return NotFound(f"There is no run {run!r} in {url}.{hint}", run=run)


def id_in_use(url: str, run: str) -> Conflict:
    """A run is made under an id that another has."""
    return Conflict(f"There is a run {run!r} in {url} already; attach to it, or start one under a new id.", run=run)


def blank_key() -> InvalidInput:
    """A key that would make all runs without a real one the same run."""
    return InvalidInput(
        "The key of a run is empty; give a text that names what is done only once, or none.", name="key"
    )


def owned(url: str, run: str, owner: str) -> Conflict:
    """A run is to be deleted while it is at work."""
    return Conflict(
        f"Run {run} is at work in {owner} and can't be deleted from {url}; `flownb cancel {run}` ends it first.",
        run=run,
    )


def unknown_owner(url: str, owner: str) -> NotFound:
    """A lease is renewed that was never there, or is gone."""
    return NotFound(f"There is no owner {owner!r} in {url}: it was retired, or never registered.", owner=owner)


def closed(url: str) -> StoreError:
    """A store is used after its end."""
    return StoreError(f"The store {url} is closed; open it again.", place=url)


def no_such_request(url: str, run: str, approval: str) -> NotFound:
    """An answer to something that was never asked."""
    return NotFound(
        f"Run {run} in {url} has no request {approval!r}; `flownb approvals` lists those that wait.", run=run
    )


def answered(row: ApprovalRow) -> Conflict:
    """An answer that comes too late; it says whose came first."""
    at = iso(row.decided_at) if row.decided_at is not None else "before"
    if row.status == ApprovalStatus.EXPIRED:
        took = f", and {row.port} fired" if row.port else ""
        what = f"expired at {at}: nobody had answered in time{took}"
    elif row.decision is None:
        what = f"is {row.status} and waits for no answer any more"
    else:
        claim = getattr(row.decision, "claim", "")
        who = f"{row.decided_by or 'somebody'}{f' (as {claim})' if claim not in ('', row.decided_by) else ''}"
        what = f"was answered already: {row.port} by {who} at {at}"
    return Conflict(f"The request {row.id} of {row.node} in run {row.run} {what}.", run=row.run, row=row)
