"""What was played of a market: once to its end, or again and again until somebody ended the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from framework.data.columns import Market
from framework.protocol import InstrumentSpec
from framework.venue.served.market import market_from, pass_ns

__all__ = ["MarketHistory", "spec_identity"]


class MarketHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One market as a run has played it.

    market: its rows, whose times are those of any of its passes. first_ns: when the first pass began. pass_count: how
    often it has begun. end_ns: when the run ended; None for with its last row.
    """

    market: Market
    first_ns: int
    pass_count: int = 1
    end_ns: int | None = None

    @classmethod
    def of(cls, market: Market) -> MarketHistory:
        """A market that was played once, from its first row to its last."""
        return cls(market=market, first_ns=int(market.columns.ts_event_ns[0]))

    @property
    def spec(self) -> InstrumentSpec:
        """The instrument."""
        return self.market.spec

    @property
    def last_ns(self) -> int:
        """The time of the last row, or when the run ended if that was before."""
        columns = self.market.columns
        span_ns = int(columns.ts_event_ns[-1]) - int(columns.ts_event_ns[0])
        last_ns = self._start_ns(self.pass_count - 1) + span_ns
        return last_ns if self.end_ns is None else min(last_ns, self.end_ns)

    @property
    def row_count(self) -> int:
        """How many rows were played."""
        times = self.market.columns.ts_event_ns
        shift_ns = int(times[0]) - self._start_ns(self.pass_count - 1)
        last = int(np.searchsorted(times, self.last_ns + shift_ns, side="right"))
        return (self.pass_count - 1) * len(times) + last

    def identity(self) -> dict[str, Any]:
        """What ``run.toml`` says of it."""
        return {
            **spec_identity(self.spec),
            "depth": self.market.depth,
            "rows": self.row_count,
            "first_ts_ns": self.first_ns,
            "last_ts_ns": self.last_ns if self.end_ns is None else self.end_ns,
        }

    def passes(self) -> Iterator[Market]:
        """The passes one after the other, each with its own times; one is made when it is asked for."""
        for number in range(self.pass_count):
            first_ns = self._start_ns(number)
            is_here = first_ns == int(self.market.columns.ts_event_ns[0])
            yield self.market if is_here else market_from(self.market, first_ns)

    def _start_ns(self, number: int) -> int:
        return self.first_ns + number * pass_ns(self.market)


def spec_identity(spec: InstrumentSpec) -> dict[str, Any]:
    """What ``run.toml`` says of an instrument."""
    names = ("symbol", "venue", "tick_size", "lot_size", "cost_decimals")
    return {name: getattr(spec, name) for name in names}
