"""A local certificate authority, and the certificate of a served venue.

Clients of an exchange check its certificate, and some offer no way round it. So the venue has an authority of its own,
made once and kept in a folder: a user has his client (or his machine) trust ``ca.pem``, and every later start of the
venue is trusted too. The certificate is for the names of this machine's loopback interface and for those named; it is
made anew at each start and lasts a year at most, as clients ask of certificates.

The private keys never leave the folder, whose files are for their owner only.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from framework.errors import ConfigError

__all__ = ["Certified", "certify"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_AUTHORITY_DAYS = 3650
_CERTIFICATE_DAYS = 365


class Certified(msgspec.Struct, frozen=True, kw_only=True):
    """What a TLS server needs, as files.

    ca: certificate of the authority, for clients to trust. certificate, key: the venue's own, in PEM.
    """

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """For the listening side; TLS 1.2 or newer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


def certify(folder: Path, now: dt.datetime, names: Sequence[str] = ()) -> Certified:
    """The authority of a folder, made if it is not there or has ended, and a certificate of it.

    names: host names and addresses that the certificate is for, beside those of loopback. now: aware, the present.
    Raises ConfigError where the folder holds something that is no authority of ours.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_path, ca_key_path = folder / "ca.pem", folder / "ca.key"
    if ca_path.exists() or ca_key_path.exists():
        ca, ca_key = _read_authority(ca_path, ca_key_path)
        if ca.not_valid_after_utc <= now + dt.timedelta(days=1):
            ca, ca_key = _make_authority(ca_path, ca_key_path, now)
    else:
        ca, ca_key = _make_authority(ca_path, ca_key_path, now)
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = dict.fromkeys((*_LOOPBACK, *names))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tidegate venue")]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(min(now + dt.timedelta(days=_CERTIFICATE_DAYS), ca.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in wanted]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    certified = Certified(ca=ca_path, certificate=folder / "venue.pem", key=folder / "venue.key")
    _write(certified.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(certified.key, _key_pem(key), 0o600)
    return certified


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make_authority(
    ca_path: Path, key_path: Path, now: dt.datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tidegate local authority")])
    ca = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_path, _key_pem(key), 0o600)
    _write(ca_path, ca.public_bytes(serialization.Encoding.PEM), 0o644)
    return ca, key


def _read_authority(ca_path: Path, key_path: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        ca = x509.load_pem_x509_certificate(ca_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("another kind of key")
        ca.verify_directly_issued_by(ca)
        if key.public_key().public_numbers() != ca.public_key().public_numbers():  # type: ignore[union-attr]
            raise ValueError("the key is another certificate's")
    except (OSError, ValueError, TypeError, InvalidSignature) as error:
        raise ConfigError(
            f"{ca_path} and {key_path.name} are no authority that this program made ({error}); remove both, and trust "
            "the new ca.pem"
        ) from error
    return ca, key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file in full or not at all; ``mode`` holds from its first byte on."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    draft.replace(path)
