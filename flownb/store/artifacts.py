"""Large values by the digest of their content: written once, never changed, found by name alone.

The digest is the SHA-256 of what was given, in hex. A file appears under its name only when it is complete, so a
reader sees all of it or nothing, and a process that dies leaves at most a temporary file that `sweep` removes.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast

from flownb import faults
from flownb.errors import StoreError, UsageError
from flownb.ids import Digest
from flownb.store.artifact_faults import missing, reading, why, write_fault
from flownb.store.sealed import CHUNK, SealedReader, SealedWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from flownb.store.sealed import BytesCodec

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_SUFFIX: Final = re.compile(r"(\.[a-z0-9]{1,12})?")
#: Tried before the folder is listed.
_USUAL: Final = (".parquet", ".json", ".npy", ".bin", ".png", "")
#: At the end of the name of a file that went through a codec.
_SEALED: Final = ".sealed"
_NEW: Final = ".new-"
#: What is moved aside, to see whether it may go.
_ASIDE: Final = f"{_NEW}gone-"
#: How often, and how many seconds apart, a reader looks for what is aside.
_LOOKS: Final = 200
_MOMENT: Final = 0.005


class ArtifactStore(Protocol):
    """Where large values lie. All methods may be called from any thread, and raise `StoreError` or one of its kinds."""

    def put(self, data: bytes | memoryview, suffix: str) -> Digest:
        """Keep `data`; writing the same twice is free. `suffix` is for people, as `.png`."""
        ...

    def put_file(self, path: Path, suffix: str) -> Digest:
        """Keep the content of a file, of any size, without reading it into memory at once."""
        ...

    def create(self, suffix: str) -> AbstractContextManager[NewArtifact]:
        """A file to write to; it is kept, and its `digest` known, when the block ends without an error."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """The content, to be read from any place.

        Raises:
            NotFound: there is none of that digest.
        """
        ...

    def path(self, digest: str) -> Path | None:
        """A file with the content, for readers that want one; None where there is no such file."""
        ...

    def digests(self) -> Iterator[str]:
        """Every digest that there is."""
        ...

    def delete(self, digest: str) -> None:
        """Forget a content; none of that digest is no error."""
        ...

    def delete_if_older(self, digest: str, moment: float) -> int:
        """Forget a content that was last put before a moment; returns its bytes, 0 where it stays.

        Whoever puts it again meanwhile, in whatever process, has it.
        """
        ...

    def size(self, digest: str) -> int:
        """How many bytes the content has.

        Raises:
            NotFound: there is none of that digest.
        """
        ...

    def written_at(self, digest: str) -> float:
        """When it was last put, in seconds since 1970: what was put again is young again.

        Raises:
            NotFound: there is none of that digest.
        """
        ...


def is_digest(text: object) -> bool:
    """Whether this can be the name of an artifact."""
    return type(text) is str and _DIGEST.fullmatch(text) is not None


class NewArtifact(io.RawIOBase):
    """A file that is being written; counts and hashes what goes through it."""

    def __init__(self, sink: Callable[[memoryview], Any]) -> None:
        self._sink: Final = sink
        self._hash: Final = hashlib.sha256()
        self._length = 0
        #: Known when the block of `create` has ended.
        self.digest = Digest("")

    def writable(self) -> bool:
        """It can only be written."""
        return True

    def write(self, data: Any, /) -> int:
        """Take all of `data`.

        Raises:
            StoreError: the disk is full, or the like.
        """
        view = memoryview(data).cast("B")
        self._hash.update(view)
        self._sink(view)
        self._length += len(view)
        return len(view)

    def tell(self) -> int:
        """How much was written."""
        return self._length

    def name(self) -> Digest:
        """The digest of what was written so far."""
        return Digest(self._hash.hexdigest())


class MemoryArtifacts:
    """Artifacts that die with the process."""

    def __init__(self) -> None:
        self._kept: Final[dict[str, bytes]] = {}
        self._times: Final[dict[str, float]] = {}

    def put(self, data: bytes | memoryview, suffix: str) -> Digest:
        """Keep `data`; writing the same twice is free."""
        _check_suffix(suffix)
        digest = Digest(hashlib.sha256(data).hexdigest())
        self._times[digest] = time.time()
        if digest not in self._kept:
            self._kept[digest] = bytes(data)
            faults.reach("artifact.written")
        return digest

    def put_file(self, path: Path, suffix: str) -> Digest:
        """Keep the content of a file."""
        with reading(path) as file:
            return self.put(file.read(), suffix)

    @contextmanager
    def create(self, suffix: str) -> Iterator[NewArtifact]:
        """A file to write to; it is kept when the block ends without an error."""
        buffer = io.BytesIO()
        new = NewArtifact(buffer.write)
        yield new
        new.digest = self.put(buffer.getbuffer(), suffix)

    def open(self, digest: str) -> BinaryIO:
        """The content."""
        return io.BytesIO(self._content(digest))

    def path(self, digest: str) -> Path | None:  # noqa: ARG002  the contract's parameter
        """There are no files."""
        return None

    def digests(self) -> Iterator[str]:
        """Every digest that there is."""
        yield from list(self._kept)

    def delete(self, digest: str) -> None:
        """Forget a content."""
        self._kept.pop(digest, None)
        self._times.pop(digest, None)

    def delete_if_older(self, digest: str, moment: float) -> int:
        """Forget a content that was last put before a moment."""
        if digest not in self._kept or self._times[digest] >= moment:
            return 0
        size = len(self._kept[digest])
        self.delete(digest)
        return size

    def size(self, digest: str) -> int:
        """How many bytes the content has."""
        return len(self._content(digest))

    def written_at(self, digest: str) -> float:
        """When it was last put."""
        self._content(digest)
        return self._times[digest]

    def _content(self, digest: str) -> bytes:
        try:
            return self._kept[digest]
        except KeyError:
            raise missing(digest, "memory") from None


class FileArtifacts:
    """Artifacts as files, `root/ab/abcdef….parquet`; `root` is made when it is first needed.

    With a `codec` the files are sealed by it, chunk by chunk; their names stay the digests of the plain content.
    With `fsync` what was put survives the plug as well.
    """

    def __init__(self, root: Path, codec: BytesCodec | None = None, *, fsync: bool = False) -> None:
        self.root: Final = Path(root)
        self.fsync = fsync
        self._codec: Final = codec

    @property
    def sealed(self) -> bool:
        """Whether what it writes goes through a codec."""
        return self._codec is not None

    # --- writing

    def put(self, data: bytes | memoryview, suffix: str) -> Digest:
        """Keep `data`; writing the same twice is free."""
        _check_suffix(suffix)
        digest = Digest(hashlib.sha256(data).hexdigest())
        if not self._seen_again(digest):
            with self.create(suffix) as new:
                new.write(data)
        return digest

    def put_file(self, path: Path, suffix: str) -> Digest:
        """Keep the content of a file, chunk by chunk."""
        with reading(path) as file, self.create(suffix) as new:
            while chunk := file.read(CHUNK):
                new.write(chunk)
        return new.digest

    @contextmanager
    def create(self, suffix: str) -> Iterator[NewArtifact]:
        """A file to write to; it is kept when the block ends without an error, else nothing is left of it."""
        _check_suffix(suffix)
        temporary = self.root / f"{_NEW}{os.urandom(8).hex()}{suffix}"
        try:
            with self._writing():
                self.root.mkdir(parents=True, exist_ok=True)
                file = temporary.open("xb")
            with file:
                sealed = SealedWriter(file, self._codec) if self._codec is not None else None
                new = NewArtifact(self._sink(file.write if sealed is None else sealed.write))
                yield new
                with self._writing():
                    if sealed is not None:
                        sealed.finish()
                    file.flush()
                    if self.fsync:
                        os.fsync(file.fileno())
            new.digest = new.name()
            self._place(temporary, new.digest, suffix)
        finally:
            with suppress(OSError):
                temporary.unlink()

    def _sink(self, write: Callable[[memoryview], Any]) -> Callable[[memoryview], Any]:
        def sink(data: memoryview) -> None:
            with self._writing():
                write(data)

        return sink

    def _place(self, temporary: Path, digest: Digest, suffix: str) -> None:
        if self._seen_again(digest):
            return
        folder = self.root / digest[:2]
        with self._writing():
            folder.mkdir(exist_ok=True)
            temporary.replace(folder / f"{digest}{suffix}{_SEALED if self._codec is not None else ''}")
            if self.fsync:
                _sync_folder(folder)
                _sync_folder(self.root)
        faults.reach("artifact.written")

    def _seen_again(self, digest: str) -> bool:
        """Whether it is there; makes it young, so that nobody deletes it before the event that names it is written."""
        path = self._find(digest)
        if path is None:
            return False
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except OSError:
            pass  # another user's file: it is there all the same
        return True

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise write_fault(error, self.root) from error

    # --- reading

    def open(self, digest: str) -> BinaryIO:
        """The content, to be read from any place."""
        path = self._existing(digest)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            file = self._existing(digest).open("rb")  # it was looked at in between, and is back
        except OSError as error:
            raise StoreError(f"The artifact {path} can't be read: {why(error)}.", place=str(path)) from error
        if not path.name.endswith(_SEALED):
            return file
        if self._codec is None:
            file.close()
            raise StoreError(
                f"The artifact {path} is sealed, and this store was opened without its key.", place=str(path)
            )
        return cast("BinaryIO", io.BufferedReader(SealedReader(file, self._codec, str(path))))

    def path(self, digest: str) -> Path | None:
        """The file itself, unless it is sealed or missing."""
        path = self._find(digest)
        return path if path is not None and not path.name.endswith(_SEALED) else None

    def size(self, digest: str) -> int:
        """How many bytes the content has."""
        path = self._existing(digest)
        if path.name.endswith(_SEALED):
            with self.open(digest) as file:
                return file.seek(0, io.SEEK_END)
        return path.stat().st_size

    def written_at(self, digest: str) -> float:
        """When it was last put."""
        return self._existing(digest).stat().st_mtime

    # --- housekeeping

    def digests(self) -> Iterator[str]:
        """Every digest that there is."""
        if not self.root.is_dir():
            return
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            yield from sorted({name for path in folder.iterdir() if is_digest(name := path.name.partition(".")[0])})

    def delete(self, digest: str) -> None:
        """Forget a content."""
        while (path := self._find(digest)) is not None:
            with self._writing():
                path.unlink(missing_ok=True)

    def delete_if_older(self, digest: str, moment: float) -> int:
        """Forget a content that was last put before a moment.

        It is moved aside first and looked at then: whoever put it again in between made it young, and gets it back;
        who comes after that finds nothing, and writes it.
        """
        path = self._find(digest)
        if path is None:
            return 0
        aside = self.root / f"{_ASIDE}{os.urandom(8).hex()}"
        with self._writing():
            try:
                if path.stat().st_mtime >= moment:
                    return 0
                path.replace(aside)
            except FileNotFoundError:
                return 0
            found = aside.stat()
            if found.st_mtime >= moment:
                aside.replace(path)
                return 0
            aside.unlink()
        return found.st_size

    def sweep(self, older: float = 3600.0) -> int:
        """Remove what processes that died have left half-written more than `older` seconds ago; returns how many."""
        before = time.time() - older
        swept = 0
        for path in self.root.glob(f"{_NEW}*"):
            with suppress(FileNotFoundError), self._writing():
                if path.stat().st_mtime < before:
                    path.unlink()
                    swept += 1
        return swept

    def _existing(self, digest: str) -> Path:
        path = self._find(digest)
        for _ in range(_LOOKS):
            # Whoever collects has moved it aside for a moment, to see whether it may go.
            if path is not None or not is_digest(digest) or next(self.root.glob(f"{_ASIDE}*"), None) is None:
                break
            time.sleep(_MOMENT)
            path = self._find(digest)
        path = path or self._find(digest)
        if path is None:
            raise missing(digest, str(self.root))
        return path

    def _find(self, digest: str) -> Path | None:
        if not is_digest(digest):
            return None
        folder = self.root / digest[:2]
        sealed = _SEALED if self._codec is not None else ""
        for suffix in _USUAL:
            if (path := folder / f"{digest}{suffix}{sealed}").exists():
                return path
        return next(iter(folder.glob(f"{digest}*")), None)


def _check_suffix(suffix: str) -> None:
    if not _SUFFIX.fullmatch(suffix):
        raise UsageError(f"An artifact's suffix is a dot and letters or digits, as `.png`, not {suffix!r}.")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
