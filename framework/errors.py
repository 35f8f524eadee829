"""Errors of the framework.

::

    TidegateError
    ├── DataError          a market file, store or import is not what it should be
    ├── ConfigError        a configuration names something that does not exist or makes no sense
    ├── OutputError        a result cannot be written where it was asked for
    ├── JournalError       a journal cannot be written, read or followed
    ├── VenueError         an exchange cannot be reached, or refuses what it was asked
    └── SimulationError    a run cannot go on: a bug of ours, or a strategy that broke a rule
        └── StrategyError  the strategy's own code raised
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DataError",
    "JournalError",
    "OutputError",
    "SimulationError",
    "StrategyError",
    "TidegateError",
    "VenueError",
]


class TidegateError(Exception):
    """Root of all errors that the framework raises on purpose."""


class DataError(TidegateError):
    """A market file, a store or an import is not what it should be; the text names file, row and remedy."""


class ConfigError(TidegateError):
    """A configuration names something that does not exist or makes no sense; the text names key, value and remedy."""


class OutputError(TidegateError):
    """A result cannot be written where it was asked for; the text names the place, the reason and what is left."""


class JournalError(TidegateError):
    """A journal cannot be written, read or followed; the text names file, place and remedy."""


class VenueError(TidegateError):
    """An exchange cannot be reached, or refuses what it was asked; the text names address, reason and remedy."""


class SimulationError(TidegateError):
    """A run cannot go on; the text names the two facts that disagree."""


class StrategyError(SimulationError):
    """The strategy's own code raised; the text names error, file, line and simulated time, the cause has the rest."""
