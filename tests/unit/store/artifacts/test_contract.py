"""What every place for large values keeps."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from flownb import faults
from flownb.errors import NotFound, StoreError, UsageError
from flownb.store.artifacts.contract import is_digest
from flownb.store.artifacts.files import FileArtifacts
from flownb.store.artifacts.memory import MemoryArtifacts
from tests.unit.store.artifacts.mirror import Mirror, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flownb.store.artifacts.contract import ArtifactStore

NOBODY = "0" * 64


@pytest.fixture(params=["memory", "files", "sealed"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "memory":
        return MemoryArtifacts()
    return FileArtifacts(tmp_path / "artifacts", Mirror() if request.param == "sealed" else None)


@pytest.fixture
def disarmed() -> Iterator[None]:
    yield
    faults.disarm()


@pytest.mark.parametrize("data", [b"", b"x", b"flownb" * 1000])
def test_what_was_put_is_read_under_the_digest_of_its_content(store: ArtifactStore, data: bytes) -> None:
    digest = store.put(data, ".bin")
    assert digest == hashlib.sha256(data).hexdigest()
    assert read(store, digest) == data
    assert store.size(digest) == len(data)
    assert list(store.digests()) == [digest]


def test_memory_can_be_put_as_well_as_bytes(store: ArtifactStore) -> None:
    assert store.put(memoryview(bytearray(b"abc")), ".bin") == store.put(b"abc", ".bin")


def test_a_file_is_kept_and_stays(store: ArtifactStore, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"a,b\n1,2\n")
    digest = store.put_file(path, ".csv")
    assert read(store, digest) == path.read_bytes() == b"a,b\n1,2\n"


def test_a_missing_file_is_named(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere\.csv can't be kept: no such file"):
        store.put_file(tmp_path / "nowhere.csv", ".csv")


def test_what_is_written_piece_by_piece_is_kept_when_the_block_ends(store: ArtifactStore) -> None:
    with store.create(".txt") as new:
        new.write(b"one ")
        new.write(memoryview(b"two"))
        assert new.tell() == 7
    assert new.digest == store.put(b"one two", ".txt")
    assert read(store, new.digest) == b"one two"


def test_nothing_is_kept_of_a_block_that_fails(store: ArtifactStore) -> None:
    def write_half() -> None:
        with store.create(".txt") as new:
            new.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert list(store.digests()) == []


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: ArtifactStore) -> None:
    digest = store.put(b"x", ".bin")
    store.delete(digest)
    store.delete(digest)
    assert list(store.digests()) == []
    with pytest.raises(NotFound, match=r"There is no artifact 2d711642b726 in .*: it was deleted"):
        store.open(digest)


@pytest.mark.parametrize("digest", [NOBODY, "../../etc/passwd", "", "A" * 64, "é" * 64])
def test_what_is_no_digest_of_anything_is_not_found(store: ArtifactStore, digest: str) -> None:
    for ask in (store.open, store.size, store.written_at):
        with pytest.raises(NotFound, match="There is no artifact"):
            ask(digest)
    assert store.path(digest) is None
    store.delete(digest)


def test_what_is_put_again_is_young_again(store: ArtifactStore) -> None:
    before = time.time() - 60
    digest = store.put(b"x", ".bin")
    if (path := store.path(digest)) is not None:
        os.utime(path, (1, 1))
        assert store.written_at(digest) == 1
    store.put(b"x", ".bin")
    assert store.written_at(digest) > before


def test_a_suffix_is_a_short_word(store: ArtifactStore) -> None:
    for suffix in ("png", "./x", ".tar.gz", "." + "x" * 20):
        with pytest.raises(UsageError, match="suffix"):
            store.put(b"x", suffix)


@pytest.mark.usefixtures("disarmed")
def test_the_fault_point_is_reached_once_the_content_is_there(store: ArtifactStore) -> None:
    seen: list[list[str]] = []
    faults.arm("artifact.written", lambda: seen.append(list(store.digests())))
    digest = store.put(b"x", ".bin")
    store.put(b"x", ".bin")
    assert seen == [[digest]]


def test_digests_are_64_hexadecimal_digits() -> None:
    assert is_digest(hashlib.sha256(b"").hexdigest())
    assert not any(map(is_digest, ["", "x" * 64, 5, None, NOBODY + "0", NOBODY + "\n"]))
