"""The REST gateway: who asks, may he, has he calls left; then the request; then the envelope.

The order of checks is not documented; here it is who asks (``access``), permission, call counter, arguments. Whatever a
client sends, the answer is HTTP 200 with an envelope. Sources: guides/spot-rest-auth, guides/spot-rest-ratelimits,
guides/spot-errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import Refusal
from adapters.kraken.server.rest.access import Access
from adapters.kraken.server.rest.account import AccountRequests
from adapters.kraken.server.rest.endpoints import ENDPOINTS, Endpoint, Kind
from adapters.kraken.server.rest.exports import Exports
from adapters.kraken.server.rest.funding import Funding
from adapters.kraken.server.rest.history import History
from adapters.kraken.server.rest.order_book import OrderBook
from adapters.kraken.server.rest.params import Params, read_params
from adapters.kraken.server.rest.public import Public
from adapters.kraken.server.rest.public_limits import PublicLimits
from adapters.kraken.server.rest.trading import Pending, Trading
from framework.messages import Command, CommandAccepted, CommandRejected, Report
from framework.venue.served.host import HostLine
from framework.venue.served.journal import Opened
from framework.venue.served.journaled import JournaledHost, MuteLine

__all__ = ["RestGateway"]

_LABEL = "rest"
_JSON = {"Content-Type": "application/json; charset=utf-8"}

type Respond = Callable[[HttpResponse], None]


class _KeyLine:
    """A key's way to the engine: REST has no connections, so the line is always up."""

    def __init__(self, key: ApiKey, number: int) -> None:
        """number: of the key, which is the same one after a restart."""
        self.label = _LABEL
        self.comp_id: str | None = None
        self.line_id = f"{_LABEL} {number}"
        self.account = key.account
        self.waiting: dict[int, tuple[Callable[[CommandAccepted], Any], Respond]] = {}

    def on_report(self, report: Report, is_response: bool) -> None:
        if isinstance(report, CommandAccepted):
            waiting = self.waiting.pop(report.request_id, None)
            if waiting is not None:
                result, respond = waiting
                respond(_answer(result(report)))
        elif isinstance(report, CommandRejected):
            waiting = self.waiting.pop(report.request_id, None)
            if waiting is not None:
                waiting[1](_refused(report.error))


class RestGateway:
    """Answers requests below ``/0/``."""

    def __init__(self, context: ServerContext, public_limits: PublicLimits) -> None:
        self._host = context.host
        self._access = Access(context.keys)
        self._public_limits = public_limits
        self._public = Public(context).methods
        self._asked: dict[str, Callable[[ApiKey, Params], Any]] = {
            **AccountRequests(context).methods,
            **History(context).methods,
            **Funding(context).methods,
            **Exports(context).methods,
            **OrderBook(context).methods,
        }
        self._trading = Trading(context).methods
        self._numbers = {key.key: number for number, key in enumerate(context.keys, 1)}
        self._keys = context.keys
        self._lines: dict[str, _KeyLine] = {}
        if isinstance(context.host, JournaledHost):
            context.host.line_makers[_LABEL] = self._line_of

    @property
    def waiting_count(self) -> int:
        """Requests whose answers have not come back from the engine."""
        return sum(len(line.waiting) for line in self._lines.values())

    def handle(self, request: HttpRequest, respond: Respond) -> None:
        """Answer a request, now or when its answer has come back from the engine."""
        try:
            self._handle(request, respond)
        except Refusal as refusal:
            respond(_refused(refusal.text))

    def _handle(self, request: HttpRequest, respond: Respond) -> None:
        kind, _, name = request.path.removeprefix("/0/").partition("/")
        endpoint = ENDPOINTS.get(name) if request.path.startswith("/0/") else None
        if endpoint is None or kind != ("public" if endpoint.kind is Kind.PUBLIC else "private"):
            raise Refusal("EGeneral:Unknown method")
        params = read_params(request)
        if endpoint.kind is Kind.PUBLIC:
            if not self._public_limits.admits(request.peer, name, params.get("pair"), self._host.now_ns):
                raise Refusal("EAPI:Rate limit exceeded")
            respond(_answer(self._public[name](params)))
            return
        if request.method != "POST":
            raise Refusal("EGeneral:Unknown method")
        key = self._access.key_of(request, params, self._host.now_ns)
        _need(key, endpoint.permissions)
        line = self._line(key)
        if endpoint.kind is Kind.TRADING:
            self._trade(key, line, name, params, respond)
        else:
            self._ask(key, line, endpoint, params, respond)

    def _ask(self, key: ApiKey, line: _KeyLine, endpoint: Endpoint, params: Params, respond: Respond) -> None:
        if not self._host.charge_call(line.line_id, endpoint.cost):
            raise Refusal("EAPI:Rate limit exceeded")
        method = self._asked[endpoint.name]

        def question() -> HttpResponse:
            try:
                result = method(key, params)
            except Refusal as refusal:
                return _refused(refusal.text)
            return result if isinstance(result, HttpResponse) else _answer(result)

        self._host.ask(line.line_id, question, respond)

    def _trade(self, key: ApiKey, line: _KeyLine, name: str, params: Params, respond: Respond) -> None:
        method = self._trading[name]
        sent_ns = self._host.now_ns

        def make() -> Command | HttpResponse:
            try:
                pending: Pending = method(key.account, params, sent_ns)
            except Refusal as refusal:
                return _refused(refusal.text)
            line.waiting[pending.command.request_id] = (pending.result, respond)
            return pending.command

        self._host.submit_made(line.line_id, make, respond)

    def _line(self, key: ApiKey) -> _KeyLine:
        line = self._lines.get(key.key)
        if line is None:
            line = self._lines[key.key] = _KeyLine(key, self._numbers[key.key])
            self._host.open_line(line)
        return line

    def _line_of(self, opened: Opened) -> HostLine:
        """A key's line of the time before, which is up still."""
        for key in self._keys:
            line = _KeyLine(key, self._numbers[key.key])
            if line.line_id == opened.line_id:
                self._lines[key.key] = line
                return line
        return MuteLine(opened)


def _need(key: ApiKey, groups: tuple[tuple[str, ...], ...]) -> None:
    if not all(key.permissions.intersection(group) for group in groups):
        raise Refusal("EGeneral:Permission denied")


def _answer(result: Any) -> HttpResponse:
    return HttpResponse(status=200, headers=_JSON, body=msgspec.json.encode({"error": [], "result": result}))


def _refused(text: str) -> HttpResponse:
    return HttpResponse(status=200, headers=_JSON, body=msgspec.json.encode({"error": [text]}))
