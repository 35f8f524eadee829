"""What each protocol of a venue does, row by row: a label, the fields that it shows, and the words for a cell."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from framework.protocol import (
    POINT,
    CancelReach,
    MassCancelScope,
    News,
    OnDisconnect,
    Ordering,
    PostOnlyViolation,
    ProtocolProfile,
    ResponseStyle,
    SessionScope,
    VenueProfile,
)
from framework.text_table import plain

__all__ = ["ABSENT", "Cell", "Row", "points", "seconds", "sections", "words", "yes"]

# What a cell says where a protocol does not have what the row is about.
ABSENT = "-"

_SECOND_NS = 1_000_000_000

type Cell = Callable[[ProtocolProfile], str]
# Label; the fields of a protocol's profile that the row shows, whose pages it names; the text of a cell.
type Row = tuple[str, tuple[str, ...], Cell]

_REACH = {
    CancelReach.NONE: "nothing",
    CancelReach.SESSION: "own session only",
    CancelReach.COMP_ID: "own comp id only",
    CancelReach.ACCOUNT: "any of the account",
}
_NEWS = {
    News.NONE: "none, is polled",
    News.PUSHED_ACCOUNT: "pushed, account",
    News.PUSHED_SESSION: "pushed, session",
}
_RESPONSE = {
    ResponseStyle.RESPONSE: "response",
    ResponseStyle.REPORTS: "reports",
    ResponseStyle.BOTH: "response and news",
}
_DISCONNECT = {
    OnDisconnect.NOTHING: "nothing happens",
    OnDisconnect.CANCEL_SESSION_ORDERS: "its orders canceled",
}
_SESSION = {
    SessionScope.CONNECTION: "one connection",
    SessionScope.UNTIL_RESET: "until seq. reset",
}
_POST_ONLY = {
    PostOnlyViolation.ACCEPT_THEN_CANCEL: "accepted, canceled",
    PostOnlyViolation.REJECT: "refused",
}


def sections(profile: VenueProfile) -> list[tuple[str, list[Row]]]:
    """The rows of the protocols' table, under their headings."""
    return [
        (
            "Order of messages",
            [
                ("commands arrive", ("ordering_command", "balanced_paths"), _ordered("ordering_command")),
                ("responses come", ("ordering_response", "balanced_paths"), _ordered("ordering_response")),
                ("success is told by", ("response_style",), lambda each: _RESPONSE[each.response_style]),
                ("news of own orders", ("news",), lambda each: _NEWS[each.news]),
                ("missed news", ("capabilities.has_replay", "capabilities.has_snapshot"), _missed),
            ],
        ),
        (
            "Reach of cancels",
            [
                ("single cancel", ("single_cancel_reach",), lambda each: _REACH[each.single_cancel_reach]),
                ("amend, edit", ("amend_reach",), lambda each: _REACH[each.amend_reach]),
                ("cancel-all", ("cancel_all_reach",), _cancel_all),
                _mass_cancel("mass cancel, symbol", MassCancelScope.SYMBOL),
                _mass_cancel("mass cancel, session", MassCancelScope.SESSION),
                _mass_cancel("mass cancel, account", MassCancelScope.ACCOUNT),
                ("cancel-all-after", ("capabilities.has_cancel_all_after",), _cancel_after),
            ],
        ),
        (
            "Sessions",
            [
                ("line drops", ("on_disconnect", "is_on_disconnect_chosen_at_logon"), _drop),
                ("logout", ("on_logout",), lambda each: _DISCONNECT[each.on_logout] if each.has_session else ABSENT),
                ("session owns orders", ("has_session", "session_scope"), _session),
                ("resumes after a drop", ("is_resumable",), lambda each: yes(each.is_resumable)),
                ("daily rollover", ("rollover_utc_s", "rollover_ns"), _rollover),
                ("closed when idle", ("idle_close_ns",), _idle),
            ],
        ),
        (
            "What can be sent",
            [
                _share("order types", "order_types", profile),
                _share("times in force", "times_in_force", profile),
                _share("trigger prices", "trigger_references", profile),
                _share("self-trade prevention", "stp_modes", profile),
                _has("amend in place", "has_amend"),
                _has("edit: cancel and new", "has_edit"),
                _has("edit with a client id", "edits_cl_ord_ids"),
                ("batch of orders", ("capabilities.batch_add_min", "capabilities.batch_add_max"), _batch_add),
                ("batch of cancels", ("capabilities.batch_cancel_max",), _batch_cancel),
                _has("quantity in quote", "has_quote_qty"),
                _has("order made by fills", "has_secondary_orders"),
                _has("validate only", "has_validate_only"),
                _has("ask for orders", "has_order_query"),
                ("deadline", ("capabilities.deadline_min_ns", "capabilities.deadline_max_ns"), _deadline),
                ("post-only that takes", ("post_only_violation",), lambda each: _POST_ONLY[each.post_only_violation]),
                ("call counter", ("call_costs",), _calls),
            ],
        ),
    ]


