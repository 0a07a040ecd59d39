"""The errors of the embedded servers. Every message is one line that says what to do."""


class EmbeddedError(Exception):
    """An embedded server can't be found, set up or started."""


class DataDirInUse(EmbeddedError):
    """Another process runs the servers of this DATA_DIR, which this one needs exclusively."""
