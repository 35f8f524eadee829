"""Compiled code is loaded when it is first called: this calls it, before a client has to wait for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework.data.synthetic import synthetic_market
from framework.messages import AddOrder, AmendOrder, CancelAll, Report
from framework.protocol import BUY, SELL, OrderType, VenueProfile
from framework.venue.account import AccountConfig
from framework.venue.served.host import VenueHost

__all__ = ["warm_up"]

_SECOND_NS = 1_000_000_000
_PLENTY = Decimal(1_000_000)


class _Line:
    line_id = "warm"
    account = "warm"
    label = "ws2"
    comp_id: str | None = None

    def on_report(self, report: Report, is_response: bool) -> None:
        """Nobody is there."""


def warm_up(profile: VenueProfile) -> None:
    """Trade a moment on a venue that nobody sees."""
    market = synthetic_market(1, 2)
    spec = market.spec
    symbol = spec.symbol
    money = {spec.base: _PLENTY, spec.quote: _PLENTY}
    account = AccountConfig(name=_Line.account, balances=money, tier=profile.tiers[-1].name)
    host = VenueHost(profile, [market], [account], 0)
    line = _Line()
    host.open_line(line, is_news_subscribed=True)
    book = host.books[symbol]
    book.listen(10, _ignore)
    book.listen_orders(10, _ignore)
    host.run_until(_SECOND_NS)
    lots = max(spec.min_qty_lots, 1_000_000)
    for side in (BUY, SELL):
        best = book.best(side)
        assert best is not None
        far_ticks = best[0] // 2 if side == BUY else 2 * best[0]
        terms: dict[str, Any] = {"symbol": symbol, "side": side, "qty_lots": lots}
        name = f"warm {side}"
        for command in (
            AddOrder(
                request_id=host.next_request_id(),
                cl_ord_id=name,
                order_type=OrderType.LIMIT,
                limit_ticks=far_ticks,
                **terms,
            ),
            AmendOrder(request_id=host.next_request_id(), cl_ord_id=name, qty_lots=lots // 2, limit_ticks=far_ticks),
            AddOrder(request_id=host.next_request_id(), cl_ord_id="", order_type=OrderType.MARKET, **terms),
        ):
            host.submit(line.line_id, command)
    host.submit(line.line_id, CancelAll(request_id=host.next_request_id()))
    host.run_until(2 * _SECOND_NS)


def _ignore(update: object) -> None:
    """Nobody listens."""
