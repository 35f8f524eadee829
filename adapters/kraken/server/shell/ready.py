"""The file that tells scripts where the venue is, once it takes connections."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

__all__ = ["Ready", "ReadyAccount", "ReadyFix", "write_ready"]


class ReadyFix(msgspec.Struct, frozen=True, kw_only=True):
    """How an account logs on over FIX: its own names, and the venue's on the ports of trading and of market data."""

    sender_comp_ids: tuple[str, ...]
    target_comp_id: str
    market_data_target_comp_id: str


class ReadyAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One API key, with its account."""

    account: str
    api_key: str
    api_secret: str
    permissions: tuple[str, ...]
    fix: ReadyFix

    def __repr__(self) -> str:
        return f"ReadyAccount(account={self.account!r})"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Where the venue is and who may use it. control: where testers turn it, by ``control_token``.
    ca_certificate: path of the authority's certificate; null without TLS.
    """

    rest: str
    ws_v1: str
    ws_v2: str
    ws_l3: str
    fix_trading: str
    fix_market_data: str
    control: str
    control_token: str
    ca_certificate: str | None
    process_id: int
    accounts: tuple[ReadyAccount, ...]

    def __repr__(self) -> str:
        return f"Ready(rest={self.rest!r})"


def write_ready(path: Path, ready: Ready) -> None:
    """Write the file in full or not at all; it holds secrets, so it is for its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(ready), indent=2) + b"\n")
    draft.replace(path)
