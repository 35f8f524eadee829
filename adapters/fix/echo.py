"""An application that sends back what it is sent: for suites that exercise a session engine and nothing above it.

NewOrderSingle and SecurityDefinition come back with the same body, in canonical order (ascending tags, groups as they
stand). An order that is marked as a possible resend (97=Y) and whose ClOrdID was seen is dropped. Any other application
message is unsupported.
"""

from __future__ import annotations

from adapters.fix.codec import Message
from adapters.fix.dictionary import Dictionary, MessageDef
from adapters.fix.errors import UnsupportedMessageError
from adapters.fix.session import Session
from adapters.fix.settings import QuietHandler

__all__ = ["EchoHandler"]

_ECHOED = (b"D", b"d")


class EchoHandler(QuietHandler):
    """The echo of one session."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._seen: set[bytes] = set()

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        if message.msg_type not in _ECHOED:
            raise UnsupportedMessageError
        header: list[tuple[int, bytes]] = []
        if message.msg_type == b"D":
            cl_ord_id = message.get(11) or b""
            if message.is_set(97) and cl_ord_id in self._seen:
                return
            self._seen.add(cl_ord_id)
            if message.is_set(97):
                header.append((97, b"Y"))
        outside = self._dictionary.header.tags | self._dictionary.trailer.tags
        body = [field for field in message.fields if field[0] not in outside]
        session.send(message.msg_type, _ascending(body, self._dictionary.messages[message.msg_type]), now_ns, header)

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        self._seen.clear()


def _ascending(body: list[tuple[int, bytes]], definition: MessageDef) -> list[tuple[int, bytes]]:
    """Fields in the order of their tags; the entries of a group stay behind its count, as they came."""
    units: list[list[tuple[int, bytes]]] = []
    inside: frozenset[int] = frozenset()
    for field in body:
        if field[0] in inside:
            units[-1].append(field)
            continue
        units.append([field])
        group = definition.groups.get(field[0])
        inside = frozenset() if group is None else group.tags
    return [field for unit in sorted(units, key=lambda unit: unit[0][0]) for field in unit]
