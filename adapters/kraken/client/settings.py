"""Where Kraken is and as whom to trade there: settings of a live venue, read and checked.

Hosts by name (``LiveSettings.hosts``), each an address with its scheme:

============  ==========================================  =========================================================
rest          ``https://api.kraken.com``                  ``http://`` without TLS
ws_private    ``wss://ws-auth.kraken.com/v2``             orders and own executions; ``ws://`` without TLS
ws_v1         ``wss://ws-auth.kraken.com``                orders and own executions over WebSocket v1
ws_public     ``wss://ws.kraken.com/v2``                  market data
ws_orders     ``wss://ws-l3.kraken.com/v2``               books order by order
fix           ``tls://colo-london.vip-fix.kraken.com:4001``  ``tcp://`` without TLS
============  ==========================================  =========================================================

Options by name (``LiveSettings.options``):

``rest_connections``  connections kept open, 1 by default; with more the API key needs a nonce window, for requests on
several connections may overtake each other.
``fix_sender_comp_id``, ``fix_target_comp_id``, ``fix_heartbeat_s``  the FIX session; the first is needed for one.
``cancel_on_disconnect``  ``yes`` or ``no``: what FIX logons ask for; without it the venue's default.
``ready_file``, ``account``  the ready file of a venue served on this machine: hosts, certificate, key and FIX names are
taken from it, those of its first account unless another is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from adapters.kraken.client.credentials import Credentials
from adapters.kraken.leaving import CANCEL_ON_DISCONNECT
from framework.adapter import LiveSettings
from framework.errors import ConfigError

__all__ = ["Address", "KrakenSettings", "read_settings"]

_HOSTS = {
    "rest": "https://api.kraken.com",
    "ws_private": "wss://ws-auth.kraken.com/v2",
    "ws_v1": "wss://ws-auth.kraken.com",
    "ws_public": "wss://ws.kraken.com/v2",
    "ws_orders": "wss://ws-l3.kraken.com/v2",
    "fix": "tls://colo-london.vip-fix.kraken.com:4001",
}
# By scheme: whether TLS is spoken, and the port where none is given.
_SCHEMES = {
    "rest": {"https": (True, 443), "http": (False, 80)},
    "ws_private": {"wss": (True, 443), "ws": (False, 80)},
    "ws_v1": {"wss": (True, 443), "ws": (False, 80)},
    "ws_public": {"wss": (True, 443), "ws": (False, 80)},
    "ws_orders": {"wss": (True, 443), "ws": (False, 80)},
    "fix": {"tls": (True, 4001), "tcp": (False, 4001)},
}
_OPTIONS = (
    "rest_connections",
    "fix_sender_comp_id",
    "fix_target_comp_id",
    "fix_heartbeat_s",
    CANCEL_ON_DISCONNECT,
    "ready_file",
    "account",
)


class Address(msgspec.Struct, frozen=True):
    """One host. target: path of its URL."""

    host: str
    port: int
    is_tls: bool
    target: str

    @property
    def authority(self) -> str:
        """As HTTP names it."""
        return self.host if self.port == (443 if self.is_tls else 80) else f"{self.host}:{self.port}"

    def url(self, scheme: str) -> str:
        """As a URL. scheme: of its protocol without TLS: "http", "ws"."""
        return f"{scheme}{'s' if self.is_tls else ''}://{self.authority}{self.target}"


class KrakenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings as the links need them. credentials: None where there are no links: public data needs none.
    fix_sender_comp_id: "" where there is no FIX session.
    """

    links: Mapping[str, str]
    hosts: Mapping[str, Address]
    ca_file: Path | None
    credentials: Credentials | None
    state: Path | None
    rest_connections: int
    fix_sender_comp_id: str
    fix_target_comp_id: str
    fix_heartbeat_s: int
    is_cancel_on_disconnect: bool | None
    seed: int


class _ReadyFix(msgspec.Struct):
    sender_comp_ids: tuple[str, ...]
    target_comp_id: str


class _ReadyAccount(msgspec.Struct):
    account: str
    api_key: str
    api_secret: str
    fix: _ReadyFix

    def __repr__(self) -> str:
        return f"_ReadyAccount({self.account!r})"


