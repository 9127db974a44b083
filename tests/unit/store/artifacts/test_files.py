"""What artifacts on disk survive."""

from __future__ import annotations

import os
import resource
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from flownb.errors import StoreError
from flownb.store.artifacts.files import FileArtifacts
from tests.unit.store.artifacts.mirror import read

if TYPE_CHECKING:
    from pathlib import Path


NOBODY = "0" * 64


@pytest.fixture
def files(tmp_path: Path) -> FileArtifacts:
    return FileArtifacts(tmp_path / "artifacts")


def left_behind(store: FileArtifacts) -> list[str]:
    return sorted(path.name for path in store.root.rglob("*") if path.is_file())


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
