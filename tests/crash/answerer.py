"""A process that answers requests as fast as it can: `python -m tests.crash.answerer STORE NAME GO`.

It waits until the file GO is there, then tries to answer every request, each in the same order as all others; on
stdout it says what came of each: the id and `won`, or who had answered.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from flownb.errors import Conflict
from flownb.run.waiting.decisions import decide, expire
from flownb.store.place import open_store

LATER = 10_000.0


def main() -> None:
    url, name, go = sys.argv[1:]
    store = open_store(url)
    rows = store.approvals()
    print("ready", flush=True)
    while not Path(go).exists():
        time.sleep(0.001)
    for row in rows:
        if name == "timeout":
            after = expire(store, row.run, row.id, time.time() + LATER)
            said = "won" if after and _is_mine(store.approvals(run=row.run, pending=False)[0].decided_by) else "late"
            print(row.id, said)
            continue
        port = "approved" if int(name) % 2 else "rejected"
        try:
            decide(store, row.run, row.id, port=port, at=time.time(), claim=name)
        except Conflict as late:
            print(row.id, "late", str(late))
        else:
            print(row.id, "won", port)


def _is_mine(decided_by: str | None) -> bool:
    return decided_by is None


if __name__ == "__main__":
    main()
