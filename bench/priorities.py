"""Which processes of a benchmark come first where all share the cores of one machine."""

import os
from pathlib import Path

LAST = 19  # nice


def join(cgroup: Path) -> None:
    """Have this process, and all that it starts from now on, take part in the priority of a cgroup."""
    (cgroup / "cgroup.procs").write_text(str(os.getpid()))


def come_last(cgroup: Path | None) -> None:
    """Have this process take the cores that others leave.

    :param cgroup: that it leaves for the one above
    """
    if cgroup is not None:
        join(cgroup.parent)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # wakes up behind whoever runs
    os.nice(LAST)
