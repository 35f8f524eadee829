"""What must hold of the bytes: no number of a FIX session and no nonce of a key is used twice, and FIX messages are
heard once and in order.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from adapters.fix.codec import Framer, Message, decode
from tests.simulation.wire.broken import BrokenError
from tests.simulation.wire.network import Connection
from tests.simulation.wire.world import World

__all__ = ["WireWatch"]

_NONCE = re.compile(rb'nonce(?:=|":\s*")(\d+)')


class WireWatch:
    """No number of a FIX session and no nonce of a key is used twice; FIX messages are heard once and in order.

    written: pieces that the trader wrote, by service.
    """

    def __init__(self, world: World) -> None:
        self.written: Counter[str] = Counter()
        self._nonces: set[int] = set()
        self._framers: dict[tuple[str, str], Framer] = {}
        self._numbers: dict[str, dict[int, bytes]] = {"up": {}, "down": {}}
        self._heard: list[int] = []
        self._world = world
        world.on_wire.append(self._on_wire)
        (member,) = world.fix_gateway.members.values()
        self._watch_store(member.session._store)

    def watch_process(self) -> None:
        """The trader's process has begun."""
        link = self._world.links.get("fix")
        if link is not None:
            self._heard.clear()
            self._watch_messages(link)

    def _on_wire(self, connection: Connection, way: str, data: bytes) -> None:
        name = connection.service.name
        if way == "up":
            self.written[name] += 1
        if name == "rest" and way == "up":
            found = _NONCE.search(data)
            if found is not None:
                nonce = int(found.group(1))
                if nonce in self._nonces:
                    raise BrokenError("no nonce is used twice", str(nonce))
                self._nonces.add(nonce)
        elif name == "fix":
            framer = self._framers.setdefault((connection.name, way), Framer())
            for frame in framer.feed(data):
                self._number(way, decode(frame), frame)

    def _number(self, way: str, message: Message, frame: bytes) -> None:
        seq_num = message.seq_num or 0
        if way == "up" and message.msg_type == b"A" and message.is_set(141):
            self._numbers[way].clear()
        if message.is_set(43) or message.msg_type == b"4":
            return
        if self._numbers[way].get(seq_num, frame) != frame:
            raise BrokenError("no sequence number is used twice", f"{way} {seq_num}: {message.msg_type.decode()}")
        self._numbers[way][seq_num] = frame

    def _watch_store(self, store: Any) -> None:
        """The venue's numbers begin anew by a logon that asks for it, and by the rollover, which nobody may hear."""
        reset = store.reset

        def watched() -> None:
            self._numbers["down"].clear()
            reset()

        store.reset = watched

    def _watch_messages(self, link: Any) -> None:
        on_message, on_opened = link.on_message, link.on_opened

        def opened(session: Any, message: Message, now_ns: int) -> None:
            if message.is_set(141):
                self._heard.clear()
            on_opened(session, message, now_ns)

        def watched(session: Any, message: Message, now_ns: int) -> None:
            seq_num = message.seq_num or 0
            if self._heard and seq_num <= self._heard[-1]:
                raise BrokenError(
                    "messages of a session are heard once, in order", f"{seq_num} after {self._heard[-1]}"
                )
            self._heard.append(seq_num)
            on_message(session, message, now_ns)

        link.on_message, link.on_opened = watched, opened
