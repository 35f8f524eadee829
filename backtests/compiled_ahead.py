"""Machine code is made when it is first called, and kept: this calls what most runs call, so that no first run waits.

``make setup`` ends with it. What it plays is thrown away: half a minute of the study over two roads, a moment of a
served venue, and a book of the live client.
"""

from __future__ import annotations

from msgspec.structs import replace

from adapters.kraken.client.book_kernel import BookMemory, read_update, settle
from adapters.kraken.profile import PROFILE
from adapters.kraken.server.shell.warm_up import warm_up
from backtests.protocol_comparison import study_config
from framework.backtest.config import RoadSection
from framework.backtest.runner import Backtest

__all__ = ["main"]

_SECONDS = 30


def main() -> None:
    """Compile what is not compiled yet."""
    warm_up(PROFILE)
    book = BookMemory(10, (1, 1), (8, 1))
    settle(book.address, 0)
    read_update(b"", 0, book.address)
    for strategy, road in (("market_maker_amend", "ws2"), ("momentum", "rest")):
        Backtest(replace(study_config(strategy, _SECONDS), road=RoadSection(name=road))).run()


if __name__ == "__main__":
    main()
