"""Public channels that many connections share: each encodes an update once and hands the same bytes to all members.

A channel lives while it has members. What it tells leaves on the protocol's feed path, and so does the snapshot that a
membership begins with: who joins hears nothing that was on its way before, and misses nothing that comes after.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Protocol

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import ServedPair

__all__ = ["Channel", "Channels", "Member", "PairChannel", "Send"]

type Send = Callable[[bytes], object]


class Member:
    """One connection's membership of one channel."""

    __slots__ = ("has_left", "send")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.has_left = False


class Channel(Protocol):
    """One subscription that many may share."""

    def join(self, send: Send, *, has_snapshot: bool) -> Member:
        """One member more, who is told how things stand, if wanted, and then what changes."""

    def leave(self, member: Member) -> None:
        """One member less."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left."""

    def close(self) -> None:
        """No longer follow what the channel tells of."""


class PairChannel(ABC):
    """Base of the channels of one pair; a subclass publishes updates, and makes the frame that members begin with.

    label: of the protocol in the profile, whose feed path is taken.
    """

    def __init__(self, label: str, context: ServerContext, pair: ServedPair) -> None:
        self._label = label
        self._host = context.host
        self._pair = pair
        self._symbol = pair.spec.symbol
        self._book = self._host.books[self._symbol]
        self._members: list[Member] = []
        self._count = 0

    @abstractmethod
    def snapshot(self) -> bytes | None:
        """What a membership begins with; None where there is nothing to tell."""

    def join(self, send: Send, *, has_snapshot: bool) -> Member:
        """One member more."""
        member = Member(send)
        self._count += 1
        self._host.deliver_feed(self._label, self._admit, member, self.snapshot() if has_snapshot else None)
        return member

    def _admit(self, member: Member, frame: bytes | None) -> None:
        if not member.has_left:
            self._members.append(member)
            if frame is not None:
                member.send(frame)

    def leave(self, member: Member) -> None:
        """One member less."""
        member.has_left = True
        self._count -= 1
        if member in self._members:
            self._members.remove(member)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left."""
        return not self._count

    def _publish(self, frame: bytes) -> None:
        self._host.deliver_feed(self._label, self._hand_out, frame)

    def _hand_out(self, frame: bytes) -> None:
        for member in tuple(self._members):
            member.send(frame)


class Channels[K: Hashable]:
    """The channels that have members, by what they were asked for with; ``make``: a channel that is the first of its
    key.
    """

    def __init__(self, make: Callable[[K], Channel]) -> None:
        self._make = make
        self._by_key: dict[K, Channel] = {}

    def join(self, key: K, send: Send, *, has_snapshot: bool) -> Member:
        """A member for a channel, which is made if it is the first one."""
        channel = self._by_key.get(key)
        if channel is None:
            channel = self._by_key[key] = self._make(key)
        return channel.join(send, has_snapshot=has_snapshot)

    def leave(self, key: K, member: Member) -> None:
        """A member less; the last one ends the channel."""
        channel = self._by_key[key]
        channel.leave(member)
        if channel.is_empty:
            del self._by_key[key]
            channel.close()
