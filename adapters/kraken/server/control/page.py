"""The status page: one file with its style and script inside, which loads nothing and asks the control API alone.

It holds no secret, so anybody on this machine may have it; what it shows it gets with the token, which it is given in
the fragment of its address (``#token=...``, which no browser sends) or by hand. A policy lets only its own script run,
and the script puts texts on the page as text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files

__all__ = ["PAGE", "PAGE_HEADERS"]


def _part(name: str) -> str:
    return files("adapters.kraken.server.control.assets").joinpath(name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """An inline element as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_STYLE = _part("status.css")
_SCRIPT = _part("elements.js") + _part("status.js")

PAGE: bytes = _part("status.html").replace("{{style}}", _STYLE).replace("{{script}}", _SCRIPT).encode()
PAGE_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_source(_SCRIPT)}; style-src {_source(_STYLE)}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
