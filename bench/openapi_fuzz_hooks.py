"""What schemathesis must know of our bodies: it loads this module by its name."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/octet-stream", "text/plain")
def as_it_is(_context: Any, value: Any) -> bytes:
    """Send text as the body; the document describes such bodies as text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")
