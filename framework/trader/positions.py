"""NautilusTrader's cache and portfolio without what they do at every order and every position that closes.

Both answer what NautilusTrader's own answer, and do less until they are asked:

- its cache has every order, position and balance at all times; here what waits for it is caught up with when somebody
  asks;

- its cache pickles every closed position three times, to keep a copy; here the closed position itself is kept, which
  nobody changes any more, and the copy is made when somebody asks for it; a long run lets go of old ones, of which the
  portfolio keeps what they earned and nobody has a copy any more;
- its portfolio takes note of each change of a position, and unpickles all closed ones at each close; here it catches
  up when somebody asks it something;
- its analyzer concatenates a Series at every closed position; here it is told nothing: the figures of a run are
  computed from the run folder.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.cache.cache import Cache
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import PositionSide
from nautilus_trader.model.events import OrderFilled, PositionChanged, PositionClosed, PositionEvent
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, InstrumentId, PositionId
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position
from nautilus_trader.portfolio.base import PortfolioFacade
from nautilus_trader.portfolio.config import PortfolioConfig
from nautilus_trader.portfolio.portfolio import Portfolio

from framework.trader.clock import RunClock
from framework.trader.run_bus import RunBus

__all__ = ["PositionCache", "RunPortfolio"]

_A_DAY_MS = 86_400_000


class PositionCache(Cache):
    """A cache that keeps closed positions as they are; their copies have the position's own id, without a suffix.

    catch_up: called before it answers anything about orders and positions. ``known_order``, ``known_position`` and
    ``known_position_id`` answer without. untold: called once before it answers anything about accounts; None while they
    have been told all. is_hiding: say for now that no position has closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.catch_up: Callable[[], None] = _nothing_to_catch_up_with
        self.untold: Callable[[], None] | None = None
        self.is_hiding = False
        # In place of one that was let go of stand None and, as its copy, nothing.
        self._closed: dict[PositionId, list[Position | None]] = {}
        self._copies: dict[PositionId, list[bytes]] = {}
        self._owners: dict[PositionId, tuple[InstrumentId, AccountId]] = {}
        self._forgotten: dict[PositionId, int] = {}

    def snapshot_position(self, position: Position) -> None:
        self._closed.setdefault(position.id, []).append(position)
        self._owners[position.id] = (position.instrument_id, position.account_id)

    def closed_before(self, before_ns: int) -> dict[PositionId, InstrumentId]:
        """The positions of which closed ones are still kept from before a time, with their instruments."""
        found = {}
        for position_id, positions in self._closed.items():
            first = self._forgotten.get(position_id, 0)
            oldest = positions[first] if first < len(positions) else None
            if oldest is not None and oldest.ts_closed < before_ns:
                found[position_id] = self._owners[position_id][0]
        return found

    def forget_closed(self, before_ns: int) -> None:
        """Let go of positions that closed before a time, once the portfolio has counted in what they earned."""
        for position_id in self.closed_before(before_ns):
            positions, copies = self._closed[position_id], self.position_snapshot_bytes(position_id)
            first = self._forgotten.get(position_id, 0)
            for number, position in enumerate(positions[first:], first):
                if position is not None and position.ts_closed >= before_ns:
                    break
                positions[number], copies[number] = None, b""
                self._forgotten[position_id] = number + 1

    def tell_accounts(self) -> None:
        """Have accounts be told what they have not been told."""
        tell, self.untold = self.untold, None
        if tell is not None:
            tell()

    def known_order(self, client_order_id: ClientOrderId) -> Order | None:
        """An order that has been added."""
        return super().order(client_order_id)

    def known_position(self, position_id: PositionId) -> Position | None:
        """A position that has been added."""
        return super().position(position_id)

    def known_position_id(self, client_order_id: ClientOrderId) -> PositionId | None:
        """The position of an order, where both have been added."""
        return super().position_id(client_order_id)

    def position_snapshot_bytes(self, position_id: PositionId) -> list[bytes]:
        self.catch_up()
        copies = self._copies.setdefault(position_id, [])
        closed = self._closed.get(position_id, [])
        if len(copies) < len(closed):
            copies += [pickle.dumps(position) for position in closed[len(copies) :]]
        return copies

    def position_snapshot_ids(
        self, instrument_id: InstrumentId | None = None, account_id: AccountId | None = None
    ) -> set[PositionId]:
        if self.is_hiding:
            return set()
        self.catch_up()
        return {
            position_id
            for position_id, owner in self._owners.items()
            if instrument_id in (None, owner[0]) and account_id in (None, owner[1])
        }

    def position_snapshots(
        self, position_id: PositionId | None = None, account_id: AccountId | None = None
    ) -> list[Position]:
        self.catch_up()
        wanted = [position_id] if position_id is not None else list(self._closed)
        copies = [pickle.loads(each) for known in wanted for each in self.position_snapshot_bytes(known) if each]  # noqa: S301
        return [copy for copy in copies if account_id in (None, copy.account_id)]


