"""How a desk uses its links: the road of each command, and what to do when a road does not reach.

A cancel route is a list of steps, tried in order: a link's name for its single cancel ("fix", "rest"), or a link's name
with ":mass" for its mass cancel of the whole account ("fix:mass"), which takes every other order of the account with
it and is meant as a last resort. Routes of new orders and changes may name several links too: ``routes``.
"""

from __future__ import annotations

import msgspec

from framework.errors import ConfigError
from framework.execution.routes import Spread, route_links, route_steps

__all__ = ["MASS_SUFFIX", "DeskPolicy"]

MASS_SUFFIX = ":mass"


class DeskPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Routing and patience of a desk.

    submit, amend: routes of new orders and of changes: a link, "fix, then ws2", or "ws2 + fix" (``routes``).
    spread: how links that share a route take turns.
    cancel: cancel route, in order of preference; steps after the first are the fallback.
    news: link on which news of own orders is heard, or several, "ws2 + fix", whose news is merged; where the
        protocol of none of them pushes any, it is polled.
    query: link for order queries (polls, reconciliation); None for the first link that can query.
    poll_interval_ms: time between polls, where news is polled.
    check_interval_ms: time between polls where news is pushed and orders are open, in case that news has lost
        something; None polls there only where something is in doubt.
    answer_timeout_ms: a command without an answer for so long has an unknown outcome.
    deadline_ms: new orders and amends that reach the engine later than this after sending are refused by it, which is
        what makes an unknown outcome provable; None sends no deadline.
    cancel_reserve_points: points of each pair's rate counter that only cancels may spend.
    reconnect_delay_ms: pause before a dropped link is opened again; None leaves it down.
    is_resumed_on_reconnect: reopen a session that can resume with replay; False starts a new session.
    """

    submit: str
    amend: str
    cancel: tuple[str, ...]
    news: str
    query: str | None = None
    spread: Spread = Spread.LEAST_LOADED
    poll_interval_ms: int = 2_000
    check_interval_ms: int | None = None
    answer_timeout_ms: int = 10_000
    deadline_ms: int | None = 5_000
    cancel_reserve_points: int = 10
    reconnect_delay_ms: int | None = 1_000
    is_resumed_on_reconnect: bool = True

    def link_names(self) -> tuple[str, ...]:
        """The links that this policy uses, each once, in the order of first use."""
        names = [
            *route_links("submit", self.submit),
            *route_links("amend", self.amend),
            *(step.removesuffix(MASS_SUFFIX) for step in self.cancel),
            *self.news_links(),
        ]
        if self.query is not None:
            names.append(self.query)
        return tuple(dict.fromkeys(names))

    def news_links(self) -> tuple[str, ...]:
        """The links on which news is heard."""
        return route_links("news", self.news)

    def __post_init__(self) -> None:
        self.link_names()
        if len(route_steps("news", self.news)) > 1:
            raise ConfigError(f'news = "{self.news}": news of several links is merged; write "ws2 + fix"')
        if not self.cancel:
            raise ConfigError("a desk policy needs a cancel route; name at least one link in 'cancel'")
        for name in ("poll_interval_ms", "check_interval_ms", "answer_timeout_ms"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"{name} is {value}; it must be above 0")
