"""A desk over live links to a served venue, in the event loop of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.kraken.client.links import KrakenVenue, connect_live
from adapters.kraken.client.shell import LiveClock
from adapters.kraken.profile import PROFILE
from framework.adapter import LiveSettings
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.execution.policy import DeskPolicy
from framework.protocol import BUY, OrderType
from tests.framework.execution.desk_rig import Listener, Notes, add_order

__all__ = ["LiveDesk", "live_desk"]

WAIT_S = 20
BTC = 10**8


class LiveDesk:
    """``heard`` of orders and ``road`` are as in virtual time."""

    def __init__(self, venue: KrakenVenue, clock: LiveClock, policy: DeskPolicy) -> None:
        self.venue = venue
        self.listener = Listener()
        budget = RateBudget(PROFILE.rates, PROFILE.tier("pro"), policy.cancel_reserve_points, self.listener.road.append)
        self.desk = ExecutionDesk(venue.links, policy, clock, self.listener, Notes(), budget)
        for link in venue.links.values():
            link.attach(self.desk.on_report, self.desk.on_session_closed)
        self.desk.start()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.005)

    async def up(self) -> None:
        """Wait until all links are up."""
        try:
            await self.until(lambda: all(link.is_up for link in self.venue.links.values()))
        except TimeoutError:
            raise AssertionError(f"not all links came up: {self.listener.road}") from None

    def add(self, cl_ord_id: str, price: str, qty: str = "0.01", side: int = BUY, **more: Any) -> None:
        """Submit a limit order."""
        spec = self.venue.instruments["BTC/USD"]
        via = more.pop("via", None)
        order = add_order(cl_ord_id, spec.lots(qty), spec.ticks(price), side=side, order_type=OrderType.LIMIT, **more)
        self.desk.submit(order, via=via)

    def said(self, what: str, cl_ord_id: str) -> bool:
        """Whether something was said of an order."""
        return any(each[:2] == (what, cl_ord_id) for each in self.listener.heard)

    async def says(self, what: str, cl_ord_id: str) -> None:
        """Wait until something is said of an order."""
        try:
            await self.until(lambda: self.said(what, cl_ord_id))
        except TimeoutError:
            raise AssertionError(f"{what} {cl_ord_id} was not said: {self.listener.heard} {self.road}") from None

    @property
    def road(self) -> list[str]:
        """The types of what was said of the road."""
        return [type(event).__name__ for event in self.listener.road]


@asynccontextmanager
async def live_desk(
    folder: Path,
    policy: DeskPolicy,
    links: Mapping[str, str],
    *,
    state: Path | None = None,
    options: Mapping[str, str] | None = None,
) -> AsyncIterator[LiveDesk]:
    """A desk over links to the venue whose ready file is in a folder; its links are up."""
    clock = LiveClock(asyncio.get_running_loop())
    settings = LiveSettings(
        links=links, state=state, options={"ready_file": str(folder / "ready.json"), **(options or {})}
    )
    venue = await connect_live(settings, clock)
    desk = LiveDesk(venue, clock, policy)
    try:
        await desk.up()
        desk.listener.heard.clear()
        desk.listener.road.clear()
        yield desk
    finally:
        desk.desk.stop()
        await venue.close()
