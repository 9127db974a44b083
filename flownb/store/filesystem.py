"""What can be said of a place before a file is opened there: SQLite's locks can't be trusted on a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Types that reach another machine, or a host from its guest, as `/proc/mounts` and macOS' `mount` name them.
_NETWORK: Final = frozenset({
    "9p", "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "vmhgfs",
    "webdav",
})  # fmt: skip
#: Of the file systems in user space only these are known to stay on this machine.
_LOCAL_FUSE: Final = frozenset({
    "fuse.bindfs", "fuse.encfs", "fuse.ext2", "fuse.exfat", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.lxcfs",
    "fuse.mergerfs", "fuse.ntfs", "fuse.ntfs-3g", "fuse.zfs",
})  # fmt: skip
#: A line of `/proc/mounts`: device, directory, type, options.
_LINUX: Final = re.compile(r"\S+ (?P<directory>/\S*) (?P<type>\S+) \S+ \d+ \d+")
#: A line of macOS' `mount`: `//me@server/share on /Volumes/share (smbfs, nodev)`.
_MACOS: Final = re.compile(r".+? on (?P<directory>/.*) \((?P<type>\w+)[,)].*")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def read_mounts() -> str:
    """What is mounted where, as this system says it; empty where it doesn't."""
    try:
        if sys.platform == "darwin":
            return subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def network_type(path: Path, read: Callable[[], str] = read_mounts) -> str | None:
    """The type of the network file system that a path is on, or would be; None where it is local or unknown."""
    kind, mount = _mount_of(Path(os.path.realpath(path)), read())
    if kind.startswith("fuse."):
        return kind if kind not in _LOCAL_FUSE else None
    if kind == "9p" and mount == Path("/"):
        return None  # a sandbox that lives as a whole on such a system has it to itself
    return kind if kind in _NETWORK else None


def can_write(path: Path) -> bool:
    """Whether this process may write a file, or in a directory; by the rights that it has now."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _mount_of(path: Path, mounts: str) -> tuple[str, Path]:
    """Type and directory of the mount that a path is on: the deepest, and of those the last, which hides the others."""
    kind, found = "", Path("/")
    for line in mounts.splitlines():
        match = _LINUX.fullmatch(line) or _MACOS.fullmatch(line)
        if match is None:
            continue
        directory = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), match["directory"]))
        if path.is_relative_to(directory) and len(directory.parts) >= len(found.parts):
            kind, found = match["type"], directory
    return kind, found
