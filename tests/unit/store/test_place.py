"""Which store is opened, and which places are refused."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flownb.errors import NotFound, StoreError, StoreOnNetwork, StoreReadOnly, UsageError
from flownb.store.memory import MemoryStore
from flownb.store.place import local_place, open_store, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.store.contract import Store


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to work in, without a store above it."""
    directory = tmp_path / "project" / "notebooks"
    directory.mkdir(parents=True)
    monkeypatch.chdir(directory)
    monkeypatch.delenv("FLOWNB_STORE")
    return directory


@pytest.fixture
def opened() -> Iterator[Callable[..., Store]]:
    """`open_store`, with every store closed at the end."""
    stores = []

    def open_one(url: str | None = None) -> Store:
        stores.append(open_store(url))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def test_without_a_word_a_store_is_made_here(workplace: Path, opened: Callable[..., Store]) -> None:
    store = opened()
    home = workplace / ".flownb"
    assert store.url == f"sqlite:///{home}/flownb.db"
    assert store.durable
    assert (home / "flownb.db").is_file()
    assert (home / "artifacts").is_dir()
    assert (home / ".gitignore").read_text() == "*\n"
    assert re.fullmatch(r"[0-9a-f]{64}\n", (home / "keys").read_text())
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o600


def test_opening_again_keeps_the_keys(workplace: Path, opened: Callable[..., Store]) -> None:
    opened().close()
    keys = (workplace / ".flownb" / "keys").read_text()
    opened()
    assert (workplace / ".flownb" / "keys").read_text() == keys
    assert sorted(each.name for each in (workplace / ".flownb").iterdir() if each.name.startswith(".")) == [
        ".gitignore"
    ]


def test_the_nearest_store_upwards_is_taken(workplace: Path, opened: Callable[..., Store]) -> None:
    (workplace.parent / ".flownb").mkdir()
    assert opened().url == f"sqlite:///{workplace.parent}/.flownb/flownb.db"
    assert not (workplace / ".flownb").exists()


def test_the_variable_comes_before_the_search_and_the_argument_before_both(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[..., Store]
) -> None:
    (workplace / ".flownb").mkdir()
    monkeypatch.setenv("FLOWNB_STORE", "sqlite:///variable.db")
    assert opened().url == f"sqlite:///{workplace}/variable.db"
    assert opened("argument.db").url == f"sqlite:///{workplace}/argument.db"
    monkeypatch.setenv("FLOWNB_STORE", "")
    assert opened().url.endswith("/.flownb/flownb.db")


def test_urls(workplace: Path) -> None:
    assert parse("sqlite:///rel.db") == workplace / "rel.db"
    assert parse("sqlite:////abs/x.sqlite") == Path("/abs/x.sqlite")
    assert parse("SQLite:///../up.db") == workplace.parent / "up.db"
    assert parse("sub/bare.db") == workplace / "sub" / "bare.db"
    assert parse("~/home.db") == Path("~/home.db").expanduser()
    assert parse("memory:") is None


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://localhost/flownb", "postgresql"),
        ("mysql+pymysql://x", "mysql"),
        ("runs.sqlite", "runs.sqlite"),
        ("", "names no store"),
        ("sqlite:rel.db", "names no file"),
        ("sqlite://rel.db", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?mode=ro", "options"),
    ],
)
def test_what_is_no_place_is_refused_in_one_sentence(url: str, word: str) -> None:
    with pytest.raises(UsageError, match=re.escape(word)) as caught:
        open_store(url)
    assert "\n" not in caught.value.message


def test_one_place_is_one_store(workplace: Path, opened: Callable[..., Store]) -> None:
    store = opened("x.db")
    assert opened("sqlite:///x.db") is store
    assert opened(f"sqlite:///{workplace}/../notebooks/x.db") is store
    assert opened("y.db") is not store
    store.close()
    assert opened("x.db") is not store


def test_memory_is_one_store_of_this_process(opened: Callable[..., Store]) -> None:
    assert isinstance(opened("memory:"), MemoryStore)
    assert opened("memory:") is opened("memory:")


def test_a_missing_directory_is_made(workplace: Path, opened: Callable[..., Store]) -> None:
    opened("deep/er/x.db")
    assert (workplace / "deep" / "er" / "x.db").is_file()


