"""Secrets in files: one TOML file for all, or a directory with a file for each, as Docker and Kubernetes mount them."""

from __future__ import annotations

import logging
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import UsageError
from flownb.services import masking
from flownb.services.spellings import SHORT
from flownb.store import place

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger("flownb.secrets")
#: Names a file or a directory of secrets.
VARIABLE: Final = "FLOWNB_SECRETS"
MOUNTED: Final = Path("/run/secrets")
_MOST_BYTES: Final = 1024 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_WHERE: Final = re.compile(r"\(at (.*)\)")
#: Files that a warning was given about.
_warned: Final[set[Path]] = set()


def secret_files() -> Iterator[SecretFile | SecretFolder]:
    """All that there may be, in the order in which they are asked."""
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named).expanduser().absolute()
        yield SecretFile(path, needed=True) if path.suffix == ".toml" or path.is_file() else SecretFolder(path)
    home = _home()
    yield SecretFile(home / "secrets.toml")
    yield SecretFolder(home / "secrets", own=True)
    yield SecretFolder(MOUNTED)


def _home() -> Path:
    """The `.flownb/` of the store that is in use, else the nearest one from the working directory upwards."""
    url = os.environ.get(place.VARIABLE)
    if url:
        try:
            file = place.parse(url)
        except UsageError:
            file = None
        if file is not None and file.parent.name == place.HOME:
            return file.parent
    here = Path.cwd()
    return next(
        (each / place.HOME for each in (here, *here.parents) if (each / place.HOME).is_dir()), here / place.HOME
    )


class SecretFile:
    """A TOML file with `name = "value"`; a table gives its entries names with a dot."""

    def __init__(self, path: Path, *, needed: bool = False) -> None:
        self.path = path
        self._needed = needed

    def get(self, name: str) -> str | None:
        """The value; all others of the file are masked from then on as well.

        Raises:
            UsageError: others can read the file, or it is no TOML of texts.
        """
        values = self._read()
        if name not in values:
            return None
        for other, value in values.items():
            if len(value) >= SHORT:
                masking.learn(other, value)
        return values[name]

    def names(self) -> list[str]:
        """All names in it."""
        return list(self._read())

    def looked(self, name: str) -> str:
        """The file."""
        del name
        return f"{self.path}{'' if self.path.exists() else ' (there is none)'}"

    def _read(self) -> dict[str, str]:
        try:
            with self.path.open("rb") as file:
                _refuse_if_others_can_read(file.fileno(), self.path)
                data = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            if self._needed:
                raise UsageError(f"{VARIABLE} names {self.path}, and there is no such file.") from None
            return {}
        except OSError as error:
            raise UsageError(f"The secrets in {self.path} can't be read: {error.strerror}.") from None
        _check_size(data, self.path)
        try:
            return dict(_entries(tomllib.loads(data.decode()), "", self.path))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            # Only the place: the text of the error may quote the file.
            where = _WHERE.search(str(error))
            raise UsageError(
                f'{self.path} is no TOML{f" ({where[1]})" if where else ""}: write name = "value", a line each.'
            ) from None


def _entries(table: dict[str, Any], before: str, path: Path) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _entries(value, f"{before}{key}.", path)
        elif isinstance(value, str):
            yield before + key, value
        else:
            raise UsageError(f"{path}: {before}{key} is a {type(value).__name__}; put the value in quotes.")


class SecretFolder:
    """A directory where each file holds one secret, under its name; a line break at its end is not part of it."""

    def __init__(self, path: Path, *, own: bool = False) -> None:
        self.path = path
        #: Whether it was made by hand, so that its permissions are refused where a mounted one's are only told.
        self._own = own

    def get(self, name: str) -> bytes | None:
        """The content of the file.

        Raises:
            UsageError: it can't be read, or others can read it too.
        """
        file = self.path / name
        try:
            with file.open("rb") as opened:
                self._check(opened.fileno(), file)
                data = opened.read(_MOST_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise UsageError(f"The secret {file} can't be read: {error.strerror}.") from None
        _check_size(data, file)
        return data.removesuffix(b"\n").removesuffix(b"\r")

    def names(self) -> list[str]:
        """The names of the files."""
        try:
            return sorted(each.name for each in self.path.iterdir() if each.is_file() and not each.name.startswith("."))
        except OSError:
            return []

    def looked(self, name: str) -> str:
        """The file; a directory that isn't there is not worth a word."""
        return f"{self.path / name}" if self.path.is_dir() else ""

    def _check(self, handle: int, file: Path) -> None:
        if self._own:
            _refuse_if_others_can_read(handle, file)
        elif _others_can_read(handle) and self.path not in _warned:
            _warned.add(self.path)
            _log.warning("Other users of this machine can read the secrets in %s.", self.path)


def _others_can_read(handle: int) -> bool:
    """Whether it is a file of this user's that others may look into; a mounted one belongs to the system."""
    if not hasattr(os, "getuid"):
        return False
    status = os.fstat(handle)
    return (
        status.st_uid == os.getuid()
        and bool(status.st_mode & _OTHERS)
        and not os.fstatvfs(handle).f_flag & os.ST_RDONLY
    )


def _refuse_if_others_can_read(handle: int, path: Path) -> None:
    mode = os.fstat(handle).st_mode
    if hasattr(os, "getuid") and mode & _OTHERS:
        raise UsageError(
            f"Other users can read the secrets in {path} (its mode is {stat.S_IMODE(mode):04o}): chmod 600 {path}"
        )


def _check_size(data: bytes, path: Path) -> None:
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} has more than {_MOST_BYTES // 1024} kB; that is no secret.")
