"""Modes of the venue and of its pairs: what is let in, and whether orders match.

While a pair does not match, its resting own orders are taken out of the kernel's book and parked, and taken up again in
time order when matching goes on. Simplification: the market's recorded data moves on meanwhile, so a parked order comes
back at the end of the queue of its price, and trades at once if the market has moved through it. At a real venue the
book stands still while it does not match.

Sources: rest-api/get-system-status, guides/general/order-lifecycle, websocket-v2/status.
"""

from __future__ import annotations

import msgspec

from framework.errors import ConfigError
from framework.messages import VenueStatus
from framework.protocol import ModeRule, VenueMode
from framework.venue.book import Pair
from framework.venue.parts import Parts
from framework.venue.sessions import Line

__all__ = ["Modes"]


class Modes:
    """Sets modes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def is_standing(self) -> bool:
        """Whether the engine stands still: nothing is accepted, not even a cancel, and no timer acts."""
        return not self._parts.rule.is_cancel_accepted

    def set(self, mode: VenueMode, symbol: str | None, lines: list[Line], now_ns: int) -> None:
        """Set the mode of a pair, or with None of the venue, and tell every line; raises ConfigError for an unknown
        pair and for a mode that the profile has no rule for.
        """
        parts = self._parts
        if mode not in parts.profile.modes:
            raise ConfigError(f"venue {parts.profile.name!r} has no mode {mode.name}")
        self._set(parts.profile.modes[mode], mode, symbol, lines, now_ns)

    def set_unheard(self, symbol: str, is_unheard: bool, lines: list[Line], now_ns: int) -> None:
        """Set whether the market of a pair is not known: cancels only, as ``CANCEL_ONLY`` has it, but orders that rest
        stay in the book. Raises ConfigError for an unknown pair.
        """
        modes = self._parts.profile.modes
        mode = VenueMode.CANCEL_ONLY if is_unheard else VenueMode.ONLINE
        rule = msgspec.structs.replace(modes[mode], is_matching=True)
        self._set(rule, mode, symbol, lines, now_ns)

    def _set(self, rule: ModeRule, mode: VenueMode, symbol: str | None, lines: list[Line], now_ns: int) -> None:
        parts = self._parts
        if symbol is None:
            parts.rule = rule
        elif symbol in parts.pairs:
            parts.pairs[symbol].rule = rule
        else:
            raise ConfigError(f"no pair {symbol!r}; the venue has {', '.join(parts.pairs)}")
        report = VenueStatus(ts_venue_ns=now_ns, mode=mode, symbol=symbol)
        for line in lines:
            if line.session is not None:
                parts.reporter.send(line, report, False)
        observer = parts.lifecycle.observer
        if observer is not None:
            observer.on_mode(symbol, mode.name, now_ns)

    def apply(self, now_ns: int) -> None:
        """Stop or take up matching in each pair as the modes now say."""
        for pair in self._parts.pairs.values():
            self._set_matching(pair, now_ns)

    def _set_matching(self, pair: Pair, now_ns: int) -> None:
        is_matching = self._parts.rule.is_matching and pair.rule.is_matching
        if is_matching == pair.is_matching:
            return
        pair.is_matching = is_matching
        if is_matching:
            parked, pair.parked = pair.parked, []
            for order in parked:
                self._parts.entry.resume(order, now_ns)
            return
        resting = sorted((priority, order.seq) for side in pair.resting for _, priority, order in side)
        by_seq = {order.seq: order for side in pair.resting for _, _, order in side}
        for _, seq in resting:
            order = by_seq[seq]
            self._parts.lifecycle.unrest(order)
            pair.parked.append(order)
