"""The seam for encryption at rest: nothing of a value is in the file but what the codec made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flownb.model import events as ev
from flownb.model.journal import JsonCodec
from flownb.store.sqlite import SqliteStore
from tests.unit.store.suite import World, asked, begin, completed, write

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.model.events import Event


class _Veil:
    """No encryption, but nothing that anybody reads."""

    def __init__(self) -> None:
        self._plain = JsonCodec()

    def encode(self, event: Event) -> bytes:
        return bytes(each ^ 0x5A for each in self._plain.encode(event))

    def decode(self, data: bytes) -> Event:
        return self._plain.decode(bytes(each ^ 0x5A for each in data))


def test_events_and_requests_go_through_the_codec(tmp_path: Path) -> None:
    path = tmp_path / "flownb.db"
    world = World()
    store = SqliteStore(path, codec=_Veil(), artifacts=world.artifacts)
    lease = begin(store, "r1", world.owner(1))
    answer = ev.ApprovalDecided(at=5.0, node="ok", approval="a1", by="ada", port="approved", comment="hush-3")
    question = ev.ApprovalRequested(at=4.0, node="ok", approval="a1", kind="approval", question="hush-2")
    vote = ev.ApprovalVoted(at=4.5, node="ok", approval="a1", by="bob", port="approved", comment="hush-4")
    store.commit([write(lease, 2, completed("a", "hush-1"), question, vote, answer, asked("a2", "sure"))])
    row = store.approvals(pending=False)[0]
    assert (row.request, row.decision, row.votes) == (question, answer, (vote,))
    assert store.events("r1", after=1)[0].event == completed("a", "hush-1")
    assert store.check() == []
    store.close()
    assert b"hush" not in path.read_bytes()
