"""Logon, logout and refusals of a session. Sources: fix-api/logon-fix, logout-fix, reject-session_level-fix,
reject-business_level-fix; guides/fix-auth.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.fix.fields import FixMessage
from adapters.kraken.wire.fix_dialect import logon_password
from adapters.kraken.wire.signing import Secret

__all__ = ["BusinessMessageReject", "Logon", "Logout", "Reject", "signed_logon"]


class Logon(FixMessage, frozen=True, kw_only=True):
    """The first message of either side; username, password and nonce on trading sessions only.

    cancel_orders_on_disconnect: 0 cancels this session's orders when the line drops, 1 keeps them.
    """

    msg_type: ClassVar[str] = "A"

    encrypt_method: int = 0
    heart_bt_int: int
    client_id: Maybe[str] = UNSET
    reset_seq_num_flag: Maybe[bool] = UNSET
    next_expected_msg_seq_num: Maybe[int] = UNSET
    username: Maybe[str] = UNSET
    password: Maybe[Token] = UNSET
    nonce: Maybe[str] = UNSET
    force_reset_cl_ord_id: Maybe[bool] = UNSET
    rebased: Maybe[bool] = UNSET
    cancel_orders_on_disconnect: Maybe[int] = UNSET
    text: Maybe[str] = UNSET


class Logout(FixMessage, frozen=True, kw_only=True):
    """The last message of either side; ``text`` says why."""

    msg_type: ClassVar[str] = "5"

    text: Maybe[str] = UNSET


class Reject(FixMessage, frozen=True, kw_only=True):
    """A message that breaks the rules of the session; older samples have its number and a text only."""

    msg_type: ClassVar[str] = "3"

    ref_seq_num: int
    text: Maybe[str] = UNSET
    ref_tag_id: Maybe[int] = UNSET
    ref_msg_type: Maybe[str] = UNSET
    session_reject_reason: Maybe[int] = UNSET


class BusinessMessageReject(FixMessage, frozen=True, kw_only=True):
    """A request that is refused before there is an order. ``ref_seq_num`` is 0: go by ``business_reject_ref_id``.

    That is the ClOrdID of the request. business_reject_reason: 0 other, 1 unknown id, 2 unknown instrument,
    3 unsupported type, 4 application not available, 5 a field is missing, 6 not authorized, 101 unknown order, 104 an
    order that is too old.
    """

    msg_type: ClassVar[str] = "j"

    ref_seq_num: Maybe[int] = UNSET
    text: Maybe[str] = UNSET
    ref_msg_type: str
    business_reject_ref_id: Maybe[str] = UNSET
    business_reject_reason: int


def signed_logon(
    secret: Secret,
    key: str,
    *,
    seq_num: int,
    sender: str,
    target: str,
    nonce: str,
    heart_bt_int: int = 60,
    is_reset: bool = False,
    keeps_orders: bool = False,
) -> Logon:
    """The Logon of a trading session, with its password.

    seq_num, sender, target: of its header, which the password covers. nonce: milliseconds since 1970, above the last
    one. keeps_orders: leave this session's orders open when the line drops.
    """
    return Logon(
        heart_bt_int=heart_bt_int,
        reset_seq_num_flag=is_reset,
        username=key,
        password=Token(logon_password(secret, key, seq_num, sender, target, nonce)),
        nonce=nonce,
        cancel_orders_on_disconnect=int(keeps_orders),
    )
