"""The embedded PostgreSQL and Valkey: found, set up, started, watched and stopped. Stands alone."""

from embedded.errors import DataDirInUse, EmbeddedError
from embedded.servers import EmbeddedServers, open_servers

__all__ = ["DataDirInUse", "EmbeddedError", "EmbeddedServers", "open_servers"]
