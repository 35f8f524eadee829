"""Requests and answers of REST as they cross from the socket to the gateway."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["HttpRequest", "HttpResponse"]


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request.

    method: upper case. path: as on the wire, without the query. query: as on the wire, without the question mark.
    headers: names in any case (the mapping looks them up so). peer: the client's address, by which public calls are
    limited.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: str


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; ``body`` is JSON, or a file where an export is fetched."""

    status: int
    headers: Mapping[str, str]
    body: bytes
