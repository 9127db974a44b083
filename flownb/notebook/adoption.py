"""Runs that nobody carries on: which of them a scheduler, or a person, may take up, and taking them up."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model.status import ASKS, RunStatus
from flownb.notebook.beneath import holder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flownb.store.contract import RunRow, Store

#: Kinds of program that need no person: they go on where `flownb resume` executes them.
HEADLESS: Final = frozenset({"notebook", "module", "json"})
INTERACTIVE: Final = "it was started in an interactive kernel; `flownb attach` or `flownb resume` goes on with it"
SCRIPT: Final = "it was started by a script, which goes on with it where it is run again with the same key"


class Adoption(msgspec.Struct):
    """What came of one look for runs that nobody carries on."""

    #: The runs that were taken up.
    begun: list[str] = []
    #: The runs that were left, with the reason.
    left: dict[str, str] = {}


def adopt(store: Store, begin: Callable[[Store, str], object] | None = None) -> Adoption:
    """Take up the headless runs whose processes died, and every run that somebody answered while it rested.

    A crashed interactive run is left: its kernel's cells may have changed, so a person decides. Two who adopt at once
    do no harm: a run is claimed once, and who comes second follows.

    Args:
        store: where to look.
        begin: carries one run on; by default `flownb resume` in a process of its own.
    """
    begin = begin or _begin
    found = Adoption()
    for row in _orphans(store):
        reason = _why_left(store, row)
        if reason:
            found.left[row.id] = reason
        else:
            begin(store, row.id)
            found.begun.append(row.id)
    for row in _answered(store):
        if store.program(row.program) is None:
            found.left[row.id] = SCRIPT
        else:
            begin(store, row.id)
            found.begun.append(row.id)
    return found


def resume_in_process(store: Store, run_id: str) -> subprocess.Popen[bytes]:
    """`flownb resume` of a run, in a process that outlives this one."""
    return subprocess.Popen(  # noqa: S603  our own command line
        [sys.executable, "-m", "flownb", "resume", run_id, "--store", store.url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _begin(store: Store, run_id: str) -> None:
    process = resume_in_process(store, run_id)
    # A parent must wait for its children, else they stay as zombies.
    threading.Thread(target=process.wait, name="flownb-resume", daemon=True).start()


def _orphans(store: Store) -> Iterable[RunRow]:
    """Unfinished runs without a living owner; the parts of a notebook go on with it."""
    for run in store.orphans():
        row = store.row(run)
        if row is not None and holder_of(store, row).id == row.id:
            yield row


def _why_left(store: Store, row: RunRow) -> str:
    program = store.program(row.program) if row.program else None
    if program is None:
        return SCRIPT
    return "" if program.kind in HEADLESS else INTERACTIVE


def _answered(store: Store) -> Iterable[RunRow]:
    """Paused runs that somebody has left an answer for, and that nobody has."""
    for run in sorted(store.waiting()):
        row = store.row(run)
        row = None if row is None else holder_of(store, row)
        if row is None or row.status != RunStatus.PAUSED or row.pause_reason not in ASKS:
            continue
        holder = store.owner_of(row.id)
        if holder is None or not holder[1]:
            yield row


__all__ = ["HEADLESS", "Adoption", "adopt", "resume_in_process"]
