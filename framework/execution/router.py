"""Which link carries a new order or a change, by its route.

The next step of a route is taken where no link of the one before is up (for a change: is up and reaches the order). It
is chosen when the command is sent, once: one whose outcome is not known is never sent again by another road.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from framework.execution.link import Link
from framework.execution.orders import OrderRecord
from framework.execution.reach import reaches_by
from framework.execution.routes import Spread, route_steps

__all__ = ["Router"]


class Router:
    """One route over the links that are there. load: requests without an answer, by link."""

    def __init__(
        self, links: Mapping[str, Link], name: str, text: str, spread: Spread, load: Callable[[str], int]
    ) -> None:
        self._steps = [[links[link] for link in step] for step in route_steps(name, text)]
        self._spread = spread
        self._load = load
        self._turns = [0] * len(self._steps)
        self._only = self._steps[0][0] if len(self._steps) == 1 and len(self._steps[0]) == 1 else None

    @property
    def first(self) -> Link:
        """The link that is named first."""
        return self._steps[0][0]

    def link_for_new(self) -> Link:
        """The link of a new order; where none is up, the one that is named first."""
        if self._only is not None:
            return self._only
        return self._chosen(lambda link: link.is_up) or self.first

    def link_for_change(self, record: OrderRecord) -> Link:
        """The link of a change of an order: one that reaches it, or else one that is up, which lets the venue say."""
        if self._only is not None:
            return self._only
        return (
            self._chosen(lambda link: reaches_by(link, record, link.profile.amend_reach))
            or self._chosen(lambda link: link.is_up)
            or self.first
        )

    def _chosen(self, is_fit: Callable[[Link], bool]) -> Link | None:
        for number, step in enumerate(self._steps):
            fit = [link for link in step if is_fit(link)]
            if not fit:
                continue
            if len(fit) == 1:
                return fit[0]
            if self._spread is Spread.LEAST_LOADED:
                return min(fit, key=lambda link: self._load(link.name))
            turn = self._turns[number]
            self._turns[number] = turn + 1
            return fit[turn % len(fit)]
        return None
