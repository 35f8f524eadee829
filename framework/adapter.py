"""What an adapter offers to generic code, and how adapters are found.

An adapter is a package that declares an entry point in the group ``tidegate.adapters``; its value is an ``Adapter``.
Generic code reaches an exchange only through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

import msgspec

from framework.book import BookView
from framework.data.downloads import OpenTrades
from framework.data.imports import ImportFormat
from framework.data.live_rows import Candle, MarketRow, Quote
from framework.errors import ConfigError
from framework.execution.link import Clock, Link
from framework.messages import AddOrder, OrdersSnapshot, Report
from framework.protocol import InstrumentSpec, VenueMode, VenueProfile

__all__ = [
    "ENTRY_POINT_GROUP",
    "AccountState",
    "Adapter",
    "Clock",
    "ConnectLive",
    "FiguresListener",
    "LiveFigures",
    "LiveLink",
    "LiveMarket",
    "LiveOrderBooks",
    "LiveSettings",
    "LiveVenue",
    "MarketListener",
    "VenueOrder",
    "choose_adapter",
    "load_adapter",
    "load_adapters",
]

ENTRY_POINT_GROUP = "tidegate.adapters"


# ------------------------------------------------------------------------------------------------------------- live


class LiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where to trade live, as whom, and by which links.

    links: the protocol of each link, by the name that the desk's policy has for it: {"rest": "rest", "ws2": "ws2"};
        without any, public market data can be had, for which no credentials are needed.
    hosts: addresses in place of the exchange's own, by the adapter's names for them; none for the exchange itself.
    ca_file: certificate of the authority to trust in place of the system's, as a venue on this machine has one.
    credentials: file of the API key, which only its owner may read, or a place that the adapter knows (such as
        ``keyring:NAME``, of the system's keyring); None takes the environment.
    has_orders: books order by order are wanted, for which credentials are needed too.
    is_public: public market data only: no key is read, wherever there may be one.
    state: folder of what must survive a restart (nonces, sequence numbers, names of orders); None keeps nothing.
    options: settings that only this adapter has, by name. seed: of the random shares in pauses.
    """

    links: Mapping[str, str]
    hosts: Mapping[str, str] = {}
    ca_file: Path | None = None
    credentials: Path | None = None
    has_orders: bool = False
    is_public: bool = False
    state: Path | None = None
    options: Mapping[str, str] = {}
    seed: int = 0


class LiveLink(Link, Protocol):
    """A link that tells others what it hears, one call at a time and never from within ``send``."""

    def attach(self, on_report: Callable[[str, Report], None], on_closed: Callable[[str, str], None]) -> None:
        """Say who hears reports (link name, report) and the end of a session (link name, reason)."""
        ...


class MarketListener(Protocol):
    """Who hears of markets. Rows are those of ``framework.data.columns``; the last one of a message is flagged LAST."""

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        """A book has changed; a snapshot's rows begin with a CLEAR."""
        ...

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        """Trades were made."""
        ...

    def quoted(self, symbol: str, quote: Quote) -> None:
        """Best prices and figures of the day."""
        ...

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        """So many trades were made that are not told."""
        ...

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        """What is told of a pair has a gap or does not add up; its book is empty until a snapshot follows."""
        ...


