"""Write the golden store of this schema version, as SQL that git can show; it is made once and never changed.

    python -m tests.journals.make_store

Every later flownb must open `store_v*.sql` and find in it what `tests/unit/store/sqlite/test_golden.py` says.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.store.contract import Program, Write
from flownb.store.sqlite import SqliteStore, schema
from tests.unit.store.suite import ALL_EVENTS, World, new

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PROGRAM = Program(kind="module", target="jobs:flow", directory="/srv", details={"parameters": {"month": 11}})


_WAITING = (ev.RunStarted, ev.NodeStarted, ev.ApprovalRequested, ev.ApprovalVoted, ev.RunPaused)


def _first(kind: type[ev.Event]) -> ev.Event:
    return next(event for event in ALL_EVENTS if type(event) is kind)


def fill(store: SqliteStore, world: World) -> None:
    """One run with every event, a notebook with a run beneath it, and one that waits for an answer."""
    owner = world.owner(7)
    store.register(owner)
    store.put_definition("d1", '{"name": "invoices"}')
    program = store.put_program(PROGRAM)
    plans: dict[str, tuple[dict[str, Any], tuple[ev.Event, ...], bool]] = {
        "all": ({"key": "every-event", "request": "q1", "definition": "d1", "program": program}, ALL_EVENTS, True),
        "nb": ({"kind": "notebook"}, ALL_EVENTS[:1], False),
        "nb.1": (
            {"group": "nb", "parent": "nb"},
            tuple(_first(kind) for kind in _WAITING),
            True,
        ),
    }
    for number, (run, (fields, happened, release)) in enumerate(plans.items()):
        _, lease = store.create_run(new(run, **({"created_at": 1000.0 + number} | fields)), owner)
        assert lease is not None
        store.commit([Write(run, lease.fence, 1, happened, release)])
    store.send("nb", cmd.Cancel(by="ada"))


def dump(path: Path) -> Iterator[str]:
    """The statements that make the same file again."""
    connection = apsw.Connection(str(path))
    yield f"PRAGMA application_id = {connection.pragma('application_id')};"
    yield f"PRAGMA user_version = {connection.pragma('user_version')};"
    query = (
        "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )
    described = connection.execute(query).fetchall()
    for _, _, sql in described:
        yield f"{sql};"
    for kind, name, _ in described:
        if kind == "table":
            for row in connection.execute(f"SELECT * FROM {name}"):
                yield f"INSERT INTO {name} VALUES ({', '.join(_literal(each) for each in row)});"
    connection.close()


def _literal(value: Any) -> str:
    if isinstance(value, bytes):
        return f"CAST({apsw.format_sql_value(value.decode())} AS BLOB)"
    return str(apsw.format_sql_value(value))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flownb.db"
        world = World()
        store = SqliteStore(path, artifacts=world.artifacts, liveness=world.liveness)
        fill(store, world)
        store.close()
        golden = HERE / f"store_v{schema.VERSION}.sql"
        if golden.exists():
            sys.exit(f"{golden} is there, and golden stores are never changed.")
        golden.write_text("\n".join(dump(path)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
