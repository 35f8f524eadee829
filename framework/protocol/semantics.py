"""The words for how protocols and venues differ: reach, ordering, news, disconnects, modes, reasons."""

from __future__ import annotations

import enum

__all__ = [
    "CancelReach",
    "MassCancelScope",
    "NewOrders",
    "News",
    "OnDisconnect",
    "Ordering",
    "PostOnlyViolation",
    "Protocol",
    "RateCheck",
    "RejectReason",
    "ResponseStyle",
    "SessionScope",
    "VenueMode",
]


class Protocol(enum.StrEnum):
    """Labels of the protocols of a venue. They are keys of data; no rule may depend on one."""

    REST = "rest"
    WS1 = "ws1"
    WS2 = "ws2"
    FIX = "fix"


class CancelReach(enum.IntEnum):
    """How far a cancel reaches, each value containing the ones below it."""

    NONE = 0
    SESSION = 1
    COMP_ID = 2
    ACCOUNT = 3


class Ordering(enum.IntEnum):
    """What is known of the order in which messages of one connection arrive.

    NONE: each message takes its own path; nothing is known.
    BALANCED: a message takes one of several paths; order holds within a path only.
    FIFO: first in, first out.
    """

    NONE = 0
    BALANCED = 1
    FIFO = 2


class News(enum.IntEnum):
    """How a link tells of the account's own orders.

    NONE: it does not; ask.
    PUSHED_ACCOUNT: every subscribed connection of the account hears of all its orders; nothing is replayed.
    PUSHED_SESSION: a session hears of the orders that it owns; what it missed is replayed when it resumes.
    """

    NONE = 0
    PUSHED_ACCOUNT = 1
    PUSHED_SESSION = 2


class ResponseStyle(enum.IntEnum):
    """How a request that succeeded is answered. One that failed is answered in every style.

    RESPONSE: by a response, and by nothing else on this link.
    REPORTS: by execution reports in the stream of news, and by no response.
    BOTH: by a response, and by news on its own path; either may arrive first.
    """

    RESPONSE = 0
    REPORTS = 1
    BOTH = 2


class OnDisconnect(enum.IntEnum):
    """What the venue does with a session's open orders when the session ends."""

    NOTHING = 0
    CANCEL_SESSION_ORDERS = 1


class SessionScope(enum.IntEnum):
    """What "the same session" is where ownership of orders is concerned.

    CONNECTION: one connection from logon to its end.
    UNTIL_RESET: the comp id pair until the sequence numbers start anew (logon with reset, daily rollover).
    """

    CONNECTION = 0
    UNTIL_RESET = 1


class PostOnlyViolation(enum.IntEnum):
    """What becomes of a post-only order that would take: it gets an id and is canceled, or the request is refused."""

    ACCEPT_THEN_CANCEL = 0
    REJECT = 1


class MassCancelScope(enum.IntEnum):
    """Which orders a mass cancel asks for; what it reaches is the profile's to say."""

    SYMBOL = 0
    SESSION = 1
    ACCOUNT = 2


class VenueMode(enum.IntEnum):
    """What the engine accepts and whether it matches."""

    ONLINE = 0
    CANCEL_ONLY = 1
    POST_ONLY = 2
    LIMIT_ONLY = 3
    REDUCE_ONLY = 4
    MAINTENANCE = 5


class NewOrders(enum.IntEnum):
    """Which new orders a mode lets in."""

    NONE = 0
    POST_ONLY = 1
    LIMIT_ONLY = 2
    REDUCE_ONLY = 3
    ALL = 4


class RejectReason(enum.StrEnum):
    """Why the venue refused a request or ended an order; ``VenueProfile.errors`` has the venue's own text for each."""

    # The request names something that is not there, or not so.
    UNKNOWN_ORDER = "unknown_order"
    ORDER_NOT_OPEN = "order_not_open"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NOT_SUPPORTED = "not_supported"
    INVALID_ARGUMENTS = "invalid_arguments"
    NO_AMENDABLE = "no_amendable"
    NOT_EDITABLE = "not_editable"
    DUPLICATE_CL_ORD_ID = "duplicate_cl_ord_id"
    # The order breaks a rule of the instrument.
    ORDER_MINIMUM = "order_minimum"
    COST_MINIMUM = "cost_minimum"
    TICK_SIZE = "tick_size"
    INVALID_PRICE = "invalid_price"
    INVALID_DISPLAY_QTY = "invalid_display_qty"
    INDEX_UNAVAILABLE = "index_unavailable"
    # The account may not.
    INSUFFICIENT_FUNDS = "insufficient_funds"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    INSUFFICIENT_INITIAL_MARGIN = "insufficient_initial_margin"
    MARGIN_LEVEL = "margin_level"
    MARGIN_ALLOWANCE = "margin_allowance"
    POSITION_SIZE = "position_size"
    CANNOT_OPEN_POSITION = "cannot_open_position"
    CANNOT_OPEN_OPPOSING = "cannot_open_opposing"
    UNKNOWN_POSITION = "unknown_position"
    INVALID_LEVERAGE = "invalid_leverage"
    PERMISSION_DENIED = "permission_denied"
    REDUCE_ONLY_NO_POSITION = "reduce_only_no_position"
    REDUCE_ONLY_CLOSED = "reduce_only_closed"
    # A limit is reached.
    RATE_LIMIT = "rate_limit"
    CALL_LIMIT = "call_limit"
    ORDERS_LIMIT = "orders_limit"
    SCHEDULED_ORDERS_LIMIT = "scheduled_orders_limit"
    TIMEOUT_ABOVE_MAX = "timeout_above_max"
    # Time and state of the venue.
    DEADLINE = "deadline"
    INVALID_DEADLINE = "invalid_deadline"
    MODE_CANCEL_ONLY = "mode_cancel_only"
    MODE_POST_ONLY = "mode_post_only"
    MODE_LIMIT_ONLY = "mode_limit_only"
    MODE_REDUCE_ONLY = "mode_reduce_only"
    MODE_MAINTENANCE = "mode_maintenance"
    NO_SESSION = "no_session"
    INTERNAL = "internal"
    # Why an order that had been accepted ended.
    USER_REQUESTED = "user_requested"
    POST_ONLY = "post_only"
    SELF_TRADE = "self_trade"
    WOULD_TRIGGER = "would_trigger"
    IOC_REMAINDER = "ioc_remainder"
    FOK_UNFILLED = "fok_unfilled"
    MARKET_REMAINDER = "market_remainder"
    AMENDED_TO_FILLED = "amended_to_filled"
    EDITED = "edited"
    CANCEL_ON_DISCONNECT = "cancel_on_disconnect"
    CANCEL_AFTER_EXPIRED = "cancel_after_expired"
    EXPIRED = "expired"
    LIQUIDATED = "liquidated"


class RateCheck(enum.IntEnum):
    """When a counter is held against its threshold.

    BEFORE: a request is refused while the counter stands at the threshold or above; one that crosses it passes.
    AFTER: a request is refused if the counter with its cost would stand above the threshold.
    """

    BEFORE = 0
    AFTER = 1
