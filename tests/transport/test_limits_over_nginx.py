"""Rate limits hold over nginx too: the tests of them run again, by nginx."""

from tests.support.over_nginx import client, nginx_url  # noqa: F401 - fixtures
from tests.transport.test_limits import *  # noqa: F403 - its tests are wanted

# It tells forwarded addresses itself, and nginx tells its own instead.
del globals()["test_a_forwarded_address_is_believed_only_where_it_is_set"]
