"""What all tests share."""

from hypothesis import settings

# machines that run the tests are shared: a slow example is not a failure
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")
