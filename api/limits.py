"""Every bound of what clients may send, once. Lengths are in characters unless a comment says otherwise."""

from datetime import UTC, datetime, timedelta

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1

# Bodies, in bytes; of gzipped ones this is the gunzipped size.
MIB = 2**20
MAX_BODY = MIB
MAX_BULK_BODY = 32 * MIB
MAX_BATCH = 10_000  # visits or events in one body
MAX_PARAMETERS = 100  # in a query string

# Lists
PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000  # rows; the first is the default
MAX_OFFSET = 100_000
MAX_CURSOR = 2000  # bytes
MAX_GROUPS = 2  # of a `group_by`
MAX_SEARCH = 200

# Times of visits and events
FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(days=1)  # how far a client's clock may be ahead of ours

# Accounts
MIN_LOGIN, MAX_LOGIN = 3, 254  # an e-mail address may be a login
MIN_PASSWORD, MAX_PASSWORD = 8, 128
MAX_TYPED_PASSWORD = 1024  # to be checked, not set: a longer one than can be set is wrong, not invalid
MAX_RESET_TOKEN = 2048  # ours have 55; the wrong kind of token is wrong, not too long
MAX_REFRESH_TOKEN = 200
MAX_CODE = 200  # of a second factor; ours have 6 or 19, and a longer one is wrong, not too long
MAX_NAME = 100  # a first or last name, or the name of an API key

# Tasks
MAX_TITLE, MAX_DESCRIPTION = 200, 10_000

# Visits
MAX_PAGE_URL = 2048
MAX_NORMAL_URL = 3 * MAX_PAGE_URL  # of one that was stored: each character may have become `%` and two digits
MAX_CATEGORY = MAX_PAGE_URL
MAX_ADDRESS = 100
MAX_AGENT, MAX_REFERRER = 2048, 2048

# Sites
MAX_ORIGINS = 20  # of one site
MAX_ORIGIN = 300
MAX_SITE_KEY = 100
MAX_VIEW_BODY = 8 * 1024  # bytes of a view that a page reports

# Statuses of HTTP, as logs have them
MIN_STATUS, MAX_STATUS = 100, 999
MAX_AGENT_TRAIT = 200  # characters of a browser, a system or a device

# Events
MAX_EVENT_TYPE = 100
MAX_PROPERTIES = 16 * 1024  # bytes of compact JSON
MAX_DEPTH = 100  # objects and lists within each other
MAX_FILTER = 2000  # a property's name, or the value it is filtered by
FUNNEL_WITHIN, MAX_FUNNEL_WITHIN = 86_400, 10 * 366 * 86_400  # seconds; the first is the default
FUNNEL_STEPS = (2, 10)
WINDOWS, MAX_WINDOWS = 7, 90  # of retention; the first is the default

# Reports
REPORT_ROWS = 10  # by default
MAX_CART_AGE = 10 * 366 * 24 * 60  # minutes

# Imports
MAX_FILE_NAME = 1024
MAX_IMPORT_NAME = 255
MAX_LOG_FORMAT = 4_096
IMPORT_WAIT, MAX_IMPORT_WAIT = 30, 300  # seconds; the first is the default

# Films
MAX_FILM_PAGE = 1000
