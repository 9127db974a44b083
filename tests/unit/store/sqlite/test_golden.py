"""Stores that older versions wrote are opened, read and carried on for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from flownb.model import commands as cmd
from flownb.model import events as ev
from flownb.model.journal import JsonCodec
from flownb.store.contract import Write
from flownb.store.sqlite import SqliteStore, schema
from tests.journals.make_store import PROGRAM, dump
from tests.unit.store.suite import World

if TYPE_CHECKING:
    from collections.abc import Iterator

JOURNALS = Path(__file__).parents[3] / "journals"
GOLDEN = sorted(JOURNALS.glob("store_v*.sql"))


@pytest.fixture(params=GOLDEN, ids=lambda golden: golden.stem)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore]:
    path = tmp_path / "flownb.db"
    connection = apsw.Connection(str(path))
    connection.execute(request.param.read_text(encoding="utf-8"))
    connection.close()
    world = World()
    opened = SqliteStore(path, artifacts=world.artifacts, liveness=world.liveness)
    yield opened
    opened.close()


def test_there_is_one_of_every_version() -> None:
    assert [each.stem for each in GOLDEN] == [f"store_v{version + 1}" for version in range(schema.VERSION)]


def test_the_steps_of_released_versions_were_not_changed(tmp_path: Path) -> None:
    for version, golden in enumerate(GOLDEN, 1):
        path = tmp_path / f"v{version}.db"
        connection = apsw.Connection(str(path))
        schema.prepare(connection, str(path), steps=schema.STEPS[:version])
        connection.close()
        golden_text = golden.read_text(encoding="utf-8")
        made = "\n".join(dump(path))
        assert made + "\n" == golden_text[: len(made) + 1]


def test_runs_and_events_are_what_they_were(store: SqliteStore) -> None:
    with store._db.reading() as cursor:
        bodies = cursor.execute("SELECT body FROM events WHERE run_id = 'all' ORDER BY seq").fetchall()
    events = [record.event for record in store.events("all")]
    assert [json.loads(JsonCodec().encode(event)) for event in events] == [json.loads(body) for (body,) in bodies]
    assert len(events) >= 28
    row = store.find_key("every-event")
    assert row is not None
    assert (row.id, row.status, row.request, row.definition, row.seq) == (
        "all",
        "completed",
        "q1",
        "d1",
        len(events),
    )
    assert (row.started_at, row.finished_at, row.owner) == (1.5, 9.0, None)
    assert store.program(row.program) == PROGRAM
    assert store.definition("d1") == '{"name": "invoices"}'
    assert [each.id for each in store.rows()] == ["nb", "all"]
    assert [(each.id, each.status, each.pause_reason) for each in store.rows(group="nb")] == [
        ("nb.1", "paused", "human")
    ]
    (asked,) = store.approvals()
    assert (asked.run, asked.node, asked.kind, asked.status) == ("nb.1", "ok", "approval", "pending")
    assert asked.request.question == "Post 3 EUR?"
    assert [vote.by for vote in asked.votes] == ["ada"]


def test_what_was_begun_can_be_carried_on(store: SqliteStore) -> None:
    world = World()
    assert [each.command for each in store.receive(["nb"])] == [cmd.Cancel(by="ada")]
    lease = store.claim("nb.1", world.owner(8))
    assert lease is not None
    answer = ev.ApprovalDecided(at=20.0, node="ok", approval="a1", by="bob", port="approved")
    store.commit([Write("nb.1", lease.fence, 6, (answer, ev.RunResumed(at=21.0, cause="decided")))])
    row = store.row("nb.1")
    assert row is not None
    assert (row.status, row.seq) == ("running", 7)
    assert store.approvals() == []
    assert [each for each in store.check() if "artifact" not in each] == []