def _nothing_to_catch_up_with() -> None:
    """What waits for a cache that nobody puts off."""


# What tells or lets go of orders and positions, by the words of its name.
_WORDS = ("order", "position", "strategy", "exec_spawn", "exec_algorithm", "purge", "residuals", "integrity")
_BOOKS = ("order_book", "has_order_book")


def _asked(name: str) -> bool:
    is_question = name in vars(CacheFacade) or name.startswith(("purge_", "check_", "reset"))
    return is_question and name not in _BOOKS and any(word in name for word in _WORDS)


def _once(do_first: Callable[[PositionCache], None], name: str) -> Callable[..., Any]:
    method = getattr(Cache, name)

    def ask(self: PositionCache, *args: Any, **keywords: Any) -> Any:
        do_first(self)
        return method(self, *args, **keywords)

    ask.__name__, ask.__doc__ = name, method.__doc__
    return ask


for _name in dir(Cache):
    if not _name.startswith("_") and _name not in vars(PositionCache) and _asked(_name):
        setattr(PositionCache, _name, _once(lambda cache: cache.catch_up(), _name))
for _name in ("account", "account_for_venue", "accounts"):
    setattr(PositionCache, _name, _once(PositionCache.tell_accounts, _name))


class RunPortfolio(Portfolio):
    """A portfolio that looks at positions when it is asked, not when they change."""

    def __init__(self, msgbus: RunBus, cache: PositionCache, clock: RunClock) -> None:
        self._closed_positions = cache
        self._changed: dict[InstrumentId, tuple[Position, OrderFilled]] = {}
        # It would write out each account's state for a log that nobody keeps.
        quiet = PortfolioConfig(min_account_state_logging_interval_ms=_A_DAY_MS)
        super().__init__(msgbus, cache, clock, config=quiet)
        self.analyzer.record_trade = _record_nothing

    def note(self, position: Position, fill: OrderFilled) -> None:
        """A fill has changed a position."""
        self._changed[fill.instrument_id] = (position, fill)

    def forget_closed(self, before_ns: int) -> None:
        """Let go of positions that closed before a time; what they earned stays in what is told of realised profits."""
        cache = self._closed_positions
        # It counts in each closed position once, when it is asked.
        for instrument_id in set(cache.closed_before(before_ns).values()):
            self.realized_pnl(instrument_id)
        cache.forget_closed(before_ns)

    def update_position(self, event: PositionEvent) -> None:
        self._closed_positions.is_hiding = True
        try:
            super().update_position(event)
        finally:
            self._closed_positions.is_hiding = False

    def _catch_up(self) -> None:
        changed, self._changed = self._changed, {}
        for position, fill in changed.values():
            kind = PositionClosed if position.side == PositionSide.FLAT else PositionChanged
            self.update_position(kind.create(position, fill, UUID4(), fill.ts_init))


def _after_catching_up(name: str) -> Callable[..., Any]:
    method = getattr(Portfolio, name)

    def ask(self: RunPortfolio, *args: Any, **keywords: Any) -> Any:
        self._closed_positions.catch_up()
        self._closed_positions.tell_accounts()
        if self._changed:
            self._catch_up()
        return method(self, *args, **keywords)

    ask.__name__, ask.__doc__ = name, method.__doc__
    return ask


for _name in vars(PortfolioFacade):
    if not _name.startswith("_") and callable(getattr(Portfolio, _name)):
        setattr(RunPortfolio, _name, _after_catching_up(_name))


def _record_nothing(*args: object) -> None:
    """Stands in for NautilusTrader's analyzer of closed positions."""
