"""Files of named arrays, as numpy maps them: what PostgreSQL holds, decoded once for all workers.

A file is a header, which names its arrays, and the arrays one after the other. It is there as a whole or not
at all; one that is missing, short or wrong costs only the time of making it again.
"""

import json
import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAGIC = b"trawlarr"
HEAD = Struct("<8sII")  # magic, bytes of the names, CRC of all that follows
ALIGNMENT = 64


def write_arrays(path: Path, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    """Write arrays and what else is to be known about them, as JSON.

    :raises OSError: they can't be written
    """
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    shapes = [[name, array.dtype.str, len(array)] for name, array in plain.items()]
    names = json.dumps({"arrays": shapes, "about": dict(about)}).encode()
    names = names.ljust(-(-(HEAD.size + len(names)) // ALIGNMENT) * ALIGNMENT - HEAD.size)
    checksum = zlib.crc32(names)
    for array in plain.values():
        checksum = zlib.crc32(array.data, checksum)
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(HEAD.pack(MAGIC, len(names), checksum) + names)
            file.writelines(array.data for array in plain.values())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def map_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]] | None:
    """Map the arrays of a file, and return what it says about them; None if it is not what was written."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < HEAD.size:
                return None
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:
        return None
    magic, length, checksum = HEAD.unpack_from(data)
    if magic != MAGIC or zlib.crc32(memoryview(data)[HEAD.size :]) != checksum:
        return None
    names = json.loads(data[HEAD.size : HEAD.size + length])
    arrays, offset = {}, HEAD.size + length
    for name, dtype, count in names["arrays"]:
        arrays[name] = np.frombuffer(data, dtype, count, offset)
        offset += arrays[name].nbytes
    return arrays, names["about"]
