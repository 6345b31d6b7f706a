"""The file systems that a ledger may pay from, by real lines of `/proc/mounts`."""

from pathlib import Path

import pytest

from runner.store.filesystems import FileSystem, file_system, file_system_of

MOUNTS = """\
/dev/nvme0n1p2 / ext4 rw,relatime,errors=remount-ro 0 0
tmpfs /home/a/tmp tmpfs rw,nosuid,nodev,size=1024k 0 0
nas:/export/home /home/nfs4 nfs4 rw,vers=4.2,rsize=1048576,hard,proto=tcp,sec=sys,local_lock=none,addr=10.0.0.5 0 0
nas:/export/old /home/nfs3 nfs rw,vers=3,nolock,proto=tcp,mountvers=3,local_lock=all,addr=10.0.0.5 0 0
//nas/share /home/smb cifs rw,vers=3.1.1,cache=strict,username=a,uid=1000,nobrl,mapposix 0 0
//nas/locked /home/smb/locked cifs rw,vers=3.1.1,cache=strict,username=a,uid=1000,mapposix 0 0
a@host:/srv /home/ssh fuse.sshfs rw,nosuid,nodev,relatime,user_id=1000,group_id=1000 0 0
mgs@tcp:/scratch /scratch lustre rw,flock,lazystatfs 0 0
mgs@tcp:/scratch /scratch/local lustre rw,localflock,lazystatfs 0 0
C:\\134 /mnt/c 9p rw,noatime,aname=drvfs;path=C:\\;uid=1000,cache=5,access=client,msize=65536,trans=fd 0 0
/dev/sdb1 /media/two\\040words ext4 rw 0 0
systemd-1 /auto autofs rw,relatime,fd=44,pgrp=1,timeout=0 0 0
nas:/auto /auto nfs4 rw,vers=4.2,local_lock=none 0 0
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind", "locks"),
    [
        ("/home/a/.local/state/storyboard", "ext4", "local"),
        ("/home/a/tmp/state", "tmpfs", "local"),
        ("/home/a/tmpfile", "ext4", "local"),
        ("/home/nfs4/a/state", "nfs4", "shared"),
        ("/home/nfs3", "nfs", "alone"),
        ("/home/smb/state", "cifs", "alone"),
        ("/home/smb/locked/state", "cifs", "shared"),
        ("/home/ssh/state", "fuse.sshfs", "alone"),
        ("/scratch/a", "lustre", "shared"),
        ("/scratch/local/a", "lustre", "alone"),
        ("/mnt/c/Users/a", "9p", "shared"),
        ("/media/two words/state", "ext4", "local"),
        ("/auto/state", "nfs4", "shared"),
    ],
)
def test_a_disk_is_known_by_the_mount_that_holds_the_path(path: str, kind: str, locks: str) -> None:
    assert file_system_of(path, MOUNTS) == FileSystem(kind, locks)  # type: ignore[arg-type]


def test_without_a_table_a_disk_counts_as_local() -> None:
    assert file_system_of("/home/a", "") == FileSystem("", "local")


def test_this_machines_own_disk_is_local(tmp_path: Path) -> None:
    assert file_system(tmp_path).locks == "local"
