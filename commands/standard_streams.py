"""The standard streams of a process that was started without some, as by `<&-` or by a supervisor."""

import os
import sys


def open_closed_streams() -> None:
    """Open those that are closed on the null device. Else the next files opened would become them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: the stream's own
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode))
