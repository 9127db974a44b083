"""Which store: the argument, else `FLOWNB_STORE`, else the nearest `.flownb/`, else a new one here."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from flownb.errors import NotFound, StoreOnNetwork, StoreReadOnly, UsageError
from flownb.store.filesystem import can_write, network_type, read_mounts
from flownb.store.opening import OPENING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.contract import Store
    from flownb.store.memory import MemoryStore
    from flownb.store.sqlite import SqliteStore

VARIABLE: Final = "FLOWNB_STORE"
MEMORY: Final = "memory:"
#: The directory that is looked for upwards, as git looks for `.git`.
HOME: Final = ".flownb"
FILE: Final = "flownb.db"
_SCHEME: Final = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*):(?P<rest>.*)", re.DOTALL)
_KINDS: Final = "sqlite:///relative.db, sqlite:////absolute.db, a path that ends in .db, or memory:"

#: The stores that are open, by process and place; a forked child opens its own.
_open: dict[tuple[int, str], MemoryStore | SqliteStore] = {}
#: The same by the text that names the place, where that is the whole path, whatever the working directory.
_whole: dict[tuple[int, str], MemoryStore | SqliteStore] = {}


def open_store(url: str | None = None, *, create: bool = True, read: Callable[[], str] = read_mounts) -> Store:
    """The store of a place; the same object for the same place, as long as this process lives and it isn't closed.

    Args:
        url: where; None for the usual place.
        create: whether a store is made where there is none.
        read: tells what is mounted where; tests give their own.

    Raises:
        UsageError: the text is no place.
        NotFound: there is no store, and none is made.
        StoreOnNetwork: the place is on a network file system.
        StoreReadOnly: the place can't be written.
        StoreError: or another of its kinds.
    """
    given = url if url is not None else os.environ.get(VARIABLE) or None
    known = _whole.get((os.getpid(), given or ""))
    if known is not None and not known.closed:
        return known
    path = _usual(create=create) if given is None else parse(given)
    key = (os.getpid(), MEMORY if path is None else str(path))
    with OPENING:
        store = _open.get(key)
        if store is None or store.closed:
            _open[key] = store = _open_memory() if path is None else _open_file(path, create=create, read=read)
    if given in (MEMORY, f"sqlite:///{path}"):
        _whole[key[0], given] = store
    return store


def store_of(given: object) -> Store:
    """The store that a caller named: an open one, a URL or a path; None for the usual place.

    Raises:
        UsageError: it is none of these.
        StoreError: it can't be opened.
    """
    if given is None or isinstance(given, str):
        return open_store(given)
    if isinstance(given, os.PathLike):
        return open_store(os.fspath(given))
    if not hasattr(given, "commit") or not hasattr(given, "artifacts"):
        raise UsageError(f"{given!r:.80} is no store: give {_KINDS}, or an open store.", name="store")
    return cast("Store", given)


def parse(url: str) -> Path | None:
    """The absolute path that a url means; None for `memory:`.

    Raises:
        UsageError: it is none of the kinds of place that there are.
    """
    text = url.strip()
    if text == MEMORY:
        return None
    match = _SCHEME.fullmatch(text)
    if match is not None and len(match["scheme"]) > 1:  # one letter is a drive
        return _absolute(_after_scheme(text, match["scheme"].lower(), match["rest"]))
    if not text.endswith(".db"):
        raise UsageError(f"{url!r} names no store: give {_KINDS}.", name=VARIABLE)
    return _absolute(text)


def _after_scheme(url: str, scheme: str, rest: str) -> str:
    if scheme != "sqlite":
        raise UsageError(f"There is no store for {scheme}: ({url!r}): give {_KINDS}.", name=VARIABLE)
    path = rest.removeprefix("///")
    if path == rest or path in ("", ":memory:"):
        raise UsageError(f"{url!r} names no file: give {_KINDS}.", name=VARIABLE)
    if "?" in path:
        raise UsageError(f"{url!r} has options after '?', and a store takes none: leave them out.", name=VARIABLE)
    return path


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100  resolve() would follow links


def _usual(*, create: bool) -> Path:
    """The file in the nearest `.flownb/` from the working directory upwards, else in a new one here."""
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / HOME).is_dir():
            return directory / HOME / FILE
    if not create:
        raise NotFound(
            f"There is no {HOME}/ in {here} or above it: start a run there first, or name a store with --store or "
            f"{VARIABLE}.",
            name=str(here),
        )
    return here / HOME / FILE


def _open_memory() -> MemoryStore:
    from flownb.store.memory import MemoryStore

    return MemoryStore()


def _open_file(path: Path, *, create: bool, read: Callable[[], str]) -> SqliteStore:
    kind = network_type(path, read)
    if kind is not None:
        raise StoreOnNetwork(
            f"{path} is on a network file system ({kind}), where SQLite's locks can't be trusted and runs could be "
            f"lost. Use a local place: --store {local_place(read)}, or the same in {VARIABLE}.",
            place=str(path),
            kind=kind,
        )
    from flownb.store.sqlite import SqliteStore

    try:
        if path.parent.name == HOME and create:
            _furnish(path.parent)
        return SqliteStore(path, create=create)
    except StoreReadOnly as error:
        raise StoreReadOnly(
            f"{error.message} A place that works is --store {local_place(read)}.", place=str(path)
        ) from error


def _furnish(home: Path) -> None:
    """Make a `.flownb/` with what belongs in it beside the store: it stays out of git, and its keys are the user's."""
    import secrets  # it and tempfile are slow to import, and an existing store needs neither

    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "artifacts").mkdir(exist_ok=True)
        _write_once(home / ".gitignore", "*\n", 0o644)
        # One hexadecimal key a line, the newest first: what is signed by an older one stays valid.
        _write_once(home / "keys", f"{secrets.token_hex(32)}\n", 0o600)
    except OSError as error:
        raise StoreReadOnly(
            f"{home} can't be written ({error.strerror}): change its permissions, or use another store with --store "
            f"or {VARIABLE}.",
            place=str(home),
        ) from error


def _write_once(path: Path, text: str, mode: int) -> None:
    """Write a new file; whole, or not at all, because another process may be reading it."""
    if path.exists():
        return
    import tempfile

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        temporary.chmod(mode)
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def local_place(read: Callable[[], str] = read_mounts) -> str:
    """The url of a store on a local disk that this user can write; for messages."""
    import tempfile

    state = os.environ.get("XDG_STATE_HOME")
    usual = Path(state) if state else Path("~/.local/state").expanduser()
    fallback = Path(tempfile.gettempdir()) / (f"flownb-{os.getuid()}" if hasattr(os, "getuid") else "flownb")
    for directory in (usual / "flownb", fallback):
        if network_type(directory, read) is None and _writable(directory):
            return f"sqlite:///{directory / FILE}"
    return f"sqlite:///{fallback / FILE}"


def _writable(directory: Path) -> bool:
    """Whether a directory can be written, or made."""
    for each in (directory, *directory.parents):
        if os.path.exists(each):  # noqa: PTH110  Path.exists raises where it may not look
            return each.is_dir() and can_write(each)
    return False
