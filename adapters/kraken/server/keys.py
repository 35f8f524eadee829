"""API keys of a served venue: whose they are, what they may do, which nonce came last, and WebSocket tokens.

Sources: guides/spot-rest-auth (keys, nonces), rest-api/get-api-key-info (permission codes),
rest-api/get-websockets-token (15 minutes).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from adapters.kraken.wire.signing import Secret
from framework.errors import ConfigError

__all__ = [
    "PERMISSIONS",
    "TOKEN_LIFE_NS",
    "ApiKey",
    "KeyFile",
    "KeyRing",
    "generate_keys",
    "key_file",
    "keys_of",
    "read_keys",
]

PERMISSIONS = (
    "query-funds",
    "add-funds",
    "withdraw-funds",
    "earn-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
    "query-ledger",
    "export-data",
    "create-ws-token",
    "add-withdraw-address",
    "update-withdraw-address",
)
TOKEN_LIFE_NS = 900 * 10**9
_NONCE_MAX = 2**64 - 1
_ENCODE = msgspec.msgpack.Encoder().encode
_NONCE_DECODER: msgspec.msgpack.Decoder[tuple[int, int, bool]] = msgspec.msgpack.Decoder(tuple[int, int, bool])


class ApiKey:
    """One key.

    last_nonce: the highest that was accepted, 0 before the first. nonce_window: so much below it is still taken once.
    ip_allowlist: addresses and networks that may use it, none for all. valid_until_s: when it ends, 0 for never.
    last_used_ns: when a request was last signed with it, 0 for never. on_nonce: hears of each nonce that is used, and
    whether it was one of FIX.
    """

    def __init__(
        self,
        key: str,
        secret: Secret,
        account: str,
        permissions: Iterable[str] = PERMISSIONS,
        name: str = "",
        nonce_window: int = 0,
        *,
        otp: str = "",
        ip_allowlist: Sequence[str] = (),
        valid_until_s: int = 0,
    ) -> None:
        """otp: static one-time password that requests need too. Raises ConfigError for what is no address."""
        self.key = key
        self.secret = secret
        self.account = account
        self.permissions = frozenset(permissions)
        self.name = name or f"{account} key"
        self.nonce_window = nonce_window
        self.ip_allowlist = tuple(ip_allowlist)
        self.valid_until_s = valid_until_s
        self.last_nonce = 0
        self._last_fix_nonce = 0
        self.last_used_ns = 0
        self.on_nonce: Callable[[int, bool], None] | None = None
        self._otp = otp.encode()
        try:
            self._networks = tuple(ipaddress.ip_network(text) for text in ip_allowlist)
        except ValueError as error:
            raise ConfigError(f"ip_allowlist: {error}; give addresses or networks like 192.0.2.0/24") from None
        self._seen: set[int] = set()

    def accept_nonce(self, nonce: int) -> bool:
        """Whether a nonce is above the last one, or within the window and new; it is used up then."""
        if not 0 < nonce <= _NONCE_MAX:
            return False
        if nonce > self.last_nonce:
            self.last_nonce = nonce
        elif nonce + self.nonce_window <= self.last_nonce or nonce in self._seen:
            return False
        if self.nonce_window:
            self._seen.add(nonce)
            self._seen = {seen for seen in self._seen if seen + self.nonce_window > self.last_nonce}
        if self.on_nonce is not None:
            self.on_nonce(nonce, False)
        return True

    def accept_fix_nonce(self, nonce_ms: int) -> bool:
        """Whether a nonce of a FIX Logon, milliseconds since the epoch, is above the last one; it is used up then."""
        if nonce_ms <= self._last_fix_nonce:
            return False
        self._last_fix_nonce = nonce_ms
        if self.on_nonce is not None:
            self.on_nonce(nonce_ms, True)
        return True

    @property
    def has_otp(self) -> bool:
        """Whether requests need a one-time password."""
        return bool(self._otp)

    def is_otp(self, text: str) -> bool:
        """Whether it is the one-time password; takes the same time for every wrong one."""
        return hmac.compare_digest(self._otp, text.encode())

    def reveal_otp(self) -> str:
        """The one-time password itself, to be written where secrets may be."""
        return self._otp.decode()

    def is_allowed_from(self, peer: str) -> bool:
        """Whether the key may be used from an address."""
        if not self._networks:
            return True
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def is_valid_at(self, now_ns: int) -> bool:
        """Whether the key has not ended."""
        return not self.valid_until_s or now_ns < self.valid_until_s * 10**9

    def __repr__(self) -> str:
        return f"ApiKey(account={self.account!r})"


class KeyRing:
    """The keys of a venue, and the tokens made of them."""

    def __init__(self, keys: Iterable[ApiKey], seed: int = 0) -> None:
        """Raises ConfigError for two keys of one name."""
        self._keys: dict[str, ApiKey] = {}
        for key in keys:
            if key.key in self._keys:
                raise ConfigError("two API keys are the same; give each account keys of its own")
            self._keys[key.key] = key
        self._tokens: dict[str, tuple[ApiKey, int]] = {}
        self._token_count = 0
        self._salt = os.urandom(16) if seed == 0 else seed.to_bytes(16, "big")

    def __iter__(self) -> Iterator[ApiKey]:
        return iter(self._keys.values())

    def find(self, key: str) -> ApiKey | None:
        """The key of this name."""
        return self._keys.get(key)

    def keep_nonces(self, keep: Callable[[bytes], None]) -> None:
        """Have used nonces kept, for ``recall_nonce``."""

        def keep_of(number: int) -> Callable[[int, bool], None]:
            return lambda nonce, is_fix: keep(_ENCODE((number, nonce, is_fix)))

        for number, key in enumerate(self._keys.values()):
            key.on_nonce = keep_of(number)

    def recall_nonce(self, data: bytes, now_ns: int) -> None:
        """A nonce was used up in the time before; the keys are the same ones in the same order."""
        number, nonce, is_fix = _NONCE_DECODER.decode(data)
        key = list(self._keys.values())[number]
        if is_fix:
            key.accept_fix_nonce(nonce)
        else:
            key.accept_nonce(nonce)
            key.last_used_ns = now_ns

    def make_token(self, key: ApiKey, now_ns: int) -> str:
        """A WebSocket token of a key; it must be used within 15 minutes."""
        self._token_count += 1
        digest = hashlib.sha256(self._salt + key.key.encode() + self._token_count.to_bytes(8, "big")).digest()
        token = base64.b64encode(digest).decode().rstrip("=").replace("+", "a").replace("/", "b")
        self._tokens = {each: known for each, known in self._tokens.items() if now_ns - known[1] <= TOKEN_LIFE_NS}
        self._tokens[token] = (key, now_ns)
        return token

    def key_of_token(self, token: str, now_ns: int) -> ApiKey | None:
        """Whose token it is; None for one that does not exist or is too old."""
        known = self._tokens.get(token)
        return None if known is None or now_ns - known[1] > TOKEN_LIFE_NS else known[0]


def generate_keys(accounts: Sequence[str], seed: int) -> list[ApiKey]:
    """A key with all permissions for each account. seed: 0 for keys that nobody can guess; another makes the same ones
    each time.
    """
    keys = []
    for account in accounts:

        def draw(what: str, size: int, account: str = account) -> bytes:
            if seed == 0:
                return os.urandom(size)
            return hashlib.shake_256(f"{seed}/{account}/{what}".encode()).digest(size)

        key = base64.b64encode(draw("key", 42)).decode()
        secret = Secret(base64.b64encode(draw("secret", 64)).decode())
        keys.append(ApiKey(key, secret, account))
    return keys


class _KeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: str
    api_key: str
    api_secret: str
    permissions: tuple[str, ...] = PERMISSIONS
    name: str = ""
    nonce_window: int = 0
    otp: str = ""
    ip_allowlist: tuple[str, ...] = ()
    valid_until_s: int = 0

    def __repr__(self) -> str:
        return f"_KeyEntry(account={self.account!r})"


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of keys, TOML: an array of tables ``[[keys]]``."""

    keys: tuple[_KeyEntry, ...]


