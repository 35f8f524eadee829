"""The control API: requests to answers, JSON in and out.

Every request below ``/v1`` carries the token of the venue's start: ``Authorization: Bearer TOKEN``. The page at ``/``
holds nothing but itself, and asks the API like any other client. What cannot be done is answered with a
status of HTTP and ``{"error": ...}``, which says what was wrong and what is allowed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.control.actions import Actions
from adapters.kraken.server.control.fields import ControlError, Field, take
from adapters.kraken.server.control.page import PAGE, PAGE_HEADERS
from adapters.kraken.server.control.reads import Reads
from adapters.kraken.server.control.served_faults import ServedFaults
from adapters.kraken.server.facts import FixFacts
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.shell.peers import Peers
from adapters.kraken.server.shell.pump import Pump
from framework.venue.faults import FaultSection

__all__ = ["ControlGateway"]

_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class _Route(msgspec.Struct, frozen=True):
    """summary: what it does. fields: its arguments; None where ``work`` reads them itself."""

    summary: str
    work: Callable[[Mapping[str, Any]], Any]
    fields: Sequence[Field] | None = ()


class ControlGateway:
    """Answers requests of testers."""

    def __init__(
        self,
        context: ServerContext,
        pump: Pump,
        peers: Peers,
        faults: ServedFaults,
        fix_sessions: Callable[[], list[FixFacts]],
        token: str,
    ) -> None:
        """peers: those of the venue's ports. fix_sessions: all FIX sessions. token: what every request carries."""
        self._token = token.encode()
        reads = Reads(context, pump.clock, peers, faults, fix_sessions)
        actions = Actions(context, pump, peers, faults, reads)
        self._reads: dict[str, _Route] = {
            "": _Route("this list", lambda _: self._index()),
            "/state": _Route("all that the status page shows", reads.state),
            "/time": _Route("the venue's clock", reads.time),
            "/mode": _Route("the engine's mode, and as it is for each pair", reads.mode),
            "/sessions": _Route("open connections and FIX sessions", reads.sessions, reads.session_fields),
            "/orders": _Route("orders, newest first", reads.orders, reads.order_fields),
            "/fills": _Route("fills, newest first", reads.fills, reads.fill_fields),
            "/book": _Route("the public book of a pair, or of each", reads.book, reads.book_fields),
            "/counters": _Route("rate counters by account, pair and protocol", reads.counters, reads.account_fields),
            "/balances": _Route("balances, and what open orders hold", reads.balances, reads.account_fields),
            "/margin": _Route("positions on margin, and margin levels", reads.margin, reads.account_fields),
            "/faults": _Route("faults that were put on the schedule", reads.faults),
        }
        self._actions: dict[str, _Route] = {
            "/sessions/drop": _Route("end connections", actions.drop, actions.drop_fields),
            "/mode": _Route("set the engine's mode, of a pair or the venue", actions.set_mode, actions.mode_fields),
            "/time/pause": _Route("the venue's time stands still", actions.pause),
            "/time/resume": _Route("it goes on", actions.resume),
            "/time/step": _Route("it jumps ahead", actions.step, actions.step_fields),
            "/time/speed": _Route("it runs at another speed", actions.set_speed, actions.speed_fields),
            "/rollover": _Route("the daily rollover, now", actions.roll_over),
            "/faults": _Route("put a fault on the schedule, times from now", actions.inject, None),
        }

    def handle(self, request: HttpRequest, respond: Callable[[HttpResponse], None]) -> None:
        """Answer a request."""
        try:
            if request.path == "/":
                _need(request.method, ("GET", "HEAD"))
                respond(HttpResponse(status=200, headers=PAGE_HEADERS, body=PAGE))
                return
            self._check_token(request)
            respond(HttpResponse(status=200, headers=_HEADERS, body=_ENCODER.encode(self._answer(request))))
        except ControlError as error:
            body = _ENCODER.encode({"error": str(error)})
            respond(HttpResponse(status=error.status, headers={**_HEADERS, **error.headers}, body=body))

    def _check_token(self, request: HttpRequest) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise ControlError(
                401,
                "no token, or not this venue's; send Authorization: Bearer TOKEN with the token that the venue printed",
                {"WWW-Authenticate": "Bearer"},
            )

    def _answer(self, request: HttpRequest) -> Any:
        path = request.path.removeprefix("/v1").removesuffix("/") if request.path.startswith("/v1") else None
        methods = [
            method
            for method, routes in (("GET", self._reads), ("POST", self._actions))
            if path is not None and path in routes
        ]
        if path is None or not methods:
            raise ControlError(404, f"there is no {request.path[:80]}; GET /v1 lists what there is")
        _need(request.method, methods)
        if request.method == "GET":
            route, given = self._reads[path], dict(parse_qsl(request.query, keep_blank_values=True))
        else:
            route, given = self._actions[path], _body(request.body)
        return route.work(given if route.fields is None else take(given, route.fields))

    def _index(self) -> Any:
        return {
            f"{method} /v1{path}": {
                "does": route.summary,
                "takes": dict.fromkeys(FaultSection.__struct_fields__, "as in [[faults]] of a backtest")
                if route.fields is None
                else {field.name: field.wanted for field in route.fields},
            }
            for method, routes in (("GET", self._reads), ("POST", self._actions))
            for path, route in routes.items()
        }


def _need(method: str, allowed: Sequence[str]) -> None:
    if method not in allowed:
        raise ControlError(405, f"not by {method[:20]}; by {' or '.join(allowed)}", {"Allow": ", ".join(allowed)})


def _body(data: bytes) -> dict[str, Any]:
    if not data.strip():
        return {}
    try:
        body = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ControlError(400, f"the body is not JSON ({error}); send an object like {{}}") from None
    if not isinstance(body, dict):
        raise ControlError(400, "the body is no JSON object; send one like {}")
    return body
