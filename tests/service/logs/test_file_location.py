"""Where a file lies, by what the kernel says of mounts."""

import os
from pathlib import Path

import pytest

from service.logs.file_location import locate, locate_in, read_host, read_mounts

HOST = rb"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 254:0 /srv/shop /logs rw,relatime master:7 - ext4 /dev/vda rw
31 27 254:0 /srv/other /logs/old rw,relatime shared:1 master:7 - ext4 /dev/vda rw
""".strip()
CONTAINER = rb"""
400 300 0:45 / / rw,relatime - overlay overlay rw,lowerdir=/l
410 400 254:0 /srv/shop /logs rw,relatime master:7 - ext4 /dev/vda rw
411 400 254:0 /srv/with\040space\134x /with\040space rw - ext4 /dev/vda rw
""".strip()


@pytest.mark.parametrize(
    ("mounts", "file", "location"),
    [
        (HOST, "/var/log/a.log", "h 254:0 /var/log/a.log"),
        (HOST, "/logs/a.log", "h 254:0 /srv/shop/a.log"),
        (HOST, "/logs/old/a.log", "h 254:0 /srv/other/a.log"),
        (HOST, "/logs-2/a.log", "h 254:0 /logs-2/a.log"),
        (HOST, "/srv/shop/a.log", "h 254:0 /srv/shop/a.log"),
        (CONTAINER, "/logs/a.log", "h 254:0 /srv/shop/a.log"),
        (CONTAINER, "/var/log/a.log", "h 0:45 /var/log/a.log"),
        (CONTAINER, "/with space/a.log", "h 254:0 /srv/with space\\x/a.log"),
        (HOST + b"\n32 27 254:1 / /logs rw - xfs /dev/vdb rw", "/logs/a.log", "h 254:1 /a.log"),
        (b"", "/logs/a.log", "h /logs/a.log"),
    ],
)
def test_a_file_of_a_host_is_told_by_host_device_and_path(mounts: bytes, file: str, location: str) -> None:
    assert locate_in(read_mounts(mounts), file, host="h") == location


def test_a_file_that_hosts_share_is_the_same_from_each_of_them() -> None:
    whole = HOST + b"\n40 27 0:50 / /share rw - nfs4 nas:/export rw,addr=10.0.0.9"
    part = CONTAINER + b"\n41 27 0:77 / /share/shop rw - nfs4 nas:/export/shop rw,addr=10.0.0.9"
    bound = HOST + b"\n42 27 0:51 /shop /share/shop rw - nfs4 nas:/export rw,addr=10.0.0.9"
    locations = {
        locate_in(read_mounts(mounts), "/share/shop/a.log", host=host)
        for host, mounts in (("h", whole), ("i", part), ("j", bound))
    }
    assert locations == {"nas:/export/shop/a.log"}


def test_this_hosts_mounts_are_read(tmp_path: Path) -> None:
    """Whatever they are: a folder lies on the file system whose device it has."""
    location = locate(str(tmp_path / "a.log"))
    device = tmp_path.stat().st_dev
    assert location.startswith(f"{read_host()} {os.major(device)}:{os.minor(device)} /")
    assert location.endswith("/a.log")
