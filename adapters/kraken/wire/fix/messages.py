"""All messages of Kraken's FIX that are not the session's own upkeep, by type. Source: fix-api, a page for each."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.fix.codec import Message
from adapters.kraken.wire.fix import market, orders, session
from adapters.kraken.wire.fix.fields import FixMessage, read, write

__all__ = ["KINDS", "FixMessage", "read", "read_message", "write"]

KINDS: Mapping[str, type[FixMessage]] = {
    kind.msg_type: kind
    for module in (session, orders, market)
    for kind in map(vars(module).get, module.__all__)
    if isinstance(kind, type) and issubclass(kind, FixMessage)
}
"""The kinds of message by MsgType (35)."""


def read_message(message: Message) -> FixMessage | None:
    """A message as its kind; None for a type that has no kind here. Raises WireError as ``read`` does."""
    kind = KINDS.get(message.msg_type.decode("ascii", "replace"))
    return None if kind is None else read(kind, message.fields)
