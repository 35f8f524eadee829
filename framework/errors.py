"""Errors of the framework.

::

    TidegateError
    ├── DataError          a market file, store or import is not what it should be
    ├── ConfigError        a configuration names something that does not exist or makes no sense
    └── SimulationError    a run cannot go on: a bug of ours, or a strategy that broke a rule
"""

from __future__ import annotations

__all__ = ["ConfigError", "DataError", "SimulationError", "TidegateError"]


class TidegateError(Exception):
    """Root of all errors that the framework raises on purpose."""


class DataError(TidegateError):
    """A market file, a store or an import is not what it should be; the text names file, row and remedy."""


class ConfigError(TidegateError):
    """A configuration names something that does not exist or makes no sense; the text names key, value and remedy."""


class SimulationError(TidegateError):
    """A run cannot go on; the text names the two facts that disagree."""