def read_keys(path: Path) -> list[ApiKey]:
    """Keys from a file; raises ConfigError, which repeats no secret, for one that makes no sense."""
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=KeyFile)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"{path}: not a file of keys ({error}); give [[keys]] with account, api_key, api_secret"
        ) from None
    return keys_of(file, str(path))


def keys_of(file: KeyFile, name: str) -> list[ApiKey]:
    """The keys of a file of this name; raises ConfigError, which repeats no secret, for one that makes no sense."""
    keys = []
    for number, entry in enumerate(file.keys, 1):
        unknown = sorted(set(entry.permissions) - set(PERMISSIONS))
        if unknown:
            raise ConfigError(f"{name}: key {number}: no permission {unknown[0]!r}; there is {', '.join(PERMISSIONS)}")
        try:
            keys.append(
                ApiKey(
                    entry.api_key,
                    Secret(entry.api_secret),
                    entry.account,
                    entry.permissions,
                    entry.name,
                    entry.nonce_window,
                    otp=entry.otp,
                    ip_allowlist=entry.ip_allowlist,
                    valid_until_s=entry.valid_until_s,
                )
            )
        except (ValueError, ConfigError) as error:
            raise ConfigError(f"{name}: key {number}: {error}") from None
    if not keys:
        raise ConfigError(f"{name}: no keys; give [[keys]] with account, api_key, api_secret")
    return keys


def key_file(keys: Iterable[ApiKey]) -> KeyFile:
    """The file that these keys could have come from; it holds their secrets."""
    return KeyFile(
        tuple(
            _KeyEntry(
                account=key.account,
                api_key=key.key,
                api_secret=key.secret.reveal(),
                permissions=tuple(sorted(key.permissions)),
                name=key.name,
                nonce_window=key.nonce_window,
                otp=key.reveal_otp(),
                ip_allowlist=key.ip_allowlist,
                valid_until_s=key.valid_until_s,
            )
            for key in keys
        )
    )
