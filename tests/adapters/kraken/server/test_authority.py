"""The local authority: made once, trusted by standard clients, and careful with its keys."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest

from adapters.kraken.server.authority import certify
from framework.errors import ConfigError

NOW = dt.datetime.now(dt.UTC)


def handshake(server: ssl.SSLContext, ca: Path, name: str) -> str | None:
    """A TLS connection over loopback; the protocol version that was agreed on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            try:
                with server.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(1)
            except ssl.SSLError:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        client = ssl.create_default_context(cafile=str(ca))
        try:
            with (
                socket.create_connection(listening.getsockname()) as plain,
                client.wrap_socket(plain, server_hostname=name) as secure,
            ):
                secure.send(b"x")
                return secure.version()
        finally:
            thread.join(5)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_accepts_the_venue(tmp_path: Path, name: str) -> None:
    certified = certify(tmp_path, NOW)
    assert handshake(certified.context(), certified.ca, name) == "TLSv1.3"


def test_a_name_that_the_certificate_is_not_for_is_refused_by_the_client(tmp_path: Path) -> None:
    certified = certify(tmp_path, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certified.context(), certified.ca, "example.org")


def test_the_authority_stays_and_the_certificate_is_made_anew(tmp_path: Path) -> None:
    first = certify(tmp_path, NOW)
    ca, certificate = first.ca.read_bytes(), first.certificate.read_bytes()
    second = certify(tmp_path, NOW, ["venue.example"])
    assert second.ca.read_bytes() == ca
    assert second.certificate.read_bytes() != certificate
    assert handshake(second.context(), second.ca, "venue.example") == "TLSv1.3"


def test_an_authority_that_has_ended_is_made_anew(tmp_path: Path) -> None:
    old = certify(tmp_path, NOW - dt.timedelta(days=4_000)).ca.read_bytes()
    assert certify(tmp_path, NOW).ca.read_bytes() != old


def test_only_the_owner_may_read_keys(tmp_path: Path) -> None:
    certified = certify(tmp_path / "new", NOW)
    for name in ("ca.key", "venue.key"):
        assert (tmp_path / "new" / name).stat().st_mode & 0o077 == 0
    assert certified.key.exists()


@pytest.mark.parametrize("spoil", ["ca.pem", "ca.key"])
def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path, spoil: str) -> None:
    certify(tmp_path, NOW)
    (tmp_path / spoil).write_bytes(b"something else")
    with pytest.raises(ConfigError, match="remove both"):
        certify(tmp_path, NOW)


def test_a_key_of_another_authority_is_refused(tmp_path: Path) -> None:
    certify(tmp_path / "one", NOW)
    certify(tmp_path / "two", NOW)
    (tmp_path / "one/ca.key").write_bytes((tmp_path / "two/ca.key").read_bytes())
    with pytest.raises(ConfigError, match="another certificate's"):
        certify(tmp_path / "one", NOW)
