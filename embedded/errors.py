"""What can go wrong with the embedded servers. Every message is one line that says what to do."""


class EmbeddedError(Exception):
    """An embedded server can't be found, set up or started."""


class DataDirInUse(EmbeddedError):
    """Another process runs the servers of this DATA_DIR and this one wanted them for itself."""
