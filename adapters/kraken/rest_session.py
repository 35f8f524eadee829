"""REST of one host over HTTP, a request at a time: the thin shell of tools that ask a little and may wait.

Trading has its own connections, which are kept open and in order (``client.http_pool``).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp
import msgspec

from adapters.kraken.client.shell import tls_context
from adapters.kraken.wire.rest.calls import HttpCall
from framework.errors import ConfigError, VenueError

__all__ = ["PRODUCTION", "HttpAnswer", "RestSession", "UnreachableError", "UntrustedError", "rest_address"]

PRODUCTION = "https://api.kraken.com"
_TIMEOUT_S = 30
_CONNECT_TIMEOUT_S = 10


class UnreachableError(VenueError):
    """No answer came: the host cannot be reached, or was silent for too long."""


class UntrustedError(VenueError):
    """The host's certificate is not to be trusted: asking again does not help."""


class HttpAnswer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes


def rest_address(text: str) -> str:
    """The address of a host, with TLS where it does not say otherwise; raises ConfigError for what is none.

    >>> rest_address("api.kraken.com")
    'https://api.kraken.com'
    """
    full = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(full)
        is_good = parts.port != 0  # raises for a port that is none
    except ValueError:
        is_good = False
    if not (is_good and parts.scheme in ("http", "https") and parts.hostname) or parts.query or parts.path.strip("/"):
        raise ConfigError(f"{text!r} is no host; give it like {PRODUCTION} or http://127.0.0.1:8080")
    return f"{parts.scheme}://{parts.netloc}"


class RestSession:
    """Asks one host; an asynchronous context manager."""

    def __init__(self, address: str, ca_file: Path | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        """address: as of ``rest_address``, which also gives the errors. ca_file: the authority to trust."""
        self.address = rest_address(address)
        self._context = tls_context(ca_file)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=_CONNECT_TIMEOUT_S)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> RestSession:
        connector = aiohttp.TCPConnector(ssl=self._context)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, call: HttpCall) -> HttpAnswer:
        """The answer to one request. Raises UnreachableError if none comes, and UntrustedError; neither repeats
        anything of the request.
        """
        assert self._session is not None
        query = f"?{call.query}" if call.query else ""
        try:
            async with self._session.request(
                call.method,
                f"{self.address}{call.path}{query}",
                headers={"User-Agent": "tidegate", **call.headers},
                data=call.body or None,
                allow_redirects=False,
            ) as answer:
                return HttpAnswer(answer.status, await answer.read())
        except aiohttp.ClientConnectorCertificateError as error:
            raise UntrustedError(
                f"{self.address}: its certificate is not trusted ({_certificate_reason(error)}); check the host, or "
                "give the certificate of its authority"
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(f"{self.address}: {_reason(error)}") from None


def _certificate_reason(error: aiohttp.ClientConnectorCertificateError) -> str:
    cause = error.certificate_error
    return cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else type(cause).__name__


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
