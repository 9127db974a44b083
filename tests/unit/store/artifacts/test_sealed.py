"""Artifacts that went through a codec."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import StoreCorrupt, StoreError
from flownb.store.artifacts import sealed
from flownb.store.artifacts.files import FileArtifacts
from tests.unit.store.artifacts.mirror import Mirror, read

if TYPE_CHECKING:
    from pathlib import Path


NOBODY = "0" * 64


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
