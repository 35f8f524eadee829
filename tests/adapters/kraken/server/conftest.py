"""All that the venue sends in the tests of this folder is held against the messages of its protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.fix.codec import Message
from adapters.fix.session import Session
from adapters.kraken.server.http import HttpRequest, HttpResponse
from tests.adapters.kraken.server import fix_market_rig, fix_rig, rest_rig, ws2_rig
from tests.adapters.kraken.server.on_the_wire import as_fix, as_rest, as_ws1, as_ws2
from tests.adapters.kraken.server.ws1 import rig as ws1_rig


@pytest.fixture(autouse=True)
def _held_against_the_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def sockets(kind: type[Any], as_message: Callable[[bytes], Any]) -> None:
        take = kind._take

        def checked(self: Any, frame: bytes) -> None:
            as_message(frame)
            take(self, frame)

        monkeypatch.setattr(kind, "_take", checked)

    def sessions(kind: type[Any]) -> None:
        on_message = kind.on_message

        def checked(self: Any, session: Session, message: Message, now_ns: int) -> None:
            as_fix(message)
            on_message(self, session, message, now_ns)

        monkeypatch.setattr(kind, "on_message", checked)

    send = rest_rig.Rest.send

    def checked_send(self: rest_rig.Rest, request: HttpRequest) -> list[HttpResponse]:
        answers = send(self, request)
        for answer in answers:
            as_rest(request, answer)
        return answers

    sockets(ws1_rig.Socket, as_ws1)
    sockets(ws2_rig.Socket, as_ws2)
    sessions(fix_rig.Desk)
    sessions(fix_market_rig.Watcher)
    monkeypatch.setattr(rest_rig.Rest, "send", checked_send)
