"""Where a file lies that a node reads or writes: paths, the root that they may not leave, and sentences about them."""

from __future__ import annotations

from pathlib import Path

from flownb.errors import EnvironmentFault, InvalidInput, NotFound, near_names

#: Files looked at for near names.
_MOST_NAMES = 1_000


def place_of(path: str | Path, root: str | Path | None, owner: str) -> Path:
    """The absolute path of a file, links resolved.

    Args:
        path: relative to the root, and without one to the working directory of the run.
        root: the folder that it must lie in, if there is one.
        owner: the node's path, for messages.

    Raises:
        InvalidInput: it is no path, or it leads out of the root.
    """
    if not str(path):
        raise InvalidInput(f"{owner}: the path is empty.", name="path")
    try:
        if root is None:
            return Path(path).resolve()
        inside = Path(root).resolve()
        found = (inside / path).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a null byte, too long, a circle of links
        raise InvalidInput(f"{owner}: {str(path)!r:.200} is no path: {error}.", name="path") from error
    if not found.is_relative_to(inside):
        raise InvalidInput(
            f"{owner}: {str(path)!r:.200} leads out of {inside}, which this node may not leave.", name="path"
        )
    return found


def existing(path: Path, owner: str, most_bytes: int) -> Path:
    """The file, if it is there, is a plain file and is not too large.

    Raises:
        NotFound: there is none; the message lists near names of its folder.
        InvalidInput: it is a folder, a device or too large.
        EnvironmentFault: it can't be looked at.
    """
    try:
        if path.is_dir():
            raise InvalidInput(f"{owner}: {path} is a folder; name a file in it.{_names_in(path, '')}", name="path")
        if not path.exists():
            raise NotFound(f"{owner}: there is no file {path}.{_way_out(path)}")
        if not path.is_file():
            raise InvalidInput(f"{owner}: {path} is no plain file but a device or a pipe.", name="path")
        size = path.stat().st_size
    except OSError as error:
        raise fault(error, path, owner, "looked at") from error
    if size > most_bytes:
        raise InvalidInput(
            f"{owner}: {path} has {size:,} bytes, and max_bytes is {most_bytes:,}; raise it if that is meant.",
            name="path",
        )
    return path


def fault(error: OSError, path: Path, owner: str, what: str) -> EnvironmentFault:
    """The sentence for what the operating system says about a file."""
    return EnvironmentFault(f"{owner}: {str(path)[:300]} can't be {what}: {error.strerror or error}.")


def _way_out(path: Path) -> str:
    if path.parent.is_dir():
        return _names_in(path.parent, path.name)
    return f" The folder {path.parent} isn't there either; paths are relative to {Path.cwd()}."


def _names_in(folder: Path, name: str) -> str:
    try:
        names = [each.name for each, _ in zip(folder.iterdir(), range(_MOST_NAMES), strict=False)]
    except OSError:
        return ""
    return near_names(name, [each for each in names if not each.startswith(".")])
