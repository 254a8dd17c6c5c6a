"""For all tests: no test has a limit in wall-clock time, so hypothesis gets none either."""

from hypothesis import settings

settings.register_profile("axcore", deadline=None)
settings.load_profile("axcore")
