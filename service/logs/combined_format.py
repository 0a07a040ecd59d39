"""The grammar of the logs that Apache and nginx write unless told otherwise: common and combined.

    203.0.113.9 - anna [01/Aug/2018:00:01:35 +0200] "GET /fish/?page=2 HTTP/1.1" 200 2326 "referer" "agent"
    └ address ┘   └ user, which may hold anything but a quote ┘  └ method, URL  ┘  └ status └ combined only

Behind the agent, or the size, and a space, anything may follow: many add fields.
A log of one has lines of the other, too.
"""

from service.logs.line_layout import Field, Layout

FIELDS = (
    Field("address", " "),
    Field("other", " ", is_read=False),
    Field("user", " ["),
    Field("local_time", '] "'),
    Field("request", '" '),
    Field("status", " "),
    Field("body_bytes", ""),
)
COMMON = Layout("common", "", FIELDS, has_tail=True)
COMBINED = Layout("combined", "", FIELDS, has_tail=True)
