"""Lists, statistics, reports and accounts over nginx: the tests of other modules run again, by nginx."""

import pytest

from tests.support.over_nginx import client, nginx_url  # noqa: F401 - fixtures
from tests.transport.test_event_lists import *  # noqa: F403 - its tests are wanted, as those of the next ones
from tests.transport.test_event_stats import *  # noqa: F403 - its tests
from tests.transport.test_report_forms import *  # noqa: F403 - its tests
from tests.transport.test_users import *  # noqa: F403 - its tests

pytestmark = pytest.mark.slow

# It holds reports to strong tags, which gzip makes weak ones.
del globals()["test_an_unchanged_report_is_not_sent_again"]
