"""Addresses of REST, and what is said of a host that does not answer."""

from __future__ import annotations

import asyncio

import pytest

from adapters.kraken.rest_session import RestSession, UnreachableError, rest_address
from adapters.kraken.wire.rest.calls import HttpCall
from framework.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("api.kraken.com", "https://api.kraken.com"),
        ("https://api.kraken.com/", "https://api.kraken.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("localhost:8443", "https://localhost:8443"),
    ],
)
def test_an_address_has_tls_where_it_does_not_say_otherwise(given: str, address: str) -> None:
    assert rest_address(given) == address


@pytest.mark.parametrize(
    "given", ["", "ftp://host", "https://", "https://host/path", "https://host?x=1", "h:port", "h:0"]
)
def test_what_is_no_host_is_an_error(given: str) -> None:
    with pytest.raises(ConfigError, match="is no host; give it like"):
        rest_address(given)


def test_a_host_that_is_not_there_is_named_and_nothing_of_the_request_is() -> None:
    async def ask() -> None:
        async with RestSession("http://127.0.0.1:9") as session:
            await session.send(HttpCall(method="GET", path="/0/public/Secret", query="key=hidden"))

    with pytest.raises(UnreachableError, match=r"^http://127.0.0.1:9: ") as caught:
        asyncio.run(ask())
    assert "hidden" not in str(caught.value)
