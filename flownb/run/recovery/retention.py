"""Which ended runs their own workflows don't want to keep any longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.errors import Conflict, FlownbError, NotFound
from flownb.model.document import from_json
from flownb.model.status import RunStatus
from flownb.model.workflow import Settings

if TYPE_CHECKING:
    from flownb.store.contract import RunRow, Store

_DAY: Final = 86_400.0


def expired(store: Store, now: float) -> list[RunRow]:
    """The runs that ended longer ago than `keep_days` of their workflow, or are more than its `keep_runs`.

    The settings are those of the workflow's newest run; runs beneath a notebook go with it, and a run that failed
    counts as ended although it could be resumed.
    """
    settings: dict[str, Settings] = {}
    kept: dict[str, int] = {}
    found = []
    for row in store.rows():
        wanted = settings.get(row.workflow)
        if wanted is None:
            settings[row.workflow] = wanted = _settings(store, row)
        if row.finished_at is None or not RunStatus(row.status).ended:
            continue
        kept[row.workflow] = kept.get(row.workflow, 0) + 1
        many = wanted.keep_runs is not None and kept[row.workflow] > wanted.keep_runs
        old = wanted.keep_days is not None and row.finished_at < now - wanted.keep_days * _DAY
        if many or old:
            found.append(row)
    return found


def delete_expired(store: Store, now: float) -> int:
    """Delete them; returns how many. One that somebody has taken up meanwhile stays."""
    deleted = 0
    for row in expired(store, now):
        try:
            store.delete_run(row.id)
        except (Conflict, NotFound):
            continue
        deleted += 1
    return deleted


def _settings(store: Store, row: RunRow) -> Settings:
    document = store.definition(row.definition) if row.definition else None
    if document is None:
        return Settings()
    try:
        return from_json(document).settings
    except FlownbError:
        return Settings()  # of another version; nothing is deleted for what can't be read
