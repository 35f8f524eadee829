"""What one protocol of a venue can do, and how it behaves."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from framework.protocol.instrument import OrderType, StpMode, TimeInForce, TriggerReference
from framework.protocol.limits import CallCosts
from framework.protocol.semantics import (
    CancelReach,
    MassCancelScope,
    News,
    OnDisconnect,
    Ordering,
    PostOnlyViolation,
    Protocol,
    ResponseStyle,
    SessionScope,
)

__all__ = [
    "Capabilities",
    "ProtocolProfile",
]


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked over a protocol.

    batch_add_min, batch_add_max: orders in one AddBatch, 0 and 0 where there is none.
    batch_cancel_max: orders in one CancelBatch, 0 where there is none.
    mass_cancel_scopes: scopes of MassCancel; CancelAll is ``has_cancel_all``.
    deadline_min_ns, deadline_max_ns: how far ahead a command's deadline may lie; both 0 where there is none.
    deadline_default_ns: the deadline of a command that states none; None for no deadline.
    has_order_query: the open orders can be asked for (or come as a snapshot with a subscription, ``has_snapshot``).
    has_replay: what was missed while away is sent again on resumption.
    cancels_by_order_id, cancels_by_cl_ord_id: ids by which CancelOrder may name an order.
    edits_cl_ord_ids: EditOrder takes orders that carry a client id.
    """

    order_types: tuple[OrderType, ...]
    times_in_force: tuple[TimeInForce, ...]
    stp_modes: tuple[StpMode, ...]
    trigger_references: tuple[TriggerReference, ...]
    mass_cancel_scopes: tuple[MassCancelScope, ...]
    batch_add_min: int
    batch_add_max: int
    batch_cancel_max: int
    deadline_min_ns: int
    deadline_max_ns: int
    deadline_default_ns: int | None
    has_amend: bool
    has_edit: bool
    edits_cl_ord_ids: bool
    has_cancel_all: bool
    has_cancel_all_after: bool
    has_validate_only: bool
    has_order_query: bool
    has_snapshot: bool
    has_replay: bool
    has_quote_qty: bool
    has_post_only: bool
    has_reduce_only: bool
    has_start_time: bool
    has_secondary_orders: bool
    cancels_by_order_id: bool
    cancels_by_cl_ord_id: bool


class ProtocolProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How one protocol of a venue behaves.

    ordering_command: order in which commands reach the engine; ordering_response: order in which responses come back;
        ordering_news: order in which pushed news comes.
    balanced_paths: number of paths of a connection where an ordering is BALANCED; 1 elsewhere.
    is_one_stream: responses, rejects and news share one ordered stream.
    single_cancel_reach, amend_reach: which orders a single cancel, an amend or edit can name.
    mass_cancel_reach: which orders each scope of MassCancel reaches; empty where there is no MassCancel.
    cancel_all_reach: which orders CancelAll, and an expired CancelAllAfter, reach.
    is_pending_new_sent: a PENDING_NEW report precedes NEW for an order that goes live at once.
    has_session: the connection is a session that owns the orders entered on it.
    on_disconnect: what a dropped line does unless logon chose otherwise (``is_on_disconnect_chosen_at_logon``);
        on_logout: what an orderly logout does where on_disconnect would cancel.
    is_resumable: a session survives its connection; session_scope: until when.
    rollover_utc_s: seconds after midnight UTC at which sessions end daily; None for never; rollover_ns: its length.
    heartbeat_ns: interval of the keep-alive; idle_close_ns: the venue closes a connection silent for so long, None if
        it does not.
    call_costs: requests of this protocol are charged to a call counter; None if there is none.
    time_step_ns: it tells when orders were changed in steps of so much, cut off or rounded; 1 where it does not tell.
    poll_calls, poll_calls_on_change: fields of ``call_costs`` that one poll of the account's orders is charged, always
        and in addition when orders ended or were filled since the poll before.
    """

    label: Protocol
    title: str
    capabilities: Capabilities
    ordering_command: Ordering
    ordering_response: Ordering
    ordering_news: Ordering
    balanced_paths: int
    is_one_stream: bool
    single_cancel_reach: CancelReach
    amend_reach: CancelReach
    mass_cancel_reach: Mapping[MassCancelScope, CancelReach]
    cancel_all_reach: CancelReach
    news: News
    response_style: ResponseStyle
    post_only_violation: PostOnlyViolation
    is_pending_new_sent: bool
    has_session: bool
    on_disconnect: OnDisconnect
    is_on_disconnect_chosen_at_logon: bool
    on_logout: OnDisconnect
    is_resumable: bool
    session_scope: SessionScope
    rollover_utc_s: int | None
    rollover_ns: int
    heartbeat_ns: int
    idle_close_ns: int | None
    time_step_ns: int
    call_costs: CallCosts | None
    poll_calls: tuple[str, ...]
    poll_calls_on_change: tuple[str, ...]
