"""The embedded PostgreSQL and Valkey: finds, sets up, starts, watches and stops them. Stands alone."""

from embedded.errors import DataDirInUse, EmbeddedError
from embedded.servers import EmbeddedServers, has_database, open_servers

__all__ = ["DataDirInUse", "EmbeddedError", "EmbeddedServers", "has_database", "open_servers"]
