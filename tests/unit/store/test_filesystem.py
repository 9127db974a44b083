"""Network file systems are recognized from the list of mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from flownb.store.filesystem import network_type, read_mounts

LINUX = r"""
/dev/vda / ext4 rw,relatime 0 0
tmpfs /dev/shm tmpfs rw 0 0
fileserver:/home /home nfs4 rw,vers=4.2,addr=10.0.0.1 0 0
/dev/vdb /home/ada/fast xfs rw 0 0
//nas/team /mnt/team\040files cifs rw 0 0
me@host:/ /mnt/ssh fuse.sshfs rw,user_id=1000 0 0
/dev/sdb1 /mnt/stick fuse.ntfs-3g rw 0 0
fsid@.a=/ /mnt/ceph ceph rw 0 0
10.0.0.2@tcp:/scratch /scratch lustre rw 0 0
C:\134 /mnt/c 9p rw,aname=drvfs 0 0
/dev/vdc /over ext4 rw 0 0
nas:/over /over nfs rw 0 0
nas:/under /under nfs rw 0 0
/dev/vdd /under btrfs rw 0 0
"""
MACOS = """
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)
//ada@nas._smb._tcp.local/team on /Volumes/team (smbfs, nodev, nosuid, mounted by ada)
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/flownb.db", None),
        ("/dev/shm/x.db", None),
        ("/home/ada/project/.flownb/flownb.db", "nfs4"),
        ("/home/ada/fast/x.db", None),
        ("/homes/x.db", None),
        ("/mnt/team files/x.db", "cifs"),
        ("/mnt/ssh/x.db", "fuse.sshfs"),
        ("/mnt/stick/x.db", None),
        ("/mnt/ceph/x.db", "ceph"),
        ("/scratch/x.db", "lustre"),
        ("/mnt/c/Users/x.db", "9p"),
        ("/over/x.db", "nfs"),
        ("/under/x.db", None),
    ],
)
def test_linux(path: str, kind: str | None) -> None:
    assert network_type(Path(path), lambda: LINUX) == kind


@pytest.mark.parametrize(("path", "kind"), [("/Users/ada/x.db", None), ("/Volumes/team/x.db", "smbfs")])
def test_macos(path: str, kind: str | None) -> None:
    assert network_type(Path(path), lambda: MACOS) == kind


def test_a_sandbox_that_lives_on_9p_is_let_be() -> None:
    assert network_type(Path("/srv/x.db"), lambda: "none / 9p rw 0 0\n") is None


def test_a_link_to_a_share_is_on_the_share(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (tmp_path / "link").symlink_to(share)
    mounts = f"/dev/vda / ext4 rw 0 0\nnas:/s {share} nfs4 rw 0 0\n"
    assert network_type(tmp_path / "link" / "sub" / "x.db", lambda: mounts) == "nfs4"


def test_where_nothing_is_known_nothing_is_refused() -> None:
    assert network_type(Path("/srv/x.db"), lambda: "") is None


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    assert "/" in read_mounts()
    assert network_type(tmp_path) is None or isinstance(network_type(tmp_path), str)
