"""The grammar of Apache's vhost_combined: the virtual host and its port, then a line of the combined format.

    shop.example:443 203.0.113.9 - anna [01/Aug/2018:00:01:35 +0200] "GET / HTTP/1.1" 200 2326 "-" "agent"
    └ host     ┘ └ port

The host may be empty: a request that can't be read names none. A line of this format is one of the combined
format, too, with a host as address: it is tried first.
"""

import re

from service.logs.client_address import parse_client_address
from service.logs.combined_format import FIELDS
from service.logs.line_layout import Field, Layout
from service.logs.shop_format import BadLine

VHOST_COMBINED = Layout("vhost_combined", "", (Field("host", " ", is_read=False), *FIELDS), has_tail=True)
BEGIN = re.compile(r"[^ ]*:\d{1,5} (?P<address>[^ ]+) ", re.ASCII)


def is_vhost_line(line: str) -> bool:
    """Return whether the line begins with a host, its port and an address, and goes on as it should."""
    begin = BEGIN.match(line)
    if begin is None:
        return False
    try:
        parse_client_address(begin["address"].rstrip(","))
    except BadLine:
        return False
    return VHOST_COMBINED.fits(line)
