"""SQLite on a network file system is refused; what is mounted where is read from the table the system keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from commsengine.errors import InputError
from commsengine.store.database import Database, mount_table, refuse_network

TABLE = """\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
filer:/home /home nfs4 rw,vers=4.2 0 0
//filer/change /mnt/change\\040team cifs rw 0 0
me@host:/srv /mnt/there fuse.sshfs rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
/dev/sdc1 /mnt/replaced nfs rw 0 0
/dev/sdd1 /mnt/replaced ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/home/dana/commsengine.db", "nfs4 at /home"),
        ("/mnt/change team/x/commsengine.db", "cifs at /mnt/change team"),
        ("/mnt/there/commsengine.db", "fuse.sshfs at /mnt/there"),
    ],
)
def test_a_file_on_another_machine_is_refused(file: str, kind: str) -> None:
    with pytest.raises(InputError) as refused:
        refuse_network(Path(file), TABLE)
    assert f"The database {file} is on a network file system ({kind})" in refused.value.message
    assert "Set COMMSENGINE_DATABASE_URL" in refused.value.fix


@pytest.mark.parametrize(
    "file", ["/srv/x.db", "/home/local/x.db", "/homestead/x.db", "/mnt/replaced/x.db", "/mnt/therefore/x.db"]
)
def test_a_file_on_this_machine_is_fine(file: str) -> None:
    refuse_network(Path(file), TABLE)


def test_a_system_without_such_a_table_is_not_asked(tmp_path: Path) -> None:
    refuse_network(tmp_path / "x.db", "")


def test_the_database_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="network file system"):
        Database(f"sqlite:///{tmp_path}/x.db", mounts=f"filer:/x {tmp_path} nfs rw 0 0\n")
    assert list(tmp_path.iterdir()) == []


def test_this_machine_tells_its_mounts() -> None:
    assert " / " in mount_table()
