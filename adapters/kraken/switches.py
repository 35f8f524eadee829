"""Points on which Kraken's documents are silent or disagree, each with its readings and the one that is taken."""

from __future__ import annotations

from adapters.kraken.margin import MARGIN_SWITCHES
from framework.protocol import (
    POINT,
    CancelReach,
    OnDisconnect,
    PostOnlyViolation,
    RateCheck,
    SessionScope,
    Switch,
)

__all__ = ["SWITCHES"]

SWITCHES: tuple[Switch, ...] = (
    Switch(
        name="mass_cancel_account_scope",
        question="Does FIX mass cancel 530=7 end every order of the account, or those of the SenderCompID?",
        values={
            "account": {"protocols.fix.mass_cancel_reach.account": CancelReach.ACCOUNT},
            "comp_id": {"protocols.fix.mass_cancel_reach.account": CancelReach.COMP_ID},
        },
        default="account",
        source="guides/fix/introduction and guides/general/api-comparison: account; fix-api/omcr-fix: SenderCompID",
    ),
    Switch(
        name="fix_session",
        question="Is a FIX session that owns orders one connection, or the CompID pair until sequence numbers restart?",
        values={
            "until_reset": {"protocols.fix.session_scope": SessionScope.UNTIL_RESET},
            "connection": {"protocols.fix.session_scope": SessionScope.CONNECTION},
        },
        default="until_reset",
        source="fix-api/omcr-fix does not define the trading session; sequence numbers outlive a connection",
    ),
    Switch(
        name="cancel_on_logout",
        question="Does an orderly FIX Logout cancel the session's orders as a dropped line does?",
        values={
            "no": {"protocols.fix.on_logout": OnDisconnect.NOTHING},
            "yes": {"protocols.fix.on_logout": OnDisconnect.CANCEL_SESSION_ORDERS},
        },
        default="no",
        source="fix-api/logout-fix: a drop without Logout does; guides/general/order-lifecycle: a disconnect does",
    ),
    Switch(
        name="fix_new_ack",
        question="Does FIX report Pending New (150=A) before New (150=0) for an order that goes live at once?",
        values={
            "new": {"protocols.fix.is_pending_new_sent": False},
            "pending_new_then_new": {"protocols.fix.is_pending_new_sent": True},
        },
        default="new",
        source="fix-api/er-fix: only with EffectiveTime, yet its plain sample has it; the 2026 sample has not",
    ),
    Switch(
        name="post_only_violation",
        question="Is a post-only order that would take given an id and canceled, or is the request refused?",
        values={
            "accept_then_cancel": {
                f"protocols.{protocol}.post_only_violation": PostOnlyViolation.ACCEPT_THEN_CANCEL
                for protocol in ("rest", "ws1", "ws2", "fix")
            },
            "reject": {
                f"protocols.{protocol}.post_only_violation": PostOnlyViolation.REJECT
                for protocol in ("rest", "ws1", "ws2", "fix")
            },
        },
        default="accept_then_cancel",
        source="rest-api/add-order and websocket-v2/add_order: the order is canceled; clients know a request error too",
    ),
    Switch(
        name="edit_of_client_id",
        question="Is the edit of an order that carries a client id refused, or the new order without it made?",
        values={
            "refused": {
                f"protocols.{protocol}.capabilities.edits_cl_ord_ids": False for protocol in ("rest", "ws1", "ws2")
            },
            "accepted": {
                f"protocols.{protocol}.capabilities.edits_cl_ord_ids": True for protocol in ("rest", "ws1", "ws2")
            },
        },
        default="refused",
        source="rest-api/edit-order, websocket-v1/editorder, websocket-v2/edit_order: cl_ord_id is not supported",
    ),
    Switch(
        name="sell_fee_currency",
        question="In which currency is the fee of a sell whose order does not say?",
        values={"quote": {"is_sell_fee_in_base": False}, "base": {"is_sell_fee_in_base": True}},
        default="quote",
        source="rest-api/add-order, oflags: base; the sell of websocket-v2/executions has quote, and so have live ones",
    ),
    Switch(
        name="unknown_order_text",
        question="Is a cancel of an order that has ended answered like one of an order that never was?",
        values={
            "invalid_order": {"errors.order_not_open": "EOrder:Invalid order"},
            "unknown_order": {"errors.order_not_open": "EOrder:Unknown order"},
        },
        default="invalid_order",
        source="websocket-v1/cancelorder knows Unknown order only; Invalid order was seen for ended orders",
    ),
    Switch(
        name="rate_check",
        question="Is a request refused once the counter stands at the threshold, or already if it would cross it?",
        values={
            "before": {"rates.check": RateCheck.BEFORE},
            "after": {"rates.check": RateCheck.AFTER},
        },
        default="before",
        source="guides/spot-ratelimits: transactions are refused until the counter is below the threshold",
    ),
    Switch(
        name="cancel_over_limit",
        question="Is a single cancel refused while the counter is over the threshold?",
        values={
            "refused": {"rates.is_cancel_refused": True},
            "accepted": {"rates.is_cancel_refused": False},
        },
        default="refused",
        source="guides/spot-ratelimits: further transactions are refused; only a batch of cancels is said to pass",
    ),
    Switch(
        name="refused_transactions",
        question="Does a request refused over the limit still pay its fixed count?",
        values={
            "charged": {"rates.is_refused_charged": True},
            "free": {"rates.is_refused_charged": False},
        },
        default="charged",
        source="guides/spot-ratelimits: the fixed count is always applied on receipt, even if the transaction fails",
    ),
    Switch(
        name="cancel_all_cost",
        question="Do cancel-all, mass cancel and the dead man's switch cost anything on the counter of a pair?",
        values={
            "free": {"rates.cancel_all_per_symbol": 0},
            "one_per_symbol": {"rates.cancel_all_per_symbol": POINT},
        },
        default="free",
        source="guides/spot-ratelimits does not list them; a public client library assumes one point for each pair",
    ),
    Switch(
        name="history_call_cost",
        question="What does a call for ledgers, trades or ended orders cost on the REST call counter?",
        values={
            "2": {"protocols.rest.call_costs.history": 2 * POINT},
            "4": {"protocols.rest.call_costs.history": 4 * POINT},
        },
        default="2",
        source="guides/rest/ratelimits (2026) says 2, guides/spot-rest-ratelimits (May 2026) says 4",
    ),
    Switch(
        name="trading_other_call_cost",
        question="Do amends, edits, batches and cancel-all count on the REST call counter too?",
        values={
            "0": {"protocols.rest.call_costs.trading_other": 0},
            "1": {"protocols.rest.call_costs.trading_other": POINT},
        },
        default="0",
        source="guides/spot-rest-ratelimits exempts AddOrder and CancelOrder by name and is silent on the others",
    ),
    Switch(
        name="call_check",
        question="Is the call that would take the REST call counter above its maximum refused, or the one after it?",
        values={
            "after": {"protocols.rest.call_costs.check": RateCheck.AFTER},
            "before": {"protocols.rest.call_costs.check": RateCheck.BEFORE},
        },
        default="after",
        source="guides/spot-rest-ratelimits says both: an error if it exceeds, and subsequent calls are limited",
    ),
    Switch(
        name="refused_calls",
        question="Does a REST call refused over the limit count all the same?",
        values={
            "charged": {"protocols.rest.call_costs.is_refused_charged": True},
            "free": {"protocols.rest.call_costs.is_refused_charged": False},
        },
        default="charged",
        source="guides/spot-rest-ratelimits: restricted for longer if calls continue to be made",
    ),
    Switch(
        name="balanced_paths",
        question="How many paths does the load balancing of a WebSocket connection use?",
        values={
            str(count): {f"protocols.{protocol}.balanced_paths": count for protocol in ("ws1", "ws2")}
            for count in (1, 2, 4, 8)
        },
        default="4",
        source="guides/spot-amends: depends on the load balancing of processes and threads; no number is given",
    ),
    *MARGIN_SWITCHES,
)
