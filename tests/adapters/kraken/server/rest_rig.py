"""A REST gateway in front of a served venue in virtual time, and a client that signs its requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.keys import PERMISSIONS, ApiKey, KeyRing, generate_keys
from adapters.kraken.server.rest.gateway import RestGateway
from adapters.kraken.server.rest.public_limits import PublicLimits
from adapters.kraken.wire.signing import api_sign
from framework.venue.served.host import VenueHost
from tests.framework.venue.served.served_rig import host

__all__ = ["Rest"]


class Rest:
    """Two accounts, ``a0`` and ``a1``, with a key each; options are those of the host."""

    def __init__(
        self,
        rows: Any = None,
        permissions: tuple[str, ...] = PERMISSIONS,
        *,
        key_options: dict[str, Any] | None = None,
        public_burst: int = 0,
        key_accounts: tuple[str, ...] = ("a0", "a1"),
        served: VenueHost | None = None,
        **options: Any,
    ) -> None:
        """served: the host; a new one with these options if it is left out. key_options, key_accounts: of the keys.
        public_burst: public calls that an address may make at once, 0 for any number.
        """
        self.host = host(rows, **options) if served is None else served
        self.keys = [
            ApiKey(key.key, key.secret, account, permissions, **(key_options or {}))
            for key, account in zip(generate_keys(["k0", "k1"], seed=5), key_accounts, strict=True)
        ]
        self.context = ServerContext(self.host, KeyRing(self.keys, seed=5))
        self.gateway = RestGateway(self.context, PublicLimits(public_burst))
        self.nonce = 1_000

    def send(self, request: HttpRequest) -> list[HttpResponse]:
        """Hand a request in; the answers that have come by now."""
        answers: list[HttpResponse] = []
        self.gateway.handle(request, answers.append)
        return answers

    def public(self, name: str, peer: str = "127.0.0.1", **params: Any) -> Any:
        """The envelope of a public request."""
        query = urlencode(params)
        request = HttpRequest(method="GET", path=f"/0/public/{name}", query=query, headers={}, body=b"", peer=peer)
        (answer,) = self.send(request)
        return envelope(answer)

    def request(self, name: str, params: dict[str, Any], *, account: int = 0, is_json: bool = False) -> HttpRequest:
        """A signed private request."""
        self.nonce += 1
        key = self.keys[account]
        fields = {"nonce": str(self.nonce), **params}
        body = msgspec.json.encode(fields) if is_json else urlencode(fields).encode()
        path = f"/0/private/{name}"
        headers = {
            "API-Key": key.key,
            "API-Sign": api_sign(key.secret, path, str(fields["nonce"]), body),
            "Content-Type": "application/json" if is_json else "application/x-www-form-urlencoded",
        }
        return HttpRequest(method="POST", path=path, query="", headers=headers, body=body, peer="127.0.0.1")

    def private(self, name: str, account: int = 0, is_json: bool = False, **params: Any) -> Any:
        """The envelope of a private request."""
        (answer,) = self.send(self.request(name, params, account=account, is_json=is_json))
        return envelope(answer)

    def result(self, name: str, account: int = 0, is_json: bool = False, **params: Any) -> Any:
        """The result of a private request that succeeds."""
        answer = self.private(name, account, is_json, **params)
        assert answer["error"] == [], answer
        return answer["result"]

    def error(self, name: str, account: int = 0, is_json: bool = False, **params: Any) -> str:
        """The error of a private request that fails."""
        answer = self.private(name, account, is_json, **params)
        assert list(answer) == ["error"]
        (text,) = answer["error"]
        return str(text)

    def add(
        self, side: str = "buy", price: str | None = "100.1", volume: str = "1", account: int = 0, **more: Any
    ) -> str:
        """Add an order, and give its id; a market order without a price."""
        kind = {"ordertype": "market"} if price is None else {"ordertype": "limit", "price": price}
        result = self.result("AddOrder", account, pair="XBTUSD", type=side, volume=volume, **{**kind, **more})
        return str(result["txid"][0])


def envelope(answer: HttpResponse) -> Any:
    """The JSON of an answer."""
    assert answer.status == 200
    return msgspec.json.decode(answer.body)
