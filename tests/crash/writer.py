"""A process that writes into a store and is done harm to: killed, stopped, or left without room.

Every number that it prints is the last event of a commit that was acknowledged.
"""

from __future__ import annotations

import resource
import sys
import threading
from typing import TYPE_CHECKING

from flownb.errors import Fenced, StoreError
from flownb.model import events as ev
from flownb.store.contract import NewRun, Write
from flownb.store.lease import Liveness
from flownb.store.owner import current_owner
from flownb.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from flownb.store.contract import Lease

RUN = "r1"
EVENTS = 3


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def take(store: SqliteStore) -> tuple[Lease, int]:
    """Own the run, which may be there from an earlier life; and the number of its last event."""
    owner = current_owner()
    store.register(owner)
    row = store.row(RUN)
    if row is None:
        row, lease = store.create_run(NewRun(id=RUN, workflow="w", created_at=1.0), owner)
    else:
        lease = store.claim(RUN, owner)
    assert lease is not None
    return lease, row.seq


def write_on(store: SqliteStore, lease: Lease, last: int, rest: float) -> None:
    """Commit, as fast as possible unless it rests, until something stops it."""
    while True:
        threading.Event().wait(rest)
        happened = tuple(
            ev.NodeCompleted(at=1.0, node=f"n{last + each}", output="x" * 200) for each in range(1, EVENTS + 1)
        )
        store.commit([Write(RUN, lease.fence, last + 1, happened)])
        last += EVENTS
        say(last)


def main() -> None:
    what, path = sys.argv[1:3]
    if what == "no-room":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    store = SqliteStore(path, liveness=Liveness(lease_seconds=float(sys.argv[4])) if what == "stale" else None)
    try:
        # Who is to be stopped rests between commits, or it would nearly always be stopped while it has the lock.
        write_on(store, *take(store), rest=0.004 if what == "stale" else 0.0)
    except Fenced:
        say("fenced")
    except StoreError as error:
        say(error.message)
    sys.stdin.read()


if __name__ == "__main__":
    main()
