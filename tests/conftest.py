"""What holds for every test run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A run of the tests is the same run each time: a failure that it shows can be shown again. To look for new failures,
# `make test ARGS="--hypothesis-profile=explore"` draws afresh and longer, and `make fuzz` throws more at the doors.
settings.register_profile(
    "tidegate",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("tidegate"), derandomize=False, max_examples=2_000)
settings.load_profile("tidegate")

# Tests that mostly wait, for processes and for lines, between those that mostly compute.
_WAITING = Path(__file__).parent / "conformance"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the files of slow tests first, and spread those that wait evenly, so that the workers of a run do not all
    wait, or all compute, at one time, and none is left with a long file at the end. Within a file the order stays.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    files = dict.fromkeys(item.path for item in items)
    place: dict[Path, tuple[bool, float]] = {}
    for is_slow in (True, False):
        for waits in (True, False):
            group = [path for path in files if path.is_relative_to(_WAITING) is waits and (path in slow) is is_slow]
            place |= {path: (not is_slow, (at + 0.5) / len(group)) for at, path in enumerate(group)}
    items.sort(key=lambda item: place[item.path])
