"""Where a file lies. Servers that see the same path may see two files there, or one that they share.

A location names a file system, and the path within it, so that two views of one folder are one location. A
file system is this host's, until it is started anew, unless hosts share it: then its source tells it.
"""

import re
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# File systems whose source names them alike on each host. One that is missing here costs time alone: what is
# shared on it is read by each host, and stored once.
KERNEL_TYPES = ("nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "gfs2", "ocfs2")
FUSE_TYPES = ("fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.sshfs", "fuse.juicefs")
SHARED_TYPES = frozenset(KERNEL_TYPES + FUSE_TYPES)
ESCAPED = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of mountinfo: the part `root` of a file system, seen at `point`."""

    device: str
    root: str
    point: str
    type: str
    source: str


def locate(file: str) -> str:
    """Return the location of a file by its key, whether it is there or not."""
    try:
        mounts = read_mounts(MOUNTS.read_bytes())
    except OSError:  # no Linux
        mounts = []
    return locate_in(mounts, file, host=read_host())


@cache
def read_host() -> str:
    """Return the id of the last boot, which no other host has, and which containers of one host share."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return socket.gethostname()


def read_mounts(text: bytes) -> list[Mount]:
    """Return the mounts, the last one last: it hides those before it."""
    mounts = list[Mount]()
    for line in text.splitlines():
        fields = [ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), field) for field in line.split(b" ")]
        _, _, device, root, point, *rest = (field.decode(errors="backslashreplace") for field in fields)
        type_name, source = rest[rest.index("-") + 1 :][:2]
        mounts.append(Mount(device, root, point, type_name, source))
    return mounts


def locate_in(mounts: list[Mount], file: str, *, host: str) -> str:
    """Return the location of a file as these mounts show it."""
    points = [mount for mount in mounts if is_inside(file, mount.point)]
    if not points:
        return f"{host} {file}"
    mount = max(reversed(points), key=lambda mount: len(mount.point))
    path = mount.root.rstrip("/") + "/" + file[len(mount.point) :].lstrip("/")
    if mount.type in SHARED_TYPES:
        return mount.source.rstrip("/") + path
    return f"{host} {mount.device} {path}"


def is_inside(file: str, folder: str) -> bool:
    return file.startswith(folder.rstrip("/") + "/")
