"""What tests change of the embedded servers: times, sizes, folders."""

import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times in seconds, sizes in bytes."""

    probe_interval: float = 2.0  # of a server that is ready
    stall: float = 6.0  # without a response, after which a server is taken for hung
    orphan_grace: float = 1.0  # in which orphans may end in order
    stop_timeout: float = 6.0  # for an end in order
    quit_timeout: float = 2.0  # for an end at once
    owner_leaves: float = 2.0  # an owner whose workers are just ending
    log_size: int = 8 * 2**20  # after which a log is rotated
    copy_folders: tuple[Path, ...] = (
        Path("/var/lib/trawl"),
        Path(tempfile.gettempdir()) / "trawl-programs",
    )
    """Programs below a home of mode 700 are copied to the first of these that can be written."""


DEFAULT = Tuning()
