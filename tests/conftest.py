"""What holds for every test run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A run of the tests is the same run each time: a failure that it shows can be shown again. To look for new failures,
# `make test ARGS="--hypothesis-profile=explore"` draws afresh and longer.
settings.register_profile(
    "tidegate",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("tidegate"), derandomize=False, max_examples=2_000)
settings.load_profile("tidegate")
