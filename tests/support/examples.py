"""How many examples property tests take: few each day, ten times as many in the profile `thorough`.

    make test-all PYTEST_ADDOPTS=--hypothesis-profile=thorough

Each run draws others, so what few examples miss today they may meet tomorrow.
"""

from hypothesis import settings

EVERYDAY = 60  # of a test that names no number
TIMES = 10

# How long an example takes tells of the machine only.
settings.register_profile("everyday", deadline=None, max_examples=EVERYDAY)
settings.register_profile("thorough", deadline=None, max_examples=EVERYDAY * TIMES)


def examples(everyday: int) -> int:
    """Return how many examples a dear test takes, of so many each day. For decorators and parameters."""
    return everyday * settings.get_profile(settings.get_current_profile_name()).max_examples // EVERYDAY
