"""What a connection says of itself to whoever looks at the venue from outside."""

from __future__ import annotations

import msgspec

__all__ = ["ConnectionFacts", "FixFacts"]


class FixFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A FIX session. comp_id: the client's; target_comp_id: the venue's on that port. next_sender, next_target: numbers
    of the venue's and the client's next message.
    """

    comp_id: str
    target_comp_id: str
    account: str
    is_logged_on: bool
    next_sender: int
    next_target: int


class ConnectionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One connection. accounts: those that it has named itself for. fix: its session, once it has logged on."""

    accounts: tuple[str, ...] = ()
    fix: FixFacts | None = None