@pytest.mark.parametrize("url", [None, "x.db"])
def test_without_create_a_missing_store_is_said(workplace: Path, url: str | None) -> None:
    with pytest.raises(NotFound, match=str(workplace)):
        open_store(url, create=False)
    assert list(workplace.iterdir()) == []


def test_artifacts_of_two_files_do_not_mix(workplace: Path, opened: Callable[..., Store]) -> None:
    pytest.importorskip("flownb.store.artifacts")
    roots = {str(getattr(opened(url).artifacts, "root", "")) for url in (None, "x.db", "y.db")}
    assert roots == {
        str(workplace / ".flownb" / "artifacts"),
        str(workplace / "x.artifacts"),
        str(workplace / "y.artifacts"),
    }


def test_a_network_file_system_is_refused_with_a_place_that_works(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Callable[..., Store]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    mounts = f"/dev/vda / ext4 rw 0 0\nnas:/p {workplace} nfs4 rw 0 0\n"
    with pytest.raises(StoreOnNetwork, match="nfs4") as caught:
        open_store(read=lambda: mounts)
    assert list(workplace.iterdir()) == []
    place = re.search(r"sqlite:////\S+?\.db", caught.value.message)
    assert place is not None
    assert place[0] == f"sqlite:///{tmp_path}/state/flownb/flownb.db"
    assert opened(place[0]).durable


def test_the_place_that_works_is_local_and_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    mounts = f"/dev/vda / ext4 rw 0 0\nnas:/p {tmp_path}/state nfs4 rw 0 0\n"
    assert str(tmp_path / "state") in local_place(lambda: "/dev/vda / ext4 rw 0 0\n")
    assert str(tmp_path / "state") not in local_place(lambda: mounts)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Give up root's rights for a while: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that everyone may enter; those of pytest are their user's alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_an_unwritable_directory_is_refused_with_a_place_that_works(
    open_directory: Path, request: pytest.FixtureRequest
) -> None:
    open_directory.chmod(0o555)
    request.getfixturevalue("nobody")
    for url in (f"sqlite:///{open_directory}/x.db", f"sqlite:///{open_directory}/.flownb/flownb.db"):
        with pytest.raises(StoreReadOnly, match=str(open_directory)) as caught:
            open_store(url)
        assert re.search(r"--store sqlite:////\S+flownb\.db", caught.value.message)


def test_an_unwritable_file_is_refused(open_directory: Path, request: pytest.FixtureRequest) -> None:
    file = open_directory / "x.db"
    open_store(str(file)).close()
    file.chmod(0o444)
    request.getfixturevalue("nobody")
    with pytest.raises(StoreReadOnly, match=r"x\.db"):
        open_store(str(file))


def test_a_directory_is_no_store(workplace: Path) -> None:
    (workplace / "x.db").mkdir()
    with pytest.raises(StoreError, match="directory"):
        open_store("x.db")


_FORK = """
import os, signal
from flownb.store.place import open_store
from flownb.store.contract import NewRun

signal.alarm(60)

def add(store, run):
    store.create_run(NewRun(id=run, workflow="w", created_at=1.0), None)

store = open_store("x.db")
add(store, "before")
store.version()
list(store.rows())
to_parent, to_child = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    signal.alarm(60)
    own = open_store("x.db")
    assert own is not store
    add(own, "child")
    add(store, "child-by-the-parent-s-object")
    os.write(to_parent[1], b".")
    os.read(to_child[0], 1)
    # The parent has closed its store: it was not the last to have the file.
    add(own, "child-at-last")
    os.write(to_parent[1], b".")
    os.read(to_child[0], 1)
    os._exit(0)
add(store, "parent")
os.read(to_parent[0], 1)
store.close()
os.write(to_child[1], b".")
os.read(to_parent[0], 1)
again = open_store("x.db")
found = sorted(row.id for row in again.rows())
assert found == ["before", "child", "child-at-last", "child-by-the-parent-s-object", "parent"], found
assert again.check() == []
os.write(to_child[1], b".")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print("fine")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_forked_child_gets_a_store_of_its_own_and_harms_none() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", _FORK], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr
