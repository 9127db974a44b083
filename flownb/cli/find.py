"""The run that somebody means: its id, or the beginning of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.errors import UsageError

if TYPE_CHECKING:
    from flownb.store.contract import RunRow, Store

_LEAST: Final = 4
_MOST_SHOWN: Final = 10


def find_run(store: Store, text: str) -> RunRow:
    """The run with this id, or the only one whose id begins so; four characters are the least.

    Raises:
        NotFound: there is none; near ids are listed.
        UsageError: several ids begin so.
    """
    from flownb.run.recovery.recover import require_row

    exact = store.row(text)
    if exact is not None or len(text) < _LEAST:
        return exact or require_row(store, text)
    found = [row for row in store.rows() if row.id.startswith(text)]
    if not found:
        return require_row(store, text)
    if len(found) > 1:
        shown = ", ".join(f"{row.id} ({row.workflow}, {row.status})" for row in found[:_MOST_SHOWN])
        more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        raise UsageError(f"{len(found)} runs begin with {text!r}: {shown}{more}. Give more of the id.")
    return found[0]
