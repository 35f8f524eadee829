"""How a run is watched: ``[health]`` of a configuration, and the options of the commands that change it."""

from __future__ import annotations

import argparse
from typing import Literal

import msgspec

from framework.config_text import check_range
from framework.live.health.log import Level

__all__ = ["HealthSection", "add_health_arguments", "health_from"]

type LevelName = Literal["debug", "info", "warning", "error"]


class HealthSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """log_level: what is logged: "debug", "info", "warning" or "error". log_mb, log_files: size of a file of the log,
        and how many of them are kept at most.
    is_verbose: the terminal is shown all that is logged.
    metrics_port: of the endpoint; None for no endpoint, 0 for any port that is free. metrics_host: where it listens;
        elsewhere than on this machine, whoever reaches it sees positions and orders.
    """

    log_level: LevelName = "info"
    log_mb: int = 50
    log_files: int = 5
    is_verbose: bool = False
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        check_range("[health] log_mb", self.log_mb, 1, 10_000)
        check_range("[health] log_files", self.log_files, 1, 10)
        if self.metrics_port is not None:
            check_range("[health] metrics_port", self.metrics_port, 0, 65_535)

    @property
    def level(self) -> Level:
        """The level of the log."""
        return Level[self.log_level.upper()]

    def said(self) -> str:
        """Who can see how the run stands, in words."""
        if self.metrics_port is None:
            return "none for Prometheus; `tidegate top` shows the run to its owner"
        port = f"port {self.metrics_port}" if self.metrics_port else "any port that is free"
        return f"for Prometheus at {self.metrics_host}, {port}: whoever reaches it sees positions and orders"


def add_health_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a run is watched."""
    parser.add_argument(
        "--metrics-port",
        type=int,
        default=None,
        metavar="PORT",
        help="serve figures for Prometheus there, on this machine only; 0 for any port that is free",
    )
    parser.add_argument(
        "--log-level",
        choices=[each.word for each in Level],
        default=None,
        help="what goes into log.jsonl of the run's folder (default info)",
    )
    parser.add_argument("--verbose", action="store_true", help="show all that is logged")


def health_from(options: argparse.Namespace, given: HealthSection) -> HealthSection:
    """What the options make of a configuration. Raises ConfigError for a port that is none."""
    changes: dict[str, object] = {}
    if options.metrics_port is not None:
        changes["metrics_port"] = options.metrics_port
    if options.log_level is not None:
        changes["log_level"] = options.log_level
    if options.verbose:
        changes["is_verbose"] = True
    return msgspec.structs.replace(given, **changes)
