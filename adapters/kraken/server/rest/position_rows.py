"""Positions on margin as the account endpoints show them.

Numbers of what has been closed are JSON numbers, all others text (rest-api/get-trade-history). The signs and decimals
of ``value`` and ``net`` are those of an example of open positions. What stands in a row of positions that are put
together by market is observed.

Sources: rest-api/get-open-positions, rest-api/get-trade-history.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import flags_of
from adapters.kraken.server.pairs import ServedPair, fixed
from adapters.kraken.server.ws2.frames import number
from adapters.kraken.wire.digits import digits
from adapters.kraken.words import SIDE_WORDS, TYPE_WORDS
from framework.protocol import BUY
from framework.venue.margin.positions import Position
from framework.venue.served.records import TradeRecord

__all__ = ["PositionRows", "closed_position", "used_margin"]

_NS = 10**9
_DIGITS = 12


def closed_position(fills: Sequence[TradeRecord]) -> str:
    """The first position that fills have closed some of; "" for none."""
    closings = [closing for fill in fills if fill.margin is not None for closing in fill.margin.closings]
    return closings[0].position.position_id if closings else ""


def used_margin(fills: Sequence[TradeRecord]) -> Decimal:
    """What fills of one order on margin cost, over its leverage."""
    return sum((fill.cost for fill in fills), Decimal(0)) / fills[0].order.leverage


class PositionRows:
    """Makes the rows."""

    def __init__(self, context: ServerContext) -> None:
        self._venue = context.host.venue
        self._pairs = context.pairs

    def open(self, position: Position, *, has_calculations: bool) -> dict[str, Any]:
        """An open position. has_calculations: with its value and its profit or loss."""
        pair = self._pair(position)
        lots = position.lots
        shown: dict[str, Any] = {
            "ordertxid": position.order.order_id,
            "posstatus": "open",
            "pair": pair.names.rest_id,
            "time": position.opened_ns / _NS,
            "type": SIDE_WORDS[position.side],
            "ordertype": TYPE_WORDS[position.order.order_type],
            "cost": self._money(position, position.cost(lots)),
            "fee": self._money(position, position.fee_units),
            "vol": pair.qty(lots),
            "vol_closed": pair.qty(position.closed_lots),
            "margin": self._money(position, position.margin(lots)),
            "terms": f"{digits(position.rollover_ppm, 4)}% per {self._rollover_hours()} hours",
            "rollovertm": str(position.rollover_ns // _NS),
            "misc": "",
            "oflags": flags_of(position.order),
        }
        return {**shown, **self._calculations([position])} if has_calculations else shown

    def by_market(self, positions: Sequence[Position], *, has_calculations: bool) -> list[dict[str, Any]]:
        """Open positions, those of a pair, side and leverage put together."""
        groups: dict[tuple[str, int, int], list[Position]] = {}
        for position in positions:
            groups.setdefault((position.pair.symbol, position.side, position.leverage), []).append(position)
        rows = []
        for (symbol, side, leverage), group in groups.items():
            pair, first = self._pairs.by_symbol[symbol], group[0]
            row: dict[str, Any] = {
                "pair": pair.names.rest_id,
                "positions": str(len(group)),
                "type": SIDE_WORDS[side],
                "leverage": fixed(Decimal(leverage), 5),
                "cost": self._money(first, sum(each.cost(each.lots) for each in group)),
                "fee": self._money(first, sum(each.fee_units for each in group)),
                "vol": pair.qty(sum(each.lots for each in group)),
                "vol_closed": pair.qty(sum(each.closed_lots for each in group)),
                "margin": self._money(first, sum((each.margin(each.lots) for each in group), Fraction(0))),
            }
            rows.append({**row, **self._calculations(group)} if has_calculations else row)
        return rows

    def of_trade(self, opened: Sequence[Position], *, has_closings: bool) -> dict[str, Any]:
        """What a trade that opened positions says of them; of several, their sums."""
        first = opened[0]
        cost = sum(each.closed_cost for each in opened)
        lots = sum(each.closed_lots - each.settled_lots for each in opened)
        freed = sum((each.margin(each.closed_lots) for each in opened), Fraction(0))
        pair = self._pair(first)
        average = Fraction(cost, lots * first.pair.cost_units) if lots else Fraction(0)
        shown: dict[str, Any] = {
            "posstatus": "open" if any(each.is_open for each in opened) else "closed",
            "cprice": number(fixed(_decimal(average * Fraction(pair.tick)), 5)),
            "ccost": self._number(first, cost),
            "cfee": self._number(first, sum(each.closed_fee for each in opened)),
            "cvol": number(pair.qty(sum(each.closed_lots for each in opened))),
            "cmargin": self._number(first, freed),
            "net": number(self._money(first, sum(each.net_units for each in opened), 4)),
        }
        if has_closings:
            shown["trades"] = list(dict.fromkeys(trade for each in opened for trade in each.closings))
        return shown

    def _calculations(self, positions: Sequence[Position]) -> dict[str, str]:
        """Value and profit or loss of what is open, at the last price."""
        first = positions[0]
        assert self._venue.margin is not None
        price = self._venue.margin.prices.price_ticks(first.pair)
        lots = sum(each.open_lots for each in positions)
        cost = sum(each.cost(each.open_lots) for each in positions)
        value = Fraction(cost) if price is None else price * lots * first.pair.cost_units
        net = value - cost if first.side == BUY else cost - value
        text = self._money(first, net, 4)
        return {"value": self._money(first, value, 1), "net": text if text.startswith("-") else f"+{text}"}

    def _pair(self, position: Position) -> ServedPair:
        return self._pairs.by_symbol[position.pair.symbol]

    def _rollover_hours(self) -> int:
        assert self._venue.margin is not None
        return self._venue.margin.rules.rollover_ns // (3_600 * _NS)

    def _money(self, position: Position, units: int | Fraction, decimals: int | None = None) -> str:
        amount = _decimal(Fraction(units)).scaleb(-position.pair.quote_decimals)
        return fixed(amount, self._pair(position).cost_decimals if decimals is None else decimals)

    def _number(self, position: Position, units: int | Fraction) -> Any:
        return number(self._money(position, units))


def _decimal(value: Fraction) -> Decimal:
    """A fraction with as many digits as any row shows, and more; what is beyond is cut off."""
    return Decimal(int(value * 10**_DIGITS)).scaleb(-_DIGITS)