class LiveMarket(Protocol):
    """Live market data. Subscriptions outlive their connection; what was missed is told by ``market_lost``."""

    @property
    def heard_ns(self) -> int:
        """When anything was heard last, whatever it was, by the clock of ``ts_recv_ns``; 0 before."""
        ...

    def attach(self, listener: MarketListener) -> None:
        """Say who hears."""
        ...

    def subscribe(self, symbol: str, channel: str, depth: int = 10) -> None:
        """Have a channel of a pair told: "book" (of this depth), "trade" or "ticker"."""
        ...

    def unsubscribe(self, symbol: str, channel: str) -> None:
        """Have no more of it told."""
        ...

    def book(self, symbol: str) -> BookView:
        """The book of a pair as it has been told."""
        ...

    def open(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


class LiveOrderBooks(Protocol):
    """Live books, order by order; as of ``LiveMarket``, but for what they tell: rows of level 3."""

    def attach(self, listener: MarketListener) -> None:
        """Say who hears."""
        ...

    def subscribe(self, symbol: str, depth: int = 100) -> None:
        """Have the orders of a pair told, of so many prices of each side."""
        ...

    def unsubscribe(self, symbol: str) -> None:
        """Have no more of them told."""
        ...

    def open(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


class FiguresListener(Protocol):
    """Who hears of candles and of the state of pairs."""

    def candles_changed(self, symbol: str, interval_min: int, candles: Sequence[Candle], *, is_snapshot: bool) -> None:
        """Candles as they are now, oldest first; the last one may be open still. A snapshot is of the past, too."""
        ...

    def pair_state(self, symbol: str, mode: VenueMode | None, words: str, ts_recv_ns: int) -> None:
        """What a pair is open to; None where it cannot be traded at all. words: the venue's."""
        ...

    def figures_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        """What is told of a pair has a gap, or cannot be had."""
        ...


class LiveFigures(Protocol):
    """Candles and the state of pairs; as of ``LiveMarket``, on a connection of their own."""

    def attach_figures(self, listener: FiguresListener) -> None:
        """Say who hears."""
        ...

    def subscribe_candles(self, symbol: str, interval_min: int) -> None:
        """Have the candles of a pair told. Raises ConfigError for an interval that there is not."""
        ...

    def unsubscribe_candles(self, symbol: str, interval_min: int) -> None:
        """Have no more of them told."""
        ...

    def subscribe_state(self, symbol: str) -> None:
        """Have it told what a pair is open to, now and at each change."""
        ...

    def unsubscribe_state(self, symbol: str) -> None:
        """Have no more of it told."""
        ...

    def open(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is open at the venue. cl_ord_id: the desk's id of it, "" where it has none. text: in words."""

    order_id: str
    cl_ord_id: str
    symbol: str
    text: str


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue says of the account that is traded, and of the key.

    key_name: as its owner has named it. permissions: what it may do, in the venue's words; missing: what it may not do
    of what trading by the links asked for needs; surplus: what it may do that no trading needs, in words.
    balances, held: all that is there, and what of it open orders hold, by asset. open_orders: whoever sent them.
    """

    key_name: str
    permissions: tuple[str, ...]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    balances: Mapping[str, Decimal]
    held: Mapping[str, Decimal]
    open_orders: tuple[VenueOrder, ...]


class LiveVenue(Protocol):
    """An exchange that is traded live. instruments: all of them, by symbol. links: those asked for, not open yet."""

    @property
    def instruments(self) -> Mapping[str, InstrumentSpec]: ...
    @property
    def links(self) -> Mapping[str, LiveLink]: ...
    @property
    def market(self) -> LiveMarket: ...
    @property
    def orders(self) -> LiveOrderBooks | None:
        """Books order by order; None without credentials."""
        ...

    def remember(self, order: AddOrder, order_id: str | None, cum_lots: int, fees: Decimal) -> None:
        """An order that a run before has sent and that had not ended, with the terms that it had last: its id as far as
        it was told, and how much of it was filled by fills that are known, with their fees in all.
        """
        ...

    async def account(self) -> AccountState:
        """What the venue says of the account. Raises TidegateError where it refuses, or does not answer."""
        ...

    def ask_balances(
        self, on_balances: Callable[[Mapping[str, Decimal]], None], on_failed: Callable[[str], None]
    ) -> None:
        """Ask for what is there by asset; one of the two is called, never from within this call."""

    @property
    def figures(self) -> LiveFigures: ...
    async def history(self, since_ns: int) -> OrdersSnapshot:
        """The account's open orders, and those that ended and the trades made since, whoever made them, with terms.

        Raises TidegateError where the venue refuses, or does not answer; without credentials it must not be called.
        """
        ...

    async def past_candles(self, symbol: str, interval_min: int, since_ns: int) -> Sequence[Candle]:
        """Candles that begin from a time on, oldest first, as many as the venue tells. Raises as ``history`` does."""
        ...

    async def past_trades(self, symbol: str, since_ns: int, count: int) -> Sequence[MarketRow]:
        """Up to so many trades from a time on, oldest first. Raises as ``history`` does."""
        ...

    def masked(self, text: str) -> str:
        """A text without the secrets of the account, should it repeat one: venues repeat what they were sent."""
        ...

    async def close(self) -> None:
        """Close the links and all that they use; what must survive a restart is written."""
        ...


type ConnectLive = Callable[[LiveSettings, Clock], Awaitable[LiveVenue]]
"""Reads the instruments and makes the links. Raises ConfigError for settings that make no sense, and TidegateError
where the exchange cannot be reached.
"""


# --------------------------------------------------------------------------------------------------------- adapters


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange.

    name: lower case, as markets name their venue.
    profile: what its protocols can do; None for an exchange whose recordings only can be read.
    formats: formats of its recordings, by name. connect_live: how to trade it live; None if that cannot be.
    open_trades: how to download its public trades; None if that cannot be.
    ends_orders: why the venue would end the orders that links have entered once their lines end, in words with the
        remedy, and None where it would not; None in its place for an exchange where no order depends on a line.
    """

    name: str
    profile: VenueProfile | None
    formats: Mapping[str, ImportFormat]
    connect_live: ConnectLive | None = None
    open_trades: OpenTrades | None = None
    ends_orders: Callable[[LiveSettings], str | None] | None = None


def load_adapters() -> dict[str, Adapter]:
    """The installed adapters by name, in order of name.

    Raises ConfigError for an entry point whose value is no Adapter, or whose name differs from the adapter's.
    """
    adapters: dict[str, Adapter] = {}
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda each: each.name):
        adapter = point.load()
        if not isinstance(adapter, Adapter) or adapter.name != point.name:
            raise ConfigError(
                f"entry point {point.name} = {point.value} is not the adapter {point.name!r}; reinstall it"
            )
        adapters[adapter.name] = adapter
    return adapters


def load_adapter(name: str) -> Adapter:
    """The installed adapter of this name; raises ConfigError, naming those that exist, if there is none."""
    adapters = load_adapters()
    if name not in adapters:
        known = ", ".join(adapters) or "none; install the package first"
        raise ConfigError(f"there is no adapter {name!r}; installed are: {known}")
    return adapters[name]


def choose_adapter(name: str | None, can: Callable[[Adapter], bool], what: str) -> Adapter:
    """The adapter of this name, or the only one that can do something where none is named.

    what: what it can do, in words: "trades can be downloaded". Raises ConfigError where there is no such one.
    """
    adapters = {each.name: each for each in load_adapters().values() if can(each)}
    known = ", ".join(adapters) or "no adapter"
    if name is None and len(adapters) != 1:
        raise ConfigError(f"--venue must be given: {what} from {known}")
    chosen = next(iter(adapters)) if name is None else name
    if chosen not in adapters:
        raise ConfigError(f"--venue {chosen}: {what} from {known}")
    return adapters[chosen]
