"""The REST gateway: who asks, may he, has he calls left; then the request; then the envelope.

The order of checks is not documented; here it is key, signature, nonce, permission, call counter, arguments. Whatever a
client sends, the answer is HTTP 200 with an envelope. Sources: guides/spot-rest-auth, guides/spot-rest-ratelimits,
guides/spot-errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import Refusal
from adapters.kraken.server.rest.account import AccountRequests
from adapters.kraken.server.rest.elsewhere import ELSEWHERE
from adapters.kraken.server.rest.params import Params, read_params
from adapters.kraken.server.rest.public import Public
from adapters.kraken.server.rest.trading import Pending, Trading
from adapters.kraken.wire.signing import is_signed
from framework.messages import Command, CommandAccepted, CommandRejected, Report

__all__ = ["RestGateway"]

_JSON = {"Content-Type": "application/json; charset=utf-8"}

# For each account request: its cost on the call counter, and the permissions of which one is enough.
_ACCOUNT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Balance": ("other", ("query-funds",)),
    "BalanceEx": ("other", ("query-funds",)),
    "CreditLines": ("other", ("query-funds",)),
    "TradeBalance": ("other", ("query-open-trades",)),
    "OpenOrders": ("open_orders", ("query-open-trades",)),
    "ClosedOrders": ("history", ("query-closed-trades",)),
    "QueryOrders": ("orders", ("query-open-trades", "query-closed-trades")),
    "TradesHistory": ("history", ("query-closed-trades",)),
    "QueryTrades": ("history", ("query-closed-trades",)),
    "OpenPositions": ("other", ("query-open-trades",)),
    "Ledgers": ("history", ("query-ledger",)),
    "QueryLedgers": ("history", ("query-ledger",)),
    "TradeVolume": ("other", ("query-funds",)),
    "GetApiKeyInfo": ("other", ()),
    "GetWebSocketsToken": ("other", ("create-ws-token",)),
    "Level3": ("other", ("query-open-trades",)),
}
# For each trading request the permissions: one of each tuple is needed.
_TRADING: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "AddOrder": (("modify-trades",),),
    "AddOrderBatch": (("modify-trades",), ("close-trades",)),
    "AmendOrder": (("modify-trades", "close-trades"),),
    "EditOrder": (("modify-trades",), ("close-trades",)),
    "CancelOrder": (("modify-trades", "close-trades"),),
    "CancelOrderBatch": (("modify-trades", "close-trades"),),
    "CancelAll": (("modify-trades", "close-trades"),),
    "CancelAllOrdersAfter": (("modify-trades", "close-trades"),),
}

type Respond = Callable[[HttpResponse], None]


class _KeyLine:
    """A key's way to the engine: REST has no connections, so the line is always up."""

    def __init__(self, key: ApiKey) -> None:
        self.label = "rest"
        self.comp_id: str | None = None
        self.line_id = f"rest {key.key[:8]} {id(key):x}"
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

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._public = Public(context)
        self._account = AccountRequests(context)
        self._trading = Trading(context)
        self._lines: dict[str, _KeyLine] = {}

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
        if not request.path.startswith("/0/") or kind not in ("public", "private"):
            raise Refusal("EGeneral:Unknown method")
        params = read_params(request)
        if kind == "public":
            method = self._public.methods.get(name)
            if method is None:
                raise Refusal("EGeneral:Unknown method")
            respond(_answer(method(params)))
            return
        key = self._authenticate(request, params)
        line = self._line(key)
        if name in _TRADING:
            self._trade(key, line, name, params, respond)
            return
        if name in ELSEWHERE:
            _need(key, (ELSEWHERE[name].permissions,))
            self._charge(line, "other")
            raise Refusal(ELSEWHERE[name].error)
        if name not in _ACCOUNT:
            raise Refusal("EGeneral:Unknown method")
        cost, permissions = _ACCOUNT[name]
        _need(key, (permissions,) if permissions else ())
        self._charge(line, cost)
        ask = self._account.methods[name]

        def question() -> HttpResponse:
            try:
                return _answer(ask(key, params))
            except Refusal as refusal:
                return _refused(refusal.text)

        self._host.ask(line.line_id, question, respond)

    def _trade(self, key: ApiKey, line: _KeyLine, name: str, params: Params, respond: Respond) -> None:
        _need(key, _TRADING[name])
        method = self._trading.methods[name]

        def make() -> Command | HttpResponse:
            try:
                pending: Pending = method(key.account, params)
            except Refusal as refusal:
                return _refused(refusal.text)
            line.waiting[pending.command.request_id] = (pending.result, respond)
            return pending.command

        self._host.submit_made(line.line_id, make, respond)

    def _authenticate(self, request: HttpRequest, params: Params) -> ApiKey:
        name, signature = request.headers.get("API-Key", ""), request.headers.get("API-Sign", "")
        key = self._context.keys.find(name)
        if key is None or not signature:
            raise Refusal("EAPI:Invalid key")
        nonce = params.get("nonce")
        if not is_signed(key.secret, request.path, nonce, request.body, signature):
            raise Refusal("EAPI:Invalid signature")
        if not nonce.isdigit() or len(nonce) > 20 or not key.accept_nonce(int(nonce)):
            raise Refusal("EAPI:Invalid nonce")
        return key

    def _charge(self, line: _KeyLine, call: str) -> None:
        if not self._host.charge_call(line.line_id, call):
            raise Refusal("EAPI:Rate limit exceeded")

    def _line(self, key: ApiKey) -> _KeyLine:
        line = self._lines.get(key.key)
        if line is None:
            line = self._lines[key.key] = _KeyLine(key)
            self._host.open_line(line)
        return line


def _need(key: ApiKey, groups: tuple[tuple[str, ...], ...]) -> None:
    if not all(key.permissions.intersection(group) for group in groups):
        raise Refusal("EGeneral:Permission denied")


def _answer(result: Any) -> HttpResponse:
    return HttpResponse(status=200, headers=_JSON, body=msgspec.json.encode({"error": [], "result": result}))


def _refused(text: str) -> HttpResponse:
    return HttpResponse(status=200, headers=_JSON, body=msgspec.json.encode({"error": [text]}))
