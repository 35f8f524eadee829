"""Deliberate bugs, one at a time, in both ends: each must be caught by some seed, or the simulation is blind to it.

``python -m tests.simulation.wire.mutations`` plays seeds with each until one does not hold, and tells which, and what.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

import msgspec

from adapters.fix.session import Session
from adapters.kraken.client import ws2_link
from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.fix_days import FixDays
from adapters.kraken.client.fix_link import FixLink
from adapters.kraken.client.http_pool import Loss, _Slot
from adapters.kraken.client.nonces import NonceSource
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.rest_link import RestLink
from adapters.kraken.client.ws2_link import Ws2Link
from framework.execution import reach
from framework.execution.ledger import Ledger
from framework.execution.orders import InFlight, Knowledge, OrderRecord, RequestKind
from framework.execution.polls import Polls
from framework.execution.reports import ReportReader
from framework.execution.requests import Requests
from framework.execution.sessions import Sessions
from framework.messages import AmendOrder, CancelOrder, Command, CommandRejected
from framework.protocol import POINT
from framework.venue import cancels
from framework.venue.rates import RateCounter
from framework.venue.served.host import VenueHost
from tests.simulation.wire.network import MS
from tests.simulation.wire.play import FailedError, play
from tests.simulation.wire.world import World

__all__ = ["MUTATIONS", "SEEDS_MAX", "caught_by"]

# Each bug is caught within so many seeds.
SEEDS_MAX = 200

type Patch = Callable[[Any, str, Any], Any]
type Mutation = Callable[[World, Patch], None]

MUTATIONS: dict[str, Mutation] = {}


def _bug(make: Mutation) -> Mutation:
    MUTATIONS[make.__name__] = make
    return make


def caught_by(name: str, seeds_max: int = SEEDS_MAX, first_seed: int = 1) -> FailedError | None:
    """The first of so many seeds that a bug does not hold in; None if it holds in all."""
    for seed in range(first_seed, first_seed + seeds_max):
        with ExitStack() as patches:

            def patch(owner: Any, attribute: str, new: Any, patches: ExitStack = patches) -> Any:
                old = getattr(owner, attribute)
                patches.enter_context(mock.patch.object(owner, attribute, new))
                return old

            try:
                play(seed, lambda world, patch=patch: MUTATIONS[name](world, patch))
            except FailedError as error:
                return error
    return None


# ------------------------------------------------------------------------------------------------- fills and orders


@_bug
def a_fill_is_counted_each_time_that_it_is_told(world: World, patch: Patch) -> None:
    patch(OrderRecord, "note_exec", lambda record, exec_id: True)


@_bug
def an_end_does_not_wait_for_the_fills_before_it(world: World, patch: Patch) -> None:
    settle = Ledger._settle

    def hasty(ledger: Ledger, record: OrderRecord) -> None:
        record.venue_cum_lots = record.cum_lots
        settle(ledger, record)

    patch(Ledger, "_settle", hasty)


@_bug
def an_order_that_has_ended_is_accepted_again(world: World, patch: Patch) -> None:
    accept = Ledger.accept

    def revive(ledger: Ledger, record: OrderRecord, order_id: str | None, ts_venue_ns: int) -> bool:
        if record.knowledge is Knowledge.CLOSED and order_id is not None:
            record.knowledge = Knowledge.SENT
        return accept(ledger, record, order_id, ts_venue_ns)

    patch(Ledger, "accept", revive)


@_bug
def an_end_is_told_twice(world: World, patch: Patch) -> None:
    end = Ledger.end

    def twice(ledger: Ledger, record: OrderRecord, *args: Any) -> None:
        end(ledger, record, *args)
        end(ledger, record, *args)

    patch(Ledger, "end", twice)


@_bug
def an_order_that_has_ended_with_trades_missing_is_not_asked_for(world: World, patch: Patch) -> None:
    """Neither by the links, which ask for what they know is untold, nor by the desk, which doubts what is not shown."""
    patch(OrderMemory, "over", lambda memory, known, cum_lots: memory.end(known))
    patch(ReportReader, "_doubt_unshown", lambda reader, poll, shown: None)


@_bug
def two_orders_have_one_name_on_the_wire(world: World, patch: Patch) -> None:
    on_wire, last = ClientIds.on_wire, [""]

    def same(ids: ClientIds, cl_ord_id: str, now_ns: int) -> str:
        if now_ns and cl_ord_id not in ids._wire and cl_ord_id.endswith("7") and last[0]:
            ids._keep(cl_ord_id, last[0])
        last[0] = on_wire(ids, cl_ord_id, now_ns)
        return last[0]

    patch(ClientIds, "on_wire", same)


# ------------------------------------------------------------------------------------------------- changes


@_bug
def an_amend_is_applied_to_the_wrong_order(world: World, patch: Patch) -> None:
    amended = ReportReader._amended

    def wrong(reader: ReportReader, flight: InFlight, ts_venue_ns: int) -> None:
        live = [record for record in reader._ledger.open_orders.values() if record.is_live]
        if live:
            flight.records = (live[0],)
        amended(reader, flight, ts_venue_ns)

    patch(ReportReader, "_amended", wrong)


@_bug
def an_amend_names_another_order(world: World, patch: Patch) -> None:
    for link in world.links.values():
        send = link.send

        def other(command: Command, send: Callable[[Command], None] = send) -> None:
            live = [record for record in world.desk.open_orders.values() if record.is_live and record.order_id]
            if isinstance(command, AmendOrder) and live:
                command = msgspec.structs.replace(command, cl_ord_id=live[-1].cl_ord_id, order_id=None)
            send(command)

        link.send = other


# ------------------------------------------------------------------------------------------------- reach and cancels


@_bug
def reach_is_forgotten_when_a_session_ends(world: World, patch: Patch) -> None:
    patch(Sessions, "_refresh_reach", lambda sessions, reason: None)


@_bug
def every_link_is_taken_to_reach_every_order(world: World, patch: Patch) -> None:
    patch(reach, "reaches", lambda link, record: link.is_up)


@_bug
def a_new_session_has_the_name_of_the_one_before(world: World, patch: Patch) -> None:
    patch(FixDays, "session_count", property(lambda days: 1))


@_bug
def a_cancel_over_fix_is_dropped(world: World, patch: Patch) -> None:
    send = FixLink.send

    def deaf(link: FixLink, command: Command) -> None:
        if not isinstance(command, CancelOrder):
            send(link, command)

    patch(FixLink, "send", deaf)


@_bug
def a_cancel_over_rest_is_dropped_while_no_connection_is_free(world: World, patch: Patch) -> None:
    send = RestLink.send

    def deaf(link: RestLink, command: Command) -> None:
        if not isinstance(command, CancelOrder) or any(slot.is_free for slot in world.pool._slots):
            send(link, command)

    patch(RestLink, "send", deaf)


@_bug
def that_a_cancel_was_refused_is_not_told(world: World, patch: Patch) -> None:
    read = ReportReader._read_rejected

    def silent(reader: ReportReader, report: CommandRejected) -> None:
        flight = reader._requests.in_flight.get(report.request_id)
        if flight is not None and flight.kind is RequestKind.CANCEL:
            reader._requests.take(report.request_id, "rejected", None, None)
        else:
            read(reader, report)

    patch(ReportReader, "_read_rejected", silent)


# ------------------------------------------------------------------------------------------------- unknown outcomes


@_bug
def an_order_without_an_answer_is_taken_for_refused(world: World, patch: Patch) -> None:
    lose = Requests._lose

    def conclude(requests: Requests, flight: InFlight, evidence: str) -> None:
        lose(requests, flight, evidence)
        if flight.kind is RequestKind.ADD:
            for record in flight.records:
                requests._ledger.reject(record, evidence, 0)

    patch(Requests, "_lose", conclude)


@_bug
def a_lost_poll_is_waited_for_without_end(world: World, patch: Patch) -> None:
    patch(Polls, "lost", lambda polls: None)


@_bug
def an_unknown_outcome_is_not_asked_after(world: World, patch: Patch) -> None:
    patch(Polls, "is_needed", property(lambda polls: False))


# ------------------------------------------------------------------------------------------------- links


@_bug
def a_nonce_is_used_twice(world: World, patch: Patch) -> None:
    fresh, count = NonceSource.next, itertools.count(1)
    patch(NonceSource, "next", lambda source: source._last if next(count) % 20 == 0 else fresh(source))


@_bug
def a_number_of_a_fix_session_is_used_twice(world: World, patch: Patch) -> None:
    if "fix" in world.links:
        store, count = world.links["fix"]._session._store, itertools.count(1)
        append = store.append

        def stuck(seq_num: int, message: bytes) -> None:
            append(seq_num, message)
            if next(count) % 12 == 0:
                store._next_sender = seq_num

        store.append = stuck


@_bug
def a_message_that_is_sent_again_is_heard_again(world: World, patch: Patch) -> None:
    is_next = Session._is_next

    def again(session: Session, message: Any, now_ns: int, **more: Any) -> bool:
        return message.is_set(43) or is_next(session, message, now_ns, **more)

    if "fix" in world.links:
        session = world.links["fix"]._session
        session._is_next = lambda message, now_ns, **more: again(session, message, now_ns, **more)


@_bug
def what_was_not_received_is_sent_again_when_a_session_resumes(world: World, patch: Patch) -> None:
    patch(FixLink, "is_replayed", lambda *args: True)


@_bug
def a_token_is_not_renewed(world: World, patch: Patch) -> None:
    patch(Ws2Link, "_renew_token", lambda link: None)


@_bug
def the_silence_of_a_line_is_not_noticed(world: World, patch: Patch) -> None:
    patch(Ws2Link, "_watch", lambda link, attempt: None)


@_bug
def an_answer_is_matched_to_the_oldest_request(world: World, patch: Patch) -> None:
    on_answer = Ws2Link._on_answer

    def oldest(link: Ws2Link, answer: Any) -> None:
        if link._flights and isinstance(answer.req_id, int):
            answer = msgspec.structs.replace(answer, req_id=next(iter(link._flights)))
        on_answer(link, answer)

    handlers = {kind: oldest if handler is on_answer else handler for kind, handler in ws2_link._HANDLERS.items()}
    patch(ws2_link, "_HANDLERS", handlers)


@_bug
def a_late_answer_is_taken_for_that_of_the_next_request(world: World, patch: Patch) -> None:
    def patient(slot: _Slot, number: int) -> None:
        if number == slot._number and slot._call is not None:
            call, slot._call = slot._call, None
            slot._number += 1
            call.on_lost(Loss.OVERDUE, "no answer in time")
            slot._go_on()

    patch(_Slot, "_on_timeout", patient)


# ------------------------------------------------------------------------------------------------- the venue


@_bug
def the_venue_reorders_a_sticky_path(world: World, patch: Patch) -> None:
    submit, count = VenueHost.submit, itertools.count(1)

    def late(host: VenueHost, line_id: str, command: Command) -> None:
        if line_id.startswith("fix") and next(count) % 3 == 0:
            world.later(
                host.now_ns + 40 * MS, lambda: submit(host, line_id, command) if line_id in host._links else None
            )
        else:
            submit(host, line_id, command)

    patch(VenueHost, "submit", late)


@_bug
def the_venue_gives_money_away(world: World, patch: Patch) -> None:
    lifecycle = world.host.venue._lifecycle
    fill = lifecycle.fill

    def generous(order: Any, *args: Any) -> None:
        fill(order, *args)
        order.account.totals[0] += 1

    lifecycle.fill = generous  # type: ignore[method-assign]


@_bug
def the_venue_forgets_a_charge(world: World, patch: Patch) -> None:
    admit, count = RateCounter.admit, itertools.count(1)

    def forgetful(counter: RateCounter, ts_ns: int, charge: Any) -> bool:
        passes = admit(counter, ts_ns, charge)
        if counter is world.host.venue.accounts["a0"].counters[0] and next(count) % 5 == 0:
            counter.value = max(0, counter.value - POINT)
        return passes

    patch(RateCounter, "admit", forgetful)


@_bug
def the_venue_cancels_what_another_session_entered(world: World, patch: Patch) -> None:
    patch(cancels, "is_reached", lambda *args: True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="most seeds for each")
    parser.add_argument("--only", default="", help="those whose name has this in it")
    options = parser.parse_args()
    missed = 0
    for name in (name for name in MUTATIONS if options.only in name):
        began_s = time.monotonic()
        error = caught_by(name, options.seeds)
        words, took_s = name.replace("_", " "), time.monotonic() - began_s
        if error is None:
            missed += 1
            print(f"NOT CAUGHT: {words} ({options.seeds} seeds, {took_s:.0f} s)", flush=True)
        else:
            print(f"seed {error.seed:>3}: {words}: {error.broken} ({took_s:.1f} s)", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
