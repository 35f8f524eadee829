"""Margin accounts in plain Python: the specification that the venue's positions and money are held to.

Fills and movements are read as the venue tells them; positions, profits and balances are worked out anew from the
rules, in fractions, without anything of ``framework.venue.margin``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from framework.messages import ExecutionReport
from framework.protocol import BUY

TICK = Fraction(1, 10)
LOT = Fraction(1, 10_000)


@dataclass
class Piece:
    """What is left of one opening."""

    name: str
    side: int
    lots: int
    price: Fraction
    leverage: int

    def profit(self, lots: int, price: Fraction) -> Fraction:
        gained = price - self.price if self.side == BUY else self.price - price
        return gained * lots * LOT


@dataclass
class ObviousMargin:
    """One account. usd, btc: what its balances should be."""

    usd: Fraction
    btc: Fraction
    pieces: list[Piece] = field(default_factory=list)
    profit: Fraction = Fraction(0)

    def fill(self, report: ExecutionReport, leverage: int) -> Fraction:
        """A fill; returns its profit or loss, without fees."""
        price, lots = report.last_ticks * TICK, report.last_lots
        if not leverage:
            sign = 1 if report.side == BUY else -1
            self.btc += sign * lots * LOT
            self.usd -= sign * lots * LOT * price + Fraction(report.fee or Decimal(0))
            return Fraction(0)
        profit = Fraction(0)
        while lots and self.pieces and self.pieces[0].side != report.side:
            oldest = self.pieces[0]
            closed = min(lots, oldest.lots)
            profit += oldest.profit(closed, price)
            oldest.lots -= closed
            lots -= closed
            if not oldest.lots:
                del self.pieces[0]
        if lots:
            assert report.exec_id is not None
            self.pieces.append(Piece(report.exec_id, report.side, lots, price, leverage))
        self.profit += profit
        return profit

    def settle(self, name: str, btc: Fraction) -> None:
        """So much of a position's BTC was settled: received of a purchase, given back of a sale."""
        piece = next(each for each in self.pieces if each.name == name)
        assert (btc > 0) == (piece.side == BUY)
        lots = abs(btc) / LOT
        assert lots.denominator == 1
        assert lots <= piece.lots
        piece.lots -= int(lots)
        if not piece.lots:
            self.pieces.remove(piece)

    def net(self, price: Fraction) -> Fraction:
        """Profit or loss of what is open, at a price."""
        return sum((each.profit(each.lots, price) for each in self.pieces), Fraction(0))

    def used(self) -> Fraction:
        """The margin of what is open, as at its openings."""
        return sum((each.price * each.lots * LOT / each.leverage for each in self.pieces), Fraction(0))