class _Ready(msgspec.Struct):
    rest: str
    ws_v1: str
    ws_v2: str
    ws_l3: str
    fix_trading: str
    ca_certificate: str | None
    accounts: tuple[_ReadyAccount, ...]

    def __repr__(self) -> str:
        return "_Ready(...)"


def read_settings(settings: LiveSettings) -> KrakenSettings:
    """The settings of the links; raises ConfigError for what is not there or makes no sense."""
    for name in settings.options:
        if name not in _OPTIONS:
            raise ConfigError(f"option {name!r}: it must be one of {', '.join(_OPTIONS)}")
    for name in settings.hosts:
        if name not in _HOSTS:
            raise ConfigError(f"host {name!r}: it must be one of {', '.join(_HOSTS)}")
    options = dict(settings.options)
    hosts, ca_file, credentials = {**_HOSTS}, settings.ca_file, None
    if "ready_file" in options:
        ready = _read_ready(Path(options["ready_file"]))
        account = _account(ready, options.get("account"))
        if not settings.is_public:
            credentials = Credentials(account.api_key, account.api_secret)
        is_tls = ready.ca_certificate is not None
        ca_file = ca_file or (None if ready.ca_certificate is None else Path(ready.ca_certificate))
        hosts |= {
            "ws_v1": ready.ws_v1,
            "rest": ready.rest,
            "ws_private": ready.ws_v2,
            "ws_public": ready.ws_v2,
            "ws_orders": ready.ws_l3,
        }
        hosts["fix"] = f"{'tls' if is_tls else 'tcp'}://{ready.fix_trading}"
        options.setdefault("fix_sender_comp_id", account.fix.sender_comp_ids[0])
        options.setdefault("fix_target_comp_id", account.fix.target_comp_id)
    if settings.is_public and (settings.links or settings.has_orders or settings.credentials is not None):
        raise ConfigError("public data only, and things that need a key: ask for one of them")
    if credentials is None and (settings.links or settings.has_orders or settings.credentials is not None):
        credentials = Credentials.of(settings.credentials)
    return KrakenSettings(
        links=settings.links,
        hosts={name: _address(name, url) for name, url in {**hosts, **settings.hosts}.items()},
        ca_file=ca_file,
        credentials=credentials,
        state=settings.state,
        rest_connections=_whole(options, "rest_connections", 1, 1, 16),
        fix_sender_comp_id=options.get("fix_sender_comp_id", ""),
        fix_target_comp_id=options.get("fix_target_comp_id", "KRAKEN-TRD"),
        fix_heartbeat_s=_whole(options, "fix_heartbeat_s", 30, 1, 300),
        is_cancel_on_disconnect=_flag(options, CANCEL_ON_DISCONNECT),
        seed=settings.seed,
    )


def _address(name: str, url: str) -> Address:
    schemes = _SCHEMES[name]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in schemes or not host or parts.username is not None:
        known = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ConfigError(f"host {name} = {url!r}: give an address that begins with {known}, as {_HOSTS[name]}")
    is_tls, default = schemes[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(host, port or default, is_tls, target)


def _read_ready(path: Path) -> _Ready:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Ready)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; start the venue with --ready-file") from None
    except msgspec.MsgspecError:
        raise ConfigError(f"{path} is not the ready file of a venue; start it with --ready-file") from None


def _account(ready: _Ready, name: str | None) -> _ReadyAccount:
    if name is None:
        return ready.accounts[0]
    found = next((account for account in ready.accounts if account.account == name), None)
    if found is None:
        known = ", ".join(account.account for account in ready.accounts)
        raise ConfigError(f"account {name!r}: the venue has {known}")
    return found


def _whole(options: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not text.isdigit() or not least <= int(text) <= most:
        raise ConfigError(f"option {name} = {text!r}: give a whole number from {least} to {most}")
    return int(text)


def _flag(options: Mapping[str, str], name: str) -> bool | None:
    text = options.get(name)
    if text not in (None, "yes", "no"):
        raise ConfigError(f"option {name} = {text!r}: give yes or no")
    return None if text is None else text == "yes"
