"""The API key that links trade with: from the environment, from a file that only its owner can read, or from a keyring
of the operating system.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from adapters.kraken.wire.signing import Secret
from framework.errors import ConfigError

__all__ = ["Credentials"]

_KEY, _SECRET = "KRAKEN_API_KEY", "KRAKEN_API_SECRET"
_KEYRING = "keyring:"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return "_File(...)"


class Credentials:
    """A key and its secret; it shows neither of them."""

    __slots__ = ("api_key", "secret")

    def __init__(self, api_key: str, api_secret: str) -> None:
        """Raises ConfigError, which repeats neither, for a secret that is not base64 or a key that is empty."""
        if not api_key or not api_key.isascii() or not api_key.isprintable():
            raise ConfigError("the API key is empty or no text of printable characters; copy all of it")
        try:
            self.secret = Secret(api_secret)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        self.api_key = api_key

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Credentials:
        """The key of KRAKEN_API_KEY and KRAKEN_API_SECRET. Raises ConfigError if one of them is not set."""
        given = os.environ if environment is None else environment
        missing = [name for name in (_KEY, _SECRET) if not given.get(name)]
        if missing:
            raise ConfigError(f"{' and '.join(missing)} not set; set them, or name a file of credentials")
        return cls(given[_KEY], given[_SECRET])

    @classmethod
    def of(cls, place: Path | None) -> Credentials:
        """The key of a place that a user may name: a file, ``keyring:NAME``, or None for the environment."""
        if place is None:
            return cls.from_environment()
        # A name of the keyring may have come with the folder of the configuration that names it.
        name = place.name
        return cls.from_keyring(name.removeprefix(_KEYRING)) if name.startswith(_KEYRING) else cls.from_file(place)

    @classmethod
    def from_keyring(cls, name: str) -> Credentials:
        """The key that the system's keyring has under the service ``tidegate NAME``, as ``api_key`` and ``api_secret``.

        Raises ConfigError, which repeats neither, where the keyring cannot be read or does not have them.
        """
        import keyring  # here, for it looks about the system for keyrings
        from keyring.errors import KeyringError

        service = f"tidegate {name}"
        try:
            key, secret = (keyring.get_password(service, user) for user in ("api_key", "api_secret"))
        except KeyringError as error:
            kind = type(error).__name__
            raise ConfigError(f"the system's keyring cannot be read ({kind}); unlock it, or use a file") from None
        if not key or not secret:
            missing = "api_key" if not key else "api_secret"
            raise ConfigError(f"the keyring has no {missing} of {name!r}; run: keyring set '{service}' {missing}")
        return cls(key, secret)

    @classmethod
    def from_file(cls, path: Path) -> Credentials:
        """The key of a file: TOML with ``api_key`` and ``api_secret``.

        Raises ConfigError, which repeats nothing of it, for a file that others may read, or that makes no sense.
        """
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode & 0o077
                data = file.read()
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; give the file of the API key") from None
        if mode:
            raise ConfigError(f"{path} can be read by others than its owner; run: chmod 600 {path}")
        try:
            read = msgspec.toml.decode(data, type=_File)
        except msgspec.MsgspecError:
            raise ConfigError(f"{path} is not a file of credentials; give api_key and api_secret, in TOML") from None
        return cls(read.api_key, read.api_secret)

    def __repr__(self) -> str:
        return "Credentials(...)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("credentials are not pickled")
