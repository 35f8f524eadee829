"""What public answers mean for who wants to trade: certificate, clock, pairs, book."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from cryptography import x509
from msgspec import UNSET

from adapters.kraken.wire.checksum import printed_checksum
from adapters.kraken.wire.rest.public import AssetPair
from adapters.kraken.wire.ws2.market import Book
from framework.findings import Finding, failed, fine, warned
from framework.protocol import InstrumentSpec

__all__ = ["ClockReading", "judge_book", "judge_certificate", "judge_clock", "judge_pair", "judge_status"]

_NS = 10**9
_DAYS_LEFT_MIN = 14
# Of a FIX Logon's nonce (guides/fix-auth): so far from the venue's clock it is refused.
_FIX_TOLERANCE_NS = 5 * _NS
_NOTABLE_NS = _NS


class ClockReading(msgspec.Struct, frozen=True):
    """The venue's time in whole seconds, and ours before and after it was asked for."""

    sent_ns: int
    received_ns: int
    unixtime: int


def judge_certificate(name: str, der: bytes, host: str, now: datetime, refusal: str | None) -> Finding:
    """The certificate that a host shows. refusal: why this machine does not trust it, None if it does."""
    certificate = x509.load_der_x509_certificate(der)
    until = certificate.not_valid_after_utc
    issuer = certificate.issuer.rfc4514_string()
    names = _names(certificate)
    is_for = f"for {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}, until {until:%Y-%m-%d}, by {issuer}"
    if until <= now:
        return failed(
            name, f"its certificate has ended: {is_for}", "check this machine's clock; else wait for the venue"
        )
    if refusal is not None:
        remedy = f"check that {host} is the host that you mean; trust an authority of your own by --ca"
        return failed(name, f"its certificate is not trusted ({refusal}): {is_for}", remedy)
    days = (until - now).days
    if days < _DAYS_LEFT_MIN:
        return warned(name, f"its certificate ends in {days} days: {is_for}", "see that it is renewed")
    return fine(name, f"TLS, certificate {is_for}")


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [certificate.subject.rfc4514_string()]
    addresses: Sequence[ipaddress.IPv4Address | ipaddress.IPv6Address] = found.get_values_for_type(x509.IPAddress)  # type: ignore[assignment]
    return [*found.get_values_for_type(x509.DNSName), *map(str, addresses)]


def judge_status(status: str) -> Finding:
    """The engine's mode. Source: rest-api/get-system-status."""
    if status == "online":
        return fine("engine", "online")
    return warned("engine", f"in mode {status}", "orders may be refused until it is online")


def judge_clock(readings: Sequence[ClockReading], *, has_fix: bool) -> Finding:
    """How far our clock is from the venue's, from answers that have whole seconds. has_fix: whether FIX is used."""
    low_ns = max(each.unixtime * _NS - each.received_ns for each in readings)
    high_ns = min((each.unixtime + 1) * _NS - each.sent_ns for each in readings)
    low_ns, high_ns = min(low_ns, high_ns), max(low_ns, high_ns)
    width_ns = high_ns - low_ns
    if low_ns <= 0 <= high_ns:
        return fine("clock", f"the venue's, to within {width_ns / _NS:.1f} s")
    off_ns = min(abs(low_ns), abs(high_ns))
    text = f"{off_ns / _NS:.1f} s {'behind' if low_ns > 0 else 'ahead of'} the venue's at least"
    remedy = "set this machine's clock by NTP (chrony, timesyncd)"
    meaning = "nonces of REST are taken as long as they rise, but deadlines of orders are misjudged"
    if has_fix and off_ns + width_ns >= _FIX_TOLERANCE_NS:
        return failed("clock", f"{text}: FIX logons are refused from 5 s on (nonce, SendingTime), {meaning}", remedy)
    if off_ns >= _FIX_TOLERANCE_NS:
        return failed("clock", f"{text}: {meaning}, FIX logons would be refused", remedy)
    if off_ns >= _NOTABLE_NS:
        return warned("clock", f"{text}: {meaning}", remedy)
    return fine("clock", text)


def judge_pair(now: InstrumentSpec, row: AssetPair, assumed: InstrumentSpec | None) -> list[Finding]:
    """The rules of a pair today against those of the configuration's market. Source: get-tradable-asset-pairs."""
    name = f"pair {now.symbol}"
    found = []
    status = "online" if row.status is UNSET else row.status
    if status not in ("online", ""):
        remedy = "orders may be refused; see https://status.kraken.com"
        found.append(warned(name, f"in mode {status}", remedy))
    rules = (
        f"tick {now.tick_size}, lot {now.lot_size}, minimum {_min_qty(now)} {now.base} and {now.min_cost} {now.quote}"
    )
    if assumed is None:
        return [*found, fine(name, rules)]
    differences = [
        f"{what} {then} in the market, {today} today"
        for what, then, today in (
            ("tick", assumed.tick_size, now.tick_size),
            ("lot", assumed.lot_size, now.lot_size),
            ("smallest quantity", _min_qty(assumed), _min_qty(now)),
            ("smallest cost", assumed.min_cost, now.min_cost),
        )
        if Decimal(then) != Decimal(today)
    ]
    if not differences:
        return [*found, fine(name, f"as in the market: {rules}")]
    remedy = "what the strategy learned of its grid does not hold: import a newer market, and read its sizes again"
    has_other_grid = Decimal(assumed.tick_size) != Decimal(now.tick_size) or assumed.lot_size != now.lot_size
    judge = failed if has_other_grid else warned
    return [*found, judge(name, ", ".join(differences), remedy)]


def _min_qty(spec: InstrumentSpec) -> str:
    return f"{spec.qty(spec.min_qty_lots).normalize():f}"


def judge_book(symbol: str, book: Book) -> Finding:
    """A snapshot of a book against its checksum. Source: guides/spot-ws-book-v2."""
    asks, bids = ([(level.price.text, level.qty.text) for level in side] for side in (book.asks, book.bids))
    name = f"book {symbol}"
    if printed_checksum(asks, bids) != book.checksum:
        remedy = "do not trade on it: something between the venue and this machine changes digits"
        return failed(name, "its checksum is wrong", remedy)
    if not asks or not bids:
        return warned(name, "its checksum is right, but a side is empty", "see whether the pair is traded")
    return fine(name, f"its checksum is right; best {bids[0][0]} and {asks[0][0]}")
