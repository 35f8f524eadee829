"""What a venue repeats of a secret is taken out of a text, in whatever form it stands there."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.link_base import AccountParts, WireLink
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.secret_mask import SecretMask
from adapters.kraken.client.venue_time import VenueTime
from adapters.kraken.errors import reject_reason
from adapters.kraken.profile import PROFILE
from adapters.kraken.symbols import SymbolTable
from framework.messages import Command, CommandAccepted, ExecType, ExecutionReport, OrderState
from framework.protocol import BUY, OrderType, Protocol
from framework.venue.scheduler import Scheduler

KEY = "/KONoeyGKOd2xzP4NYo87ZZHf8ZMm9AGa6GDd8WC/aWfEhR0suFIMP0M"
SECRET = base64.b64encode(bytes(range(64))).decode()
TOKEN = "aXl8+/4kJ=aX9_secret-token"
MASK = SecretMask(KEY, SECRET)


@pytest.mark.parametrize("form", [str, quote, quote_plus, lambda text: quote(text, safe=""), json.dumps])
@pytest.mark.parametrize("secret", [KEY, SECRET])
def test_a_secret_is_taken_out_as_it_is_in_a_form_and_in_json(secret: str, form: object) -> None:
    text = f"EAPI:Invalid key: {form(secret)}!"  # type: ignore[operator]
    masked = MASK(text)
    assert "***" in masked
    for part in (secret, quote_plus(secret), secret[:20]):
        assert part not in masked


def test_what_is_no_secret_stays_as_it_is() -> None:
    text = "EOrder:Insufficient funds (0.5 BTC at 89657.8); nothing *** here"
    assert MASK(text) == text
    assert SecretMask()(f"nothing is known: {KEY}") == f"nothing is known: {KEY}"


def test_a_token_is_known_from_when_it_is_given_out() -> None:
    mask = SecretMask(KEY)
    assert TOKEN in mask(TOKEN)
    mask.add(TOKEN)
    assert mask(f"token {TOKEN}, key {KEY}") == "token ***, key ***"


def test_tokens_that_are_long_gone_are_forgotten_and_keys_are_not() -> None:
    mask = SecretMask(KEY)
    for number in range(100):
        mask.add(f"token-number-{number:03}")
    assert mask("token-number-099") == "***"
    assert mask("token-number-000") == "token-number-000"
    assert mask(KEY) == "***"


def test_a_signature_is_taken_out_whoever_made_it() -> None:
    """API-Sign and FIX passwords: 64 bytes in base64."""
    signature = base64.b64encode(bytes(64)).decode()
    assert SecretMask()(f"API-Sign: {signature}.") == "API-Sign: ***."
    assert SecretMask()(f"sign={quote(signature, safe='')}&a=1") == "sign=***&a=1"


def test_it_shows_and_hands_out_nothing() -> None:
    assert KEY not in repr(MASK)
    assert KEY not in str(MASK)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(MASK)


@given(st.text(), st.text(min_size=8).filter(lambda text: "*" not in text), st.text())
def test_no_text_keeps_a_secret_that_it_holds(before: str, secret: str, after: str) -> None:
    mask = SecretMask()
    mask.add(secret)
    assert secret not in mask(before + secret + after)


# ------------------------------------------------------------------------------------------------- what a link tells


class _Link(WireLink):
    """A link that tells what a test gives it."""

    def open(self, is_reset: bool) -> None:
        self._begin_attempt(lambda: None)

    def close(self) -> None: ...
    def send(self, command: Command) -> None: ...


def execution(reason: str | None) -> ExecutionReport:
    return ExecutionReport(
        ts_venue_ns=0, request_id=None, exec_type=ExecType.CANCELED, state=OrderState.CANCELED, order_id="O1",
        cl_ord_id="1", symbol="BTC/USD", side=BUY, order_type=OrderType.LIMIT, qty_lots=1, leaves_lots=0, cum_lots=0,
        reason=reason,
    )  # fmt: skip


def _told(tell: Callable[[_Link], None]) -> list[Any]:
    parts = AccountParts(
        clock=Scheduler(0),
        instruments=Instruments([], SymbolTable.from_asset_pairs({})),
        memory=OrderMemory(),
        ids=ClientIds(None, is_time_based=False),
        time=VenueTime(),
        mask=SecretMask(KEY),
    )
    link = _Link("ws2", PROFILE.protocols[Protocol.WS2], parts, BackOff(1))
    told: list[Any] = []
    link.attach(lambda _, report: told.append(report), lambda _, reason: told.append(reason))
    link.open(is_reset=True)
    tell(link)
    return told


def test_a_refusal_is_told_without_it() -> None:
    (report,) = _told(lambda link: link._refused(1, f"EAPI:Invalid key:{KEY}", 0))
    assert report.error == "EAPI:Invalid key:***"
    assert report.reason is reject_reason("EAPI:Invalid key")


def test_the_end_of_a_session_is_told_without_it() -> None:
    assert _told(lambda link: link._ended(f"closed by the venue with code 1008: {KEY}")) == [
        "closed by the venue with code 1008: ***"
    ]


def test_the_reason_of_an_orders_end_is_told_without_it() -> None:
    report = execution(reason=f"User requested {KEY}")
    assert _told(lambda link: link._tell(report)) == [replace(report, reason="User requested ***")]
    plain = execution(reason=None)
    (told,) = _told(lambda link: link._tell(plain))
    assert told is plain


def test_the_refusals_in_a_batch_are_told_without_it() -> None:
    report = CommandAccepted(ts_venue_ns=0, request_id=1, order_ids=("O1",), errors=(None, f"EOrder:No {KEY}"))
    (told,) = _told(lambda link: link._tell(report))
    assert told.errors == (None, "EOrder:No ***")