def words(name: str) -> str:
    """The name of a value as a reader writes it: ``STOP_LOSS`` is "stop-loss"."""
    return name.lower().replace("_", "-")


def yes(has: bool) -> str:
    """A cell of a row that asks whether."""
    return "yes" if has else ABSENT


def points(units: int) -> str:
    """POINT units as points."""
    return plain(Decimal(units) / POINT)


def seconds(ns: int) -> str:
    """Nanoseconds as seconds."""
    return f"{plain(Decimal(ns) / _SECOND_NS)} s"


def _ordering(ordering: Ordering, paths: int) -> str:
    match ordering:
        case Ordering.FIFO:
            return "in order"
        case Ordering.BALANCED:
            return f"can swap, {paths} paths"
        case _:
            return "in any order"


def _has(label: str, field: str) -> Row:
    return label, (f"capabilities.{field}",), lambda each: yes(getattr(each.capabilities, field))


def _share(label: str, field: str, profile: VenueProfile) -> Row:
    """Which of the values that any protocol has this one has: all, all but a few, or a list."""
    every = sorted({item for each in profile.protocols.values() for item in getattr(each.capabilities, field)})

    def cell(protocol: ProtocolProfile) -> str:
        has = getattr(protocol.capabilities, field)
        missing = [item for item in every if item not in has]
        if not missing:
            return "all"
        if len(missing) < len(has):
            return "all but " + ", ".join(words(item.name) for item in missing)
        return ", ".join(words(item.name) for item in has) or ABSENT

    return label, (f"capabilities.{field}",), cell


def _mass_cancel(label: str, scope: MassCancelScope) -> Row:

    def cell(each: ProtocolProfile) -> str:
        return _REACH[each.mass_cancel_reach[scope]] if scope in each.mass_cancel_reach else ABSENT

    return label, (f"mass_cancel_reach.{scope.name.lower()}",), cell


def _deadline(protocol: ProtocolProfile) -> str:
    can = protocol.capabilities
    if can.deadline_max_ns == 0:
        return ABSENT
    span = f"{plain(Decimal(can.deadline_min_ns) / _SECOND_NS)} to {seconds(can.deadline_max_ns)}"
    return span if can.deadline_default_ns is None else f"{span}, default {seconds(can.deadline_default_ns)}"


def _batch_add(protocol: ProtocolProfile) -> str:
    can = protocol.capabilities
    return f"{can.batch_add_min} to {can.batch_add_max} orders" if can.batch_add_max else ABSENT


def _batch_cancel(protocol: ProtocolProfile) -> str:
    count = protocol.capabilities.batch_cancel_max
    return f"up to {count} orders" if count else ABSENT


def _drop(protocol: ProtocolProfile) -> str:
    text = _DISCONNECT[protocol.on_disconnect]
    return f"{text}; logon may turn it off" if protocol.is_on_disconnect_chosen_at_logon else text


def _rollover(protocol: ProtocolProfile) -> str:
    if protocol.rollover_utc_s is None:
        return ABSENT
    hours, minutes = divmod(protocol.rollover_utc_s // 60, 60)
    return f"{hours:02}:{minutes:02} UTC, {seconds(protocol.rollover_ns)}"


def _calls(protocol: ProtocolProfile) -> str:
    costs = protocol.call_costs
    if costs is None:
        return ABSENT
    shown = {
        "open orders": costs.open_orders,
        "orders": costs.orders,
        "history": costs.history,
        "orders sent": costs.trading,
    }
    return ", ".join(f"{name} {points(cost)}" for name, cost in shown.items())


def _ordered(field: str) -> Cell:
    return lambda each: _ordering(getattr(each, field), each.balanced_paths)


def _missed(protocol: ProtocolProfile) -> str:
    if protocol.capabilities.has_replay:
        return "replayed"
    return "lost, new snapshot" if protocol.capabilities.has_snapshot else ABSENT


def _cancel_all(protocol: ProtocolProfile) -> str:
    return _REACH[protocol.cancel_all_reach] if protocol.capabilities.has_cancel_all else ABSENT


def _cancel_after(protocol: ProtocolProfile) -> str:
    return _REACH[protocol.cancel_all_reach] if protocol.capabilities.has_cancel_all_after else ABSENT


def _session(protocol: ProtocolProfile) -> str:
    return _SESSION[protocol.session_scope] if protocol.has_session else "none"


def _idle(protocol: ProtocolProfile) -> str:
    return ABSENT if protocol.idle_close_ns is None else f"after {seconds(protocol.idle_close_ns)}"
