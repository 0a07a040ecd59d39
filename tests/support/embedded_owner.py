"""Runs the servers of a DATA_DIR until its input ends: python embedded_owner.py DATA_DIR [exclusive]."""

import select
import sys
from pathlib import Path

from embedded import open_servers

if __name__ == "__main__":
    with open_servers(Path(sys.argv[1]), exclusive="exclusive" in sys.argv) as servers:
        print("owned" if servers.owned else "shared", flush=True)
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            servers.watch()
