"""``[health]`` and the options that change it."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from framework.errors import ConfigError
from framework.live.health.log import Level
from framework.live.health.section import HealthSection, add_health_arguments, health_from


def made(*options: str, **given: Any) -> HealthSection:
    parser = argparse.ArgumentParser()
    add_health_arguments(parser)
    return health_from(parser.parse_args(options), HealthSection(**given))


def test_without_a_word_there_is_a_log_and_no_endpoint() -> None:
    section = made()
    assert section == HealthSection()
    assert (section.level, section.metrics_port, section.metrics_host) == (Level.INFO, None, "127.0.0.1")
    assert section.said() == "none for Prometheus; `tidegate top` shows the run to its owner"


def test_options_change_what_the_file_says_and_leave_the_rest() -> None:
    section = made("--metrics-port", "9464", "--log-level", "debug", "--verbose", log_mb=7, metrics_port=1)
    assert (section.metrics_port, section.level, section.is_verbose, section.log_mb) == (9464, Level.DEBUG, True, 7)
    assert made(metrics_port=9464, log_level="error") == HealthSection(metrics_port=9464, log_level="error")


def test_who_will_see_the_figures_is_said() -> None:
    said = "whoever reaches it sees positions and orders"
    assert made("--metrics-port", "9464").said() == f"for Prometheus at 127.0.0.1, port 9464: {said}"
    assert made("--metrics-port", "0", metrics_host="::").said() == (
        f"for Prometheus at ::, any port that is free: {said}"
    )


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"metrics_port": 65_536}, r"\[health\] metrics_port"),
        ({"log_mb": 0}, r"\[health\] log_mb"),
        ({"log_files": 11}, r"\[health\] log_files"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        HealthSection(**given)


def test_an_option_that_makes_no_sense_is_refused_too() -> None:
    with pytest.raises(ConfigError, match=r"\[health\] metrics_port"):
        made("--metrics-port", "99999")
