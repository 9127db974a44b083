"""The audit log: every request, vote, answer, expiry and refusal, sealed so that nobody can change it unseen."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb import Flow
from flownb.errors import Conflict, InvalidInput
from flownb.model import events as ev
from flownb.run.waiting.decisions import audited
from flownb.run.waiting.verify import heads_of, verify
from flownb.store.audit import Head, faults_of, head_of, next_entry
from flownb.store.keys import Keys
from flownb.store.memory import MemoryStore
from flownb.store.place import open_store
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from flownb.store.requests import AuditEntry


def answered_run(store: Store) -> Run:
    """A run with a vote, a refusal, an answer and one that came too late in its log."""
    flow = Flow("f")
    form = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
    flow.approval("ok", "Fine?", form=form)
    run = flow.run(store=store, display=False)
    wait_for(lambda: run.resting)
    (asked,) = run.approvals
    with pytest.raises(InvalidInput, match="n is missing"):
        run.decide(asked.id, data={})
    run.decide(asked.id, data={"n": 1}, comment="fine")
    with pytest.raises(Conflict):
        run.decide(asked.id, "rejected")
    run.result(5)
    return run


def kinds(store: Store, run: str) -> list[str]:
    return [ev.event_type(event) for _, event in audited(store, run) if event is not None]


def test_everything_that_people_do_is_in_the_log(tmp_path: Path) -> None:
    for store in (MemoryStore(), open_store(f"sqlite:///{tmp_path}/runs.db")):
        run = answered_run(store)
        expected = ["approval_requested", "approval_refused", "approval_decided", "approval_refused"]
        assert kinds(store, run.id) == expected
        assert verify(store, run.id) == (4, [])
        assert heads_of(store, run.id)[run.id]["entries"] == 4


def test_an_expiry_and_a_cancellation_are_in_the_log() -> None:
    store = MemoryStore()
    late = Flow("late")
    late.approval("ok", "Fine?", timeout=0.01)
    run = late.run(store=store, display=False)
    run.result(5)
    assert kinds(store, run.id) == ["approval_requested", "approval_expired"]
    gone = Flow("gone")
    gone.approval("ok", "Fine?")
    other = gone.run(store=store, display=False)
    wait_for(lambda: other.resting)
    other.skip("ok")
    other.result(5)
    assert kinds(store, other.id) == ["approval_requested", "node_skipped"]
    assert verify(store, other.id) == (2, [])


def test_the_log_goes_with_its_run(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    run = answered_run(store)
    store.delete_run(run.id)
    assert store.audit(run.id) == []


def test_the_keys_are_the_users_alone(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    run = answered_run(store)
    path = tmp_path / "runs.keys"
    assert path.stat().st_mode & 0o777 == 0o600
    path.rename(tmp_path / "elsewhere")
    count, faults = verify(store, run.id)
    assert (count, len(faults)) == (4, 1)
    assert "can't be verified: the key that sealed them is gone" in faults[0]
    (tmp_path / "elsewhere").rename(path)
    path.write_text("ab" * 32 + "\n" + path.read_text())  # a newer key: what the older one sealed stays valid
    assert verify(store, run.id) == (4, [])


def tamper(store: Any, statement: str, *values: Any) -> None:
    with store._db.writing() as cursor:
        cursor.execute(statement, values)


def test_what_is_changed_in_the_store_is_found_and_named(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    run = answered_run(store)
    tamper(store, "UPDATE approvals SET decision = CAST(replace(CAST(decision AS TEXT), 'fine', 'oops') AS BLOB)")
    assert "The answer to" in verify(store, run.id)[1][0]

    store = open_store(f"sqlite:///{tmp_path}/two.db")
    run = answered_run(store)
    tamper(store, "UPDATE audit SET body = CAST(replace(CAST(body AS TEXT), 'fine', 'oops') AS BLOB) WHERE place = 3")
    faults = verify(store, run.id)[1]
    assert faults[0].startswith(f"Entry 3 of run {run.id} (approval_decided of ok by ")
    assert faults[0].endswith("was altered: its seal does not fit it.")

    store = open_store(f"sqlite:///{tmp_path}/three.db")
    run = answered_run(store)
    tamper(store, "DELETE FROM audit WHERE place = 2")
    assert verify(store, run.id)[1][0] == (f"Entry 2 of run {run.id} is missing: after entry 1 comes entry 3.")


def test_an_end_that_is_cut_off_shows_against_a_head_from_elsewhere(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    run = answered_run(store)
    head = head_of(store.audit(run.id))
    tamper(store, "DELETE FROM audit WHERE place = 4")
    assert verify(store, run.id) == (3, [])  # a refusal is in no journal: without a head nobody can tell
    assert verify(store, run.id, head)[1] == [
        f"The end of the log is cut off: it had 4 entries once and has 3 now; entry 4 of run {run.id} is gone."
    ]
    tamper(store, "DELETE FROM audit WHERE place = 3")
    assert "approval_decided of ok) has no entry in the log" in verify(store, run.id)[1][0]  # the journal knows


# --- a thousand tamperings --------------------------------------------------------------------------------------------


def log(keys: Keys, length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number in range(length):
        entries.append(next_entry(keys, "r", head_of(entries), b'{"n":%d}' % number))
    return entries


def changed(entries: list[AuditEntry], chance: random.Random) -> tuple[list[AuditEntry], int]:
    """A log that somebody without the key has changed, and the first place that is wrong in it."""
    found = list(entries)
    at = chance.randrange(len(found) - 1)
    how = chance.randrange(5)
    entry = found[at]
    if how == 0:
        body = bytearray(entry.body)
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        found[at] = msgspec.structs.replace(entry, body=bytes(body))
    elif how == 1:
        del found[at]
        if chance.random() < 0.5:  # and hide the gap
            found = [msgspec.structs.replace(each, place=n) for n, each in enumerate(found, 1)]
    elif how == 2:
        other = found[at + 1]
        found[at] = msgspec.structs.replace(other, place=entry.place)
        found[at + 1] = msgspec.structs.replace(entry, place=other.place)
    elif how == 3:
        found[at] = msgspec.structs.replace(entry, seal=entry.seal[:-1] + ("0" if entry.seal[-1] != "0" else "1"))
    else:  # written anew, with another key
        other_key = Keys()
        made = next_entry(other_key, "r", Head(entry.place - 1, entry.previous), b"{}")
        found[at] = msgspec.structs.replace(made, key=entry.key)
    return found, at + 1


def test_a_thousand_tamperings_are_all_found_at_the_right_entry() -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    keys = Keys()
    entries = log(keys, 20)
    head = head_of(entries)
    assert faults_of("r", entries, keys.all(), lambda _: "", head) == []
    for _ in range(1000):
        bad, place = changed(entries, chance)
        faults = faults_of("r", bad, keys.all(), lambda _: "", head)
        assert faults, f"seed {seed}"
        assert f"ntry {place} of" in faults[0], (seed, place, faults)


def test_an_entry_that_was_moved_is_told_from_where() -> None:
    keys = Keys()
    entries = log(keys, 5)
    moved = [*entries[:2], msgspec.structs.replace(entries[3], place=3), msgspec.structs.replace(entries[2], place=4)]
    assert (
        faults_of("r", moved, keys.all(), lambda _: "x")[0]
        == "Entry 3 of run r (x) was moved: it was written as entry 4."
    )
