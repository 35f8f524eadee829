"""Tidegate: one strategy over REST, WebSocket and FIX, in a backtest that models the road.

``Strategy`` and ``StrategyConfig`` are what users subclass; ``BookView`` is what ``on_book`` gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.book import BookView
    from framework.strategy import Strategy, StrategyConfig

__all__ = ["BookView", "Strategy", "StrategyConfig"]


def __getattr__(name: str) -> Any:
    """Load the public names when they are asked for: NautilusTrader takes a second to import, data tools need none."""
    if name in ("Strategy", "StrategyConfig"):
        import framework.strategy

        return getattr(framework.strategy, name)
    if name == "BookView":
        from framework.book import BookView

        return BookView
    raise AttributeError(f"module 'framework' has no attribute {name!r}")
