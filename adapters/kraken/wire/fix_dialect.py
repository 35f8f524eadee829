"""Kraken's dialect of FIX 4.4 for trading: its fields and messages, and the password of a Logon.

Sources: fix-api/logon-fix, nos-fix, ocr-fix, ocrr-fix, omcr-fix, osr-fix, er-fix; guides/fix-auth.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from adapters.fix.dictionary import Dictionary, parse_fields, parse_messages
from adapters.fix.fix44 import FIX44
from adapters.kraken.wire.signing import Secret

__all__ = ["KRAKEN_FIX", "is_password", "logon_password"]

_FIELDS = """
18 ExecInst MULTIPLEVALUESTRING P,E,v,f,q,s
39 OrdStatus CHAR 0,1,2,4,5,A,C,E
40 OrdType CHAR 1,2,3,4,R,T,U,V
54 Side CHAR 1,2
59 TimeInForce CHAR 1,3,4,6
62 ValidUntilTime UTCTIMESTAMP
109 ClientID STRING
380 BusinessRejectReason INT 0,1,2,3,4,5,6,101,104
388 DiscretionInst CHAR 1,5
530 MassCancelRequestType CHAR 1,6,7
1003 TradeID STRING
1102 TriggerPrice PRICE
1138 DisplayQty QTY
5001 Leverage INT 0,1
5025 Nonce STRING
5030 ForceResetClOrdID BOOLEAN
5050 LiquidityInd INT 0,1
5051 Rebased BOOLEAN
7928 SelfTradePrevention INT 0,1,2
8674 CancelOrdersOnDisconnect INT 0,1
"""

_MESSAGES = """
A Logon: 98! 108! 109 141 553 554 789 5025 5030 5051 8674

D NewOrderSingle: 11! 18 38! 40! 44 54! 55! 59! 60! 62 78(79) 99 126 168 388 1138 5001 7928

F OrderCancelRequest: 11! 37 41 54! 55! 60!

G OrderCancelReplaceRequest: 11! 18 37! 38! 40! 41! 44 54! 55! 59! 60! 62 99 1138

H OrderStatusRequest: 11! 37! 54 55! 60

q OrderMassCancelRequest: 11! 55 60! 530!

8 ExecutionReport: 6 11! 14! 17! 18 31 32 37! 38! 39! 40! 41 44 54! 55! 58 59! 60 78(79) 99 118 136(137 138 139 891)
150! 151! 378 381 527 1003 1102 1138 5050
"""

KRAKEN_FIX: Dictionary = FIX44.extended(
    fields=parse_fields(_FIELDS).values(), messages=parse_messages(_MESSAGES, {}).values()
)


def logon_password(secret: Secret, key: str, seq_num: int, sender: str, target: str, nonce: str) -> str:
    """Password (554) of a Logon: over its type, number, names and key, each ended by SOH, and the nonce."""
    signed = f"35=A\x0134={seq_num}\x0149={sender}\x0156={target}\x01553={key}\x01{nonce}"
    digest = hashlib.sha256(signed.encode()).digest()
    return base64.b64encode(hmac.digest(secret.key, digest, "sha512")).decode()


def is_password(secret: Secret, key: str, seq_num: int, sender: str, target: str, nonce: str, password: str) -> bool:
    """Whether a password is right; takes the same time for every wrong one."""
    right = logon_password(secret, key, seq_num, sender, target, nonce)
    return hmac.compare_digest(right.encode(), password.encode())
