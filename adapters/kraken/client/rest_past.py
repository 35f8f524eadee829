"""What polls over REST have read of the past, kept from one that was ended on its way to the next."""

from __future__ import annotations

from adapters.kraken.wire.rest import history

__all__ = ["Past", "with_page"]


class Past:
    """Ended orders and trades from a second on, as far back from the newest as they have been read.

    What has ended stays so. A poll that the limit of calls ends on its way leaves what it has read to the next one,
    which goes on from there. since_s: None where it is told by ids, which is_by_id says has not been refused. named,
    named_trades: ended orders and trades that were asked for by id or by name.
    """

    def __init__(self, since_s: int | None) -> None:
        self.since_s = since_s
        self.is_by_id = True
        self.closed: dict[str, history.Order] = {}
        self.trades: dict[str, history.Trade] = {}
        self.named: dict[str, history.Order] = {}
        self.named_trades: dict[str, history.Trade] = {}


def with_page[T](block: dict[str, T], page: dict[str, T], offset: int) -> dict[str, T]:
    """A block of the newest rows with one more page, newest first; the first page begins anew where it does not join
    the block.
    """
    if offset:
        return {**block, **page}
    return {**page, **block} if page.keys() & block.keys() else dict(page)
