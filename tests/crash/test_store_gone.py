"""A store that goes away under a run: the run says so in a sentence, and nothing is lost without a word."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flownb import Flow
from flownb.errors import StoreError
from flownb.store.sqlite import SqliteStore
from tests.crash.test_disk_full import RESULT, SECONDS, begun, twelve, until

if TYPE_CHECKING:
    from collections.abc import Callable

MOVED = "was deleted, moved or replaced while flownb had it open"
LOG = r"The write-ahead log of .* was deleted, moved or replaced"


def delete(path: Path) -> None:
    path.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def replace_by_another_store(path: Path) -> None:
    other = SqliteStore(path.with_name("other.db"))
    other.close()
    path.with_name("other.db").replace(path)


def replace_by_a_copy(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)


def replace_by_something_else(path: Path) -> None:
    path.unlink()
    path.write_text("my shopping list")


def delete_the_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def move_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))


def delete_the_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def empty_the_log_by_another(path: Path) -> None:
    log = Path(f"{path}-wal")
    log.unlink()
    log.touch()


HARMS: list[tuple[Callable[[Path], None], str]] = [
    (delete, MOVED),
    (move, MOVED),
    (replace_by_another_store, MOVED),
    (replace_by_a_copy, MOVED),
    (replace_by_something_else, MOVED),
    (delete_the_folder, MOVED),
    (move_the_folder, MOVED),
    (delete_the_log, LOG),
    (empty_the_log_by_another, LOG),
]


@pytest.mark.parametrize(("harm", "said"), HARMS, ids=[harm.__name__ for harm, _ in HARMS])
def test_a_run_whose_store_goes_away_says_so_however_soon_it_ends(
    harm: Callable[[Path], None], said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "kept"
    place.mkdir()
    gate = threading.Event()
    store = SqliteStore(place / "flownb.db")
    run = begun(twelve([], gate), store, gate)
    harm(store.path)
    gate.set()
    with pytest.raises(StoreError, match=said):
        run.result(SECONDS)
    assert not run.status.ended  # what was not written did not happen
    assert [record.message.count("can't go on in this process") for record in caplog.records] == [1]
    with pytest.raises(StoreError, match=said):
        run.resume()
    with pytest.raises(StoreError, match=said):
        Flow("another").run(store=store, display=False, key="k").result(SECONDS)
    store.close()


def test_a_store_that_is_put_back_goes_on(tmp_path: Path) -> None:
    gate, ran = threading.Event(), list[str]()
    store = SqliteStore(tmp_path / "flownb.db")
    flow = twelve(ran, gate)
    run = begun(flow, store, gate, key="k")
    away = tmp_path / "away"
    away.mkdir()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{store.path}{suffix}").rename(away / f"flownb.db{suffix}")
    gate.set()
    with pytest.raises(StoreError, match=MOVED):
        run.result(SECONDS)
    for suffix in ("", "-wal", "-shm"):
        (away / f"flownb.db{suffix}").rename(f"{store.path}{suffix}")
    store.close()
    again = SqliteStore(tmp_path / "flownb.db")
    assert flow.run(store=again, key="k", display=False).result(SECONDS) == RESULT
    assert again.check() == []
    again.close()


def test_what_was_written_before_the_log_went_away_is_saved(tmp_path: Path) -> None:
    gate, ran = threading.Event(), list[str]()
    store = SqliteStore(tmp_path / "flownb.db")
    flow = twelve(ran, gate)
    run = begun(flow, store, gate, key="k")
    delete_the_log(store.path)
    gate.set()
    with pytest.raises(StoreError, match=LOG):
        run.result(SECONDS)
    shutil.copy(store.path, tmp_path / "saved.db")  # as a process that is killed now leaves it
    saved = SqliteStore(tmp_path / "saved.db")
    assert saved.row(run.id) is not None
    assert saved.check() == []
    saved.close()
    store.close()
    again = SqliteStore(tmp_path / "flownb.db")
    assert again.check() == []
    assert flow.run(store=again, key="k", display=False).result(SECONDS) == RESULT
    again.close()


@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_rights_that_are_taken_away_do_not_disturb_who_has_the_file_open(tmp_path: Path, mode: int) -> None:
    gate, ran = threading.Event(), list[str]()
    store = SqliteStore(tmp_path / "flownb.db")
    run = begun(twelve(ran, gate), store, gate)
    store.path.chmod(mode)
    gate.set()
    assert run.result(SECONDS) == RESULT
    store.path.chmod(0o644)
    assert store.check() == []
    store.close()


def test_a_long_run_notices_within_two_seconds_that_its_store_is_gone(tmp_path: Path) -> None:
    flow, end = Flow("long"), threading.Event()

    @flow.node
    def waits() -> None:
        end.wait(SECONDS)

    store = SqliteStore(tmp_path / "flownb.db")
    run = flow.run(store=store, display=False)
    assert until(lambda: run["waits"].status == "running")
    delete(store.path)
    end.set()
    with pytest.raises(StoreError, match=MOVED):
        run.result(SECONDS)
    store.close()
