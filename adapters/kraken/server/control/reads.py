"""What can be seen of the venue. Nothing here changes it.

Prices, quantities, money and counters are exact decimals as text; times are ISO 8601 in UTC, to the nanosecond.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.control.fields import Field, choice, text, whole
from adapters.kraken.server.control.served_faults import ServedFault, ServedFaults
from adapters.kraken.server.facts import FixFacts
from adapters.kraken.server.orders import OrderWords
from adapters.kraken.server.rest.position_rows import PositionRows
from adapters.kraken.server.shell.peers import PROTOCOLS, Peer, Peers
from adapters.kraken.words import SIDE_WORDS, TYPE_WORDS
from framework.protocol import BUY, POINT, SELL, TimeInForce
from framework.venue.orders import Order
from framework.venue.rates import RateCounter
from framework.venue.served.clock import VenueClock
from framework.venue.served.records import TradeRecord

__all__ = ["Reads"]

_NS = 1_000_000_000
_LIMIT_MAX = 10_000
_POINT_DECIMALS = len(str(POINT)) - 1
# How much of each the status page is given.
_PAGE = {"sessions": 100, "orders": 200, "fills": 60, "depth": 10, "faults": 20}


class Reads:
    """Answers what is asked.

    fix_sessions: of all FIX gateways, those that are not logged on included.
    """

    def __init__(
        self,
        context: ServerContext,
        clock: VenueClock,
        peers: Peers,
        faults: ServedFaults,
        fix_sessions: Callable[[], list[FixFacts]],
    ) -> None:
        self._host = context.host
        self._pairs = context.pairs
        self._clock = clock
        self._peers = peers
        self._faults = faults
        self._fix_sessions = fix_sessions
        self._started_ns = context.host.now_ns
        self._positions = PositionRows(context)
        accounts = choice("account", list(context.host.venue.accounts))
        pair = text("pair", self.pair_words, self.symbol_of)
        self.session_fields: tuple[Field, ...] = (whole("limit", 1, _LIMIT_MAX),)
        self.order_fields: tuple[Field, ...] = (
            accounts,
            pair,
            choice("state", ("open", "ended", "all")),
            whole("limit", 1, _LIMIT_MAX),
        )
        self.book_fields: tuple[Field, ...] = (pair, whole("depth", 1, 1_000))
        self.account_fields: tuple[Field, ...] = (accounts,)
        self.fill_fields: tuple[Field, ...] = (accounts, pair, whole("limit", 1, _LIMIT_MAX))

    # ------------------------------------------------------------------------------------------------- words

    @property
    def pair_words(self) -> str:
        """What a pair may be, in words."""
        return f"one of {', '.join(self._host.specs)}"

    def symbol_of(self, name: str) -> str:
        """The symbol of a pair by any of its names; raises ValueError for a name that none has."""
        pair = self._pairs.find(name)
        if pair is None:
            raise ValueError(name)
        return pair.spec.symbol

    @staticmethod
    def time_text(ts_ns: int) -> str:
        """A time as text."""
        seconds, rest = divmod(ts_ns, _NS)
        return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"

    # ------------------------------------------------------------------------------------------------- all

    def state(self, _: Mapping[str, Any]) -> Any:
        """All that the status page shows, each list up to a length."""
        return {
            **self.time({}),
            **self.mode({}),
            "protocols": [str(label) for label in self._host.profile.protocols],
            "sessions": self.sessions({"limit": _PAGE["sessions"]}),
            "orders": self.orders({"limit": _PAGE["orders"]}),
            "books": [self._book(symbol, _PAGE["depth"]) for symbol in self._host.specs],
            "counters": self.counters({}),
            "balances": self.balances({}),
            "fills": self.fills({"limit": _PAGE["fills"]}),
            "faults": self.faults({})[-_PAGE["faults"] :],
        }

    def time(self, _: Mapping[str, Any]) -> Any:
        """The venue's clock. speed: of the venue's time for the machine's, when it is not paused."""
        clock = self._clock
        return {
            "time": self.time_text(self._host.now_ns),
            "time_ns": self._host.now_ns,
            "started": self.time_text(self._started_ns),
            "is_paused": clock.is_paused,
            "speed": str(clock.running_speed),
        }

    def mode(self, _: Mapping[str, Any]) -> Any:
        """The engine's mode, of the venue and as it is for each pair."""
        host = self._host
        return {
            "mode": host.mode.name.lower(),
            "pair_modes": {symbol: host.mode_of(symbol).name.lower() for symbol in host.specs},
            "modes": [mode.name.lower() for mode in host.profile.modes],
        }

    def faults(self, _: Mapping[str, Any]) -> Any:
        """The newest faults, in the order in which they were put on the schedule."""
        return [self.fault(fault) for fault in self._faults.known]

    def fault(self, entry: ServedFault) -> Any:
        """One fault."""
        return {
            "number": entry.number,
            **{name: value for name, value in msgspec.to_builtins(entry.fault).items() if value is not None},
            "begins": self.time_text(entry.start_ns),
            "ends": None if entry.end_ns is None else self.time_text(entry.end_ns),
            "state": entry.state(self._host.now_ns),
        }

    # ------------------------------------------------------------------------------------------------- sessions

    def sessions(self, wanted: Mapping[str, Any]) -> Any:
        """The open connections, oldest first, and all FIX sessions."""
        peers = self._peers.by_number
        return {
            "count": len(peers),
            "connections": [self._connection(peer) for peer in islice(peers.values(), wanted.get("limit", 1_000))],
            "fix_sessions": [_fix(facts) for facts in self._fix_sessions()],
        }

    def _connection(self, peer: Peer) -> Any:
        facts = peer.facts()
        return {
            "number": peer.number,
            "kind": peer.kind,
            "protocol": PROTOCOLS[peer.kind],
            "address": peer.address,
            "accounts": facts.accounts,
            "opened": self.time_text(peer.opened_ns),
            "received": peer.received,
            "sent": peer.sent,
            "is_half_open": peer.is_silent,
            "fix": None if facts.fix is None else _fix(facts.fix),
        }

    # ------------------------------------------------------------------------------------------------- orders, fills

    def orders(self, wanted: Mapping[str, Any]) -> Any:
        """Orders, newest first. count: how many there are, whatever the limit."""
        state = wanted.get("state", "open")
        found: list[list[Order]] = []
        for name, account in self._host.venue.accounts.items():
            if wanted.get("account", name) != name:
                continue
            if state != "ended":
                found.append(list(account.open_orders.values()))
            if state != "open":
                found.append(list(account.ended))
        symbol = wanted.get("pair")
        orders = [order for some in found for order in some if symbol in (None, order.pair.symbol)]
        newest = heapq.nlargest(wanted.get("limit", 1_000), orders, key=lambda order: order.seq)
        return {"count": len(orders), "orders": [self._order(order) for order in newest]}

    def _order(self, order: Order) -> Any:
        pair = self._pairs.by_symbol[order.pair.symbol]

        def price(ticks: int | None) -> str | None:
            return None if ticks is None else pair.price(ticks)

        reason = order.end_reason
        return {
            "order_id": order.order_id,
            "cl_ord_id": order.cl_ord_id or None,
            "account": order.account.name,
            "protocol": str(order.session.profile.label),
            "pair": order.pair.symbol,
            "side": SIDE_WORDS[order.side],
            "type": TYPE_WORDS[order.order_type],
            "time_in_force": TimeInForce(order.time_in_force).name.lower(),
            "state": OrderWords.status(order),
            "limit_price": price(order.limit_ticks),
            "trigger_price": price(order.trigger_ticks),
            "quantity": pair.qty(order.qty_lots),
            "filled": pair.qty(order.cum_lots),
            "displayed": None if order.display_lots is None else pair.qty(order.display_lots),
            "is_post_only": order.is_post_only,
            "opened": self.time_text(order.opened_ns),
            "expires": None if order.expire_ns is None else self.time_text(order.expire_ns),
            "ended": None if order.is_open else self.time_text(order.ended_ns),
            "reason": None if reason is None else self._host.refusal_text(reason),
        }

    def fills(self, wanted: Mapping[str, Any]) -> Any:
        """Fills of clients' orders, newest first."""
        limit = wanted.get("limit", 1_000)
        symbol = wanted.get("pair")
        records = self._host.records
        names = [wanted["account"]] if "account" in wanted else list(self._host.venue.accounts)
        pages = [list(islice(self._of_pair(reversed(records.trades(name)), symbol), limit)) for name in names]
        newest = islice(heapq.merge(*pages, key=lambda trade: -trade.number), limit)
        return [self._fill(trade) for trade in newest]

    @staticmethod
    def _of_pair(trades: Iterable[TradeRecord], symbol: str | None) -> Iterable[TradeRecord]:
        return (trade for trade in trades if symbol in (None, trade.order.pair.symbol))

    def _fill(self, trade: TradeRecord) -> Any:
        pair = self._pairs.by_symbol[trade.order.pair.symbol]
        return {
            "trade_id": trade.trade_id,
            "time": self.time_text(trade.ts_ns),
            "account": trade.order.account.name,
            "order_id": trade.order.order_id,
            "cl_ord_id": trade.order.cl_ord_id or None,
            "pair": trade.order.pair.symbol,
            "side": SIDE_WORDS[trade.order.side],
            "price": pair.price(trade.price_ticks),
            "quantity": pair.qty(trade.qty_lots),
            "cost": f"{trade.cost:f}",
            "fee": f"{trade.fee:f}",
            "liquidity": "maker" if trade.is_maker else "taker",
        }

    # ------------------------------------------------------------------------------------------------- books, money

    def book(self, wanted: Mapping[str, Any]) -> Any:
        """The public book of a pair, or of each."""
        depth = wanted.get("depth", 10)
        symbols = [wanted["pair"]] if "pair" in wanted else list(self._host.specs)
        return [self._book(symbol, depth) for symbol in symbols]

    def _book(self, symbol: str, depth: int) -> Any:
        pair, book, last = self._pairs.by_symbol[symbol], self._host.books[symbol], self._host.tapes[symbol].last
        return {
            "pair": symbol,
            "bids": [(pair.price(ticks), pair.qty(lots)) for ticks, lots in book.levels(BUY, depth)],
            "asks": [(pair.price(ticks), pair.qty(lots)) for ticks, lots in book.levels(SELL, depth)],
            "last": None if last is None else pair.price(last.price_ticks),
        }

    def counters(self, wanted: Mapping[str, Any]) -> Any:
        """Rate counters: of the engine by account and pair, and of calls by account and protocol, of its first key."""
        return {
            account.name: {
                "tier": account.tier.name,
                "engine": {
                    symbol: self._counter(counter)
                    for symbol, counter in zip(self._host.specs, account.counters, strict=True)
                },
                "calls": {str(label): self._counter(counter) for label, counter in account.call_counters.items()},
            }
            for account in self._host.venue.accounts.values()
            if wanted.get("account", account.name) == account.name
        }

    def _counter(self, counter: RateCounter) -> Any:
        return {
            "points": _points(counter.value_at(max(self._host.now_ns, counter.ts_ns))),
            "limit": _points(counter.threshold),
            "decay_per_s": _points(counter.decay_per_ns * _NS),
        }

    def balances(self, wanted: Mapping[str, Any]) -> Any:
        """Total, and what of it open orders hold, by account and asset."""
        return {
            name: {
                asset: {"total": f"{total:f}", "held": f"{held:f}"}
                for asset, (total, held) in self._host.records.balances(name).items()
            }
            for name in self._host.venue.accounts
            if wanted.get("account", name) == name
        }

    def margin(self, wanted: Mapping[str, Any]) -> Any:
        """Margin level, its sums, and open positions, by account. called: when the level came to the margin call."""
        venue = self._host.venue
        if venue.margin is None:
            return {}
        index = venue.margin.checks.valued_in
        shown: dict[str, Any] = {}
        for name, account in venue.accounts.items():
            if account.margin is None or wanted.get("account", name) != name:
                continue
            sums = venue.margin.standing(account, index)
            called_ns, level = account.margin.called_ns, sums.level_percent
            shown[name] = {
                "valued_in": venue.assets.names[index],
                "level_percent": None if level is None else f"{Decimal(int(level * 100)).scaleb(-2):f}",
                "equity": venue.assets.text(index, sums.equity),
                "used_margin": venue.assets.text(index, sums.used_margin),
                "free_margin": venue.assets.text(index, sums.free_margin),
                "called": None if called_ns is None else self.time_text(called_ns),
                "positions": {
                    position.position_id: self._positions.open(position, has_calculations=True)
                    for position in account.margin.positions.values()
                },
            }
        return shown


def _points(value: int) -> str:
    """A counter as text: points, without zeros that say nothing."""
    return f"{Decimal(value).scaleb(-_POINT_DECIMALS).normalize():f}"


def _fix(facts: FixFacts) -> Any:
    return {
        "sender_comp_id": facts.comp_id,
        "target_comp_id": facts.target_comp_id,
        "account": facts.account,
        "is_logged_on": facts.is_logged_on,
        "next_seq_num_venue": facts.next_sender,
        "next_seq_num_client": facts.next_target,
    }
