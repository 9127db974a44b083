"""Artifacts as files, each under the digest of its content."""

from __future__ import annotations

import hashlib
import io
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from flownb import faults
from flownb.errors import StoreError
from flownb.ids import Digest
from flownb.store.artifacts.contract import NewArtifact, check_suffix, is_digest
from flownb.store.artifacts.faults import missing, reading, why, write_fault
from flownb.store.artifacts.sealed import CHUNK, SealedReader, SealedWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.store.artifacts.sealed import BytesCodec

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
        check_suffix(suffix)
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
        check_suffix(suffix)
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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
