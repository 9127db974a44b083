"""What came of a headless run, for whoever started it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.model.events import Failure
from flownb.model.status import ASKS, PauseReason, RunStatus
from flownb.notebook.headless import Notice
from flownb.run.recovery.recover import read_state, require_row
from flownb.run.waiting.news import has_news
from flownb.run.waiting.verify import heads_of
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flownb.model.state import RunState
    from flownb.store.artifacts.contract import ArtifactStore
    from flownb.store.contract import RunRow, Store

COMPLETED: Final = 0
FAILED: Final = 1
PAUSED: Final = 75
STOPPED: Final = 130


class Results(Mapping[str, Any]):
    """Values by name, each loaded when it is looked at: who only wants the status needs no pandas."""

    def __init__(self, plain: Mapping[str, Any], artifacts: ArtifactStore) -> None:
        self._plain = plain
        self._artifacts = artifacts

    def __getitem__(self, name: str) -> Any:
        return values.load(self._plain[name], self._artifacts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name!r}: {values.preview(each, 100)}" for name, each in self._plain.items()) + "}"


class Outcome(msgspec.Struct, kw_only=True):
    """How a run stands when its command or its node is done with it."""

    run_id: str
    #: A `RunStatus`.
    status: str
    pause_reason: str | None = None
    #: A sentence about a pause or an early end, where there is one.
    message: str = ""
    #: What the notebook returned by `flownb.result`, by name; of other programs the outputs by node. A `Results`.
    results: Any = {}
    #: The output notebook, where one was written.
    output_path: str | None = None
    error: Failure | None = None
    #: 0 completed, 1 failed or cancelled, 75 paused, 130 stopped by Ctrl-C.
    exit_code: int = COMPLETED


def exit_code(status: str) -> int:
    """The exit status of a command that leaves while a run is in this status."""
    if status == RunStatus.COMPLETED:
        return COMPLETED
    return FAILED if RunStatus(status).ended else PAUSED


def outcome_of(store: Store, run_id: str, output: Path | None = None, *, interrupted: bool = False) -> Outcome:
    """A run's outcome, read from its record.

    Args:
        store: where it is.
        run_id: which.
        output: the output notebook, where one was written.
        interrupted: whether Ctrl-C stopped it.

    Raises:
        NotFound: no such run.
    """
    row = require_row(store, run_id)
    state = read_state(store, row)
    plain = state.results or ({} if row.kind == "notebook" else state.outputs())
    paused = row.status == RunStatus.PAUSED
    return Outcome(
        run_id=row.id,
        status=row.status,
        pause_reason=row.pause_reason,
        message=_pause_sentence(row, state) if paused else state.message,
        results=Results(plain, store.artifacts),
        output_path=str(output) if output is not None else None,
        error=state.error if row.status == RunStatus.FAILED else None,
        exit_code=STOPPED if interrupted and row.status != RunStatus.COMPLETED else exit_code(row.status),
    )


def stamp_of(store: Store, row: RunRow) -> dict[str, Any]:
    """What an output notebook says of its run, under `metadata.flownb`."""
    stamp: dict[str, Any] = {
        "run": row.id,
        "status": row.status,
        "workflow": read_state(store, row).workflow,
        "definition_hash": row.definition,
    }
    heads = heads_of(store, row.id)  # so that an end of the log that is cut off later shows
    return stamp | ({"audit": heads} if heads else {})


def _pause_sentence(row: RunRow, state: RunState) -> str:
    what = f"Run {row.id} is paused ({row.pause_reason}). {state.message}".strip()
    resume = f"`flownb resume {row.id}`"
    return what if resume in what else f"{what} {resume} goes on with it."


def may_go_on(store: Store, row: RunRow, state: RunState, now: float, *, asked: bool) -> bool:
    """Whether a run that nobody has may be carried on (the table of DESIGN §15).

    Args:
        store: where it is.
        row: the run.
        state: its state.
        now: seconds since 1970.
        asked: whether somebody asked for just that, by `resume`; else it is a start with the run's key.
    """
    status = RunStatus(row.status)
    if status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        return False
    if status is RunStatus.FAILED:
        return asked
    if status is not RunStatus.PAUSED:
        return True
    if row.pause_reason == PauseReason.TIMER:
        due = [wait.until for each in _with_parts(store, row, state) for wait in each.waits.values() if wait.until]
        return not due or min(due) <= now
    if row.pause_reason in ASKS:
        return any(has_news(store, each, now) for each in _with_parts(store, row, state))
    return asked


def _with_parts(store: Store, row: RunRow, state: RunState) -> list[RunState]:
    """A notebook's run and those beneath it: any of them may be what the notebook waits for."""
    parts = [] if row.kind != "notebook" else [each for each in store.rows(group=row.id) if each.id != row.id]
    return [state, *(read_state(store, each) for each in parts)]


def tell(on_event: Callable[..., None] | None, text: str) -> None:
    """Say a sentence to whoever watches."""
    if on_event is not None:
        on_event(Notice(text))
