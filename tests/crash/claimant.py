"""One of many processes that all want the same: to take every free run, or to start the one run of a key.

Says `ready`, waits for a line, works, prints what it got as JSON, and lives until its input ends: what a process that
has ended had taken may rightly be taken again.
"""

from __future__ import annotations

import json
import sys

from flownb.store.contract import NewRun
from flownb.store.owner import current_owner
from flownb.store.sqlite import SqliteStore


def claim_all(store: SqliteStore) -> list[str]:
    """Every run that this process got."""
    owner = current_owner()
    store.register(owner)
    return [run for run in store.orphans() if store.claim(run, owner) is not None]


def start_all(store: SqliteStore, name: str, calls: int) -> tuple[int, list[str]]:
    """How often a run was started, and the ids that came back."""
    owner = current_owner()
    begun, ids = 0, set()
    for number in range(calls):
        new = NewRun(id=f"{name}-{number}", workflow="w", key="invoices-2026-11", created_at=float(number))
        row, lease = store.create_run(new, owner)
        begun += lease is not None
        ids.add(row.id)
    return begun, sorted(ids)


def main() -> None:
    what, path, name = sys.argv[1:4]
    print("ready", flush=True)
    sys.stdin.readline()
    store = SqliteStore(path)
    print(json.dumps(claim_all(store) if what == "claim" else start_all(store, name, int(sys.argv[4]))), flush=True)
    sys.stdin.read()
    store.close()


if __name__ == "__main__":
    main()
