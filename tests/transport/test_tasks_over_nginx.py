"""Tasks, tokens, events and odd clients over nginx: the tests of other modules run again, by nginx."""

import pytest

from tests.support.over_nginx import client, front_url, nginx_url  # noqa: F401 - fixtures
from tests.transport.test_client_habits import *  # noqa: F403 - its tests are wanted, as those of the next ones
from tests.transport.test_event_bodies import *  # noqa: F403 - its tests
from tests.transport.test_task_lists import *  # noqa: F403 - its tests
from tests.transport.test_tasks import *  # noqa: F403 - its tests
from tests.transport.test_tokens import *  # noqa: F403 - its tests

pytestmark = pytest.mark.slow

# They hold answers to strong tags, which gzip makes weak ones.
for name in ("test_a_task_needs_no_more_than_a_title", "test_a_task_that_has_not_changed_is_not_sent_again"):
    del globals()[name]
