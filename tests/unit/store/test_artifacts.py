"""What every kind of artifact store keeps, and what the one on disk survives."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from flownb import faults
from flownb.errors import NotFound, StoreCorrupt, StoreError, UsageError
from flownb.store import sealed
from flownb.store.artifacts import FileArtifacts, MemoryArtifacts, is_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flownb.store.artifacts import ArtifactStore

NOBODY = "0" * 64


class Mirror:
    """A codec that anybody can see through, but no plain text search."""

    def __init__(self, key: int = 0xA5) -> None:
        self._key = key

    def encode(self, data: bytes) -> bytes:
        return bytes([self._key]) + bytes(byte ^ self._key for byte in data)

    def decode(self, data: bytes) -> bytes:
        if data[0] != self._key:
            raise ValueError("another key")
        return bytes(byte ^ self._key for byte in data[1:])


@pytest.fixture(params=["memory", "files", "sealed"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "memory":
        return MemoryArtifacts()
    return FileArtifacts(tmp_path / "artifacts", Mirror() if request.param == "sealed" else None)


@pytest.fixture
def files(tmp_path: Path) -> FileArtifacts:
    return FileArtifacts(tmp_path / "artifacts")


@pytest.fixture
def disarmed() -> Iterator[None]:
    yield
    faults.disarm()


def read(store: ArtifactStore, digest: str) -> bytes:
    with store.open(digest) as file:
        return file.read()


def left_behind(store: FileArtifacts) -> list[str]:
    return sorted(path.name for path in store.root.rglob("*") if path.is_file())


# --- every kind -----------------------------------------------------------------------------------------------------


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


# --- on disk --------------------------------------------------------------------------------------------------------


def test_nothing_is_made_before_it_is_needed(files: FileArtifacts) -> None:
    assert list(files.digests()) == []
    assert not files.root.exists()


def test_a_file_lies_under_the_first_two_digits_with_its_suffix(files: FileArtifacts) -> None:
    digest = files.put(b"x", ".png")
    assert files.path(digest) == files.root / digest[:2] / f"{digest}.png"
    assert left_behind(files) == [f"{digest}.png"]


def test_the_same_content_is_one_file_whatever_the_suffix(files: FileArtifacts) -> None:
    digest = files.put(b"x", ".strange")
    assert files.put(b"x", ".png") == digest
    assert left_behind(files) == [f"{digest}.strange"]


def test_strangers_among_the_files_are_passed_over(files: FileArtifacts) -> None:
    digest = files.put(b"x", ".png")
    (files.root / digest[:2] / "readme.txt").write_text("hello")
    (files.root / "notes.txt").write_text("hello")
    assert list(files.digests()) == [digest]


def test_what_dead_processes_left_is_swept_when_it_is_old(files: FileArtifacts) -> None:
    files.put(b"x", ".png")
    for name, age in ((".new-old.png", 7200), (".new-young.png", 10)):
        (files.root / name).write_bytes(b"half")
        os.utime(files.root / name, (time.time() - age, time.time() - age))
    assert files.sweep() == 1
    assert (files.root / ".new-young.png").exists()
    assert files.sweep(older=0) == 1


def test_a_full_disk_is_one_sentence_and_leaves_nothing(files: FileArtifacts) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreError, match=r"The disk of .*artifacts is full: .* Free some space"):
            files.put(bytes(200_000), ".bin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_behind(files) == []


def test_a_place_that_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"can't be written to .*artifacts: not a directory"):
        FileArtifacts(tmp_path / "file" / "artifacts").put(b"x", ".bin")


def test_a_store_that_was_deleted_meanwhile_is_made_again(files: FileArtifacts) -> None:
    digest = files.put(b"x", ".bin")
    shutil.rmtree(files.root)
    files.put(b"x", ".bin")
    assert read(files, digest) == b"x"


def test_with_fsync_all_works_as_without(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path / "artifacts", fsync=True)
    assert read(store, store.put(b"x", ".bin")) == b"x"


# --- sealed ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "CHUNK", 10)


def test_a_sealed_file_shows_nothing_of_its_content(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path, Mirror())
    digest = store.put(b"a secret of the house", ".txt")
    (path,) = tmp_path.rglob("*.sealed")
    assert b"secret" not in path.read_bytes()
    assert store.path(digest) is None
    assert read(store, digest) == b"a secret of the house"


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 20, 47])
def test_a_sealed_file_is_read_from_any_place(tmp_path: Path, length: int) -> None:
    data = bytes(range(length))
    store = FileArtifacts(tmp_path, Mirror())
    digest = store.put(data, ".bin")
    assert store.size(digest) == length
    with store.open(digest) as file:
        for start in range(length + 2):
            file.seek(start)
            assert file.read(13) == data[start : start + 13]
            assert file.tell() == min(start + 13, max(length, start))
        assert file.seek(0, os.SEEK_END) == length


def test_a_sealed_file_needs_its_key(tmp_path: Path) -> None:
    digest = FileArtifacts(tmp_path, Mirror()).put(b"x" * 30, ".bin")
    with pytest.raises(StoreError, match="opened without its key"):
        FileArtifacts(tmp_path).open(digest)
    with pytest.raises(StoreCorrupt, match="can't be read with this key: another key"):
        FileArtifacts(tmp_path, Mirror(1)).open(digest)


@pytest.mark.usefixtures("small_chunks")
def test_a_sealed_file_that_is_cut_off_is_corrupt(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path, Mirror())
    digest = store.put(bytes(30), ".bin")
    (path,) = tmp_path.rglob("*.sealed")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(StoreCorrupt, match="is cut off"):
        store.open(digest)


def test_plain_files_from_before_the_key_are_still_read(tmp_path: Path) -> None:
    digest = FileArtifacts(tmp_path).put(b"plain", ".bin")
    assert read(FileArtifacts(tmp_path, Mirror()), digest) == b"plain"


@pytest.mark.usefixtures("small_chunks")
def test_a_frame_comes_back_from_a_sealed_store(tmp_path: Path) -> None:
    pd: Any = pytest.importorskip("pandas")
    from flownb.store import values

    store = FileArtifacts(tmp_path, Mirror())
    frame = pd.DataFrame({"city": ["Seattle", None], "rain": [1.5, float("nan")]})
    stored = values.store(frame, store)
    pd.testing.assert_frame_equal(values.load(stored.plain, store), frame)
    assert not any(b"Seattle" in path.read_bytes() for path in tmp_path.rglob("*.sealed"))
