"""Visits, their exports and films over nginx: the tests of other modules run again, by nginx."""

import pytest

from tests.support.over_nginx import client, nginx_url  # noqa: F401 - fixtures
from tests.transport.test_movies import *  # noqa: F403 - its tests are wanted, as those of the next ones
from tests.transport.test_visit_export import *  # noqa: F403 - its tests
from tests.transport.test_visit_lists import *  # noqa: F403 - its tests

pytestmark = pytest.mark.slow
