"""The error of a server that can't be started."""


class ServerError(Exception):
    """The server can't be started; the message is one line that says why."""
