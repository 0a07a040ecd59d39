"""The shop of the test logs, on a database that really commits."""

import pytest

from clients.geo import Geo
from db.database import Database
from tests.support.log_imports import Importer


@pytest.fixture
def shop(committed_db: Database, geo: Geo) -> Importer:
    """A shop whose logs are imported, in a database of this test alone."""
    return Importer(committed_db, geo)
