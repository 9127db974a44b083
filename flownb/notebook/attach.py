"""`flownb.attach` and `flownb.runs`: coming back to what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, overload

from flownb.errors import InvalidInput, near_names
from flownb.model.status import STATUS_ALIASES, RunStatus
from flownb.model.times import maybe_iso
from flownb.run.engine import engine
from flownb.run.handles.follow import Follower
from flownb.run.handles.handle import Run
from flownb.run.recovery.recover import read_state, require_row
from flownb.store.lists import RunFilter
from flownb.store.place import store_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flownb.store.contract import RunRow, Store

_COLUMNS: Final = (
    "id", "workflow", "status", "pause_reason", "key", "mode", "trigger", "created_at", "finished_at"
)  # fmt: skip


def attach(run_id: str, store: Any = None) -> Run:
    """A handle on a recorded run.

    If it is at work in this process or in another one, the handle follows it; if it rests, the handle shows it, and
    `resume()` carries it on.

    Args:
        run_id: as `flownb.runs()` lists it.
        store: a URL or an open store; else `FLOWNB_STORE`, else the nearest `.flownb/`.

    Raises:
        NotFound: no such run; near ids are listed.
    """
    opened: Store = store_of(store)
    row = require_row(opened, run_id)
    local = engine().executions.get(row.id)
    if local is not None and local.store is opened:
        run = Run(opened, local.state)
        run.join(local)
        return run
    run = Run(opened, read_state(opened, row))
    owner = opened.owner_of(row.id)
    if owner is not None and owner[1] and not run.status.ended:
        run.follow(Follower(opened, run.state, run.followed, run.let_go))
    else:
        run.settle()
    return run


class RunList:
    """Runs as they stood when the list was made, newest first; in a notebook it is live."""

    def __init__(self, rows: Sequence[RunRow], store: Store, status: Sequence[str] = ()) -> None:
        self._rows = list(rows)
        #: Where the runs are.
        self.store = store
        #: Only runs in one of these are in the list; empty for all.
        self.status = tuple(status)

    def count(self) -> int:
        """How many such runs the store has now, whatever the limit of this list was."""
        counts = self.store.count_runs(RunFilter())
        return sum(count for status, count in counts.items() if not self.status or status in self.status)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[RunRow]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> RunRow: ...

    @overload
    def __getitem__(self, index: slice) -> RunList: ...

    def __getitem__(self, index: int | slice) -> RunRow | RunList:
        if isinstance(index, slice):
            return RunList(self._rows[index], self.store, self.status)
        return self._rows[index]

    def records(self) -> list[dict[str, Any]]:
        """The list as plain data, as `flownb runs --json` prints it; times are ISO 8601 in UTC."""
        return [
            {name: maybe_iso(value) if name.endswith("_at") else value for name, value in _cells(row)}
            for row in self._rows
        ]

    def to_frame(self) -> Any:
        """The list as a pandas DataFrame, with times as timestamps.

        Raises:
            MissingExtra: pandas is not installed.
        """
        from flownb.errors import MissingExtra

        try:
            import pandas as pd
        except ImportError:
            raise MissingExtra("runs().to_frame() needs pandas: `pip install 'flownb[data]'`.") from None
        frame = pd.DataFrame([dict(_cells(row)) for row in self._rows], columns=list(_COLUMNS))
        for name in _COLUMNS:
            if name.endswith("_at"):
                frame[name] = pd.to_datetime(frame[name].astype("float64"), unit="s", utc=True)
        return frame

    def __repr__(self) -> str:
        if not self._rows:
            return f"no runs in {self.store.url}"
        lines = []
        width = max(len(row.workflow) for row in self._rows)
        for row in self._rows:
            why = f" ({row.pause_reason})" if row.pause_reason else ""
            lines.append(f"{row.id}  {row.workflow:<{width}}  {maybe_iso(row.created_at)}  {row.status}{why}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from flownb.run.hooks import hook

        del include, exclude
        shown = hook("runs")
        return {"text/plain": repr(self)} if shown is None else shown(self)


def _cells(row: RunRow) -> list[tuple[str, Any]]:
    return [(name, getattr(row, name)) for name in _COLUMNS]


def runs(store: Any = None, status: str | Sequence[str] | None = None, limit: int | None = 50) -> RunList:
    """The newest runs, newest first; in a notebook the list is live, with filter, search and a way into each run.

    ```python
    flownb.runs(status="failed")
    flownb.runs(limit=None).to_frame()
    ```

    Args:
        store: a URL or an open store; else `FLOWNB_STORE`, else the nearest `.flownb/`.
        status: only runs in this status, or in one of these.
        limit: how many at most; None for all.

    Raises:
        InvalidInput: there is no such status.
    """
    wanted = [status] if isinstance(status, str) else list(status or ())
    names = [_status(each) for each in wanted]
    opened: Store = store_of(store)
    return RunList(list(opened.rows(status=names, limit=limit)), opened, names)


def _status(name: str) -> str:
    known = STATUS_ALIASES.get(name, name)
    if known not in set(RunStatus):
        raise InvalidInput(f"A run has no status {name!r}.{near_names(name, RunStatus)}", name="status")
    return known
