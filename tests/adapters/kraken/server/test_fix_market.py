"""Market data over FIX (fix-api/logon-fix, mdr-fix, mdsfr-fix, mdir-fix, mdrr-fix; checksums: guides/fix-checksums)."""

from __future__ import annotations

import random
from decimal import Decimal
from zlib import crc32

import pytest

from adapters.fix.codec import Message
from adapters.kraken.profile import PROFILE
from framework.data.synthetic import synthetic_market
from framework.messages import AmendOrder, CancelOrder
from framework.protocol import BUY, SELL, LatencySpec
from framework.venue.account import AccountConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec, VenueHost
from tests.adapters.kraken.server.fix_market_rig import FixMarket, Watcher
from tests.framework.venue.served.served_rig import SECOND, START, order

NAME = "BTC/USD"
HOUR = 3_600 * SECOND


def entries(message: Message) -> list[tuple[str, ...]]:
    """The entries of W or X: action if there is one, type, id, price, size, time."""
    first = 279 if message.msg_type == b"X" else 269
    tags = (279, 269, 278, 270, 271, 273) if message.msg_type == b"X" else (269, 278, 270, 271, 273)
    return [tuple(entry[tag].decode() for tag in tags) for entry in message.group(268, first)]


def add(market: FixMarket, side: int, price: int, lots: int, name: str = "") -> None:
    """An order of the first account."""
    market.host.submit(market.trader.line_id, order(market.host, side, price, lots, name))


def cancel(market: FixMarket, name: str) -> None:
    """Its end."""
    request_id = market.host.next_request_id()
    market.host.submit(market.trader.line_id, CancelOrder(request_id=request_id, cl_ord_id=name))


# --------------------------------------------------------------------------------------------------------------- logon


def test_logging_on_takes_a_known_name_and_no_key() -> None:
    assert FixMarket().watcher().session.is_open


@pytest.mark.parametrize(("comp_id", "target"), [("STRANGER", "KRAKEN-MD"), ("A0", "KRAKEN-TRD")])
def test_other_names_are_closed_without_a_word(comp_id: str, target: str) -> None:
    watcher = Watcher(FixMarket(), comp_id, target).open()
    assert not watcher.session.is_open
    assert watcher.messages == watcher.rejects == []


def test_a_second_logon_takes_over() -> None:
    market = FixMarket()
    first = market.watcher()
    second = Watcher(market).open(is_reset=True)
    assert (first.session.is_open, second.session.is_open) == (False, True)


# ------------------------------------------------------------------------------------------------------------- level 2


def test_a_request_is_answered_with_the_levels_asks_first() -> None:
    (snapshot,) = FixMarket().watcher().ask("7")
    assert (snapshot.msg_type, snapshot.text(55), snapshot.text(262)) == (b"W", "BTC/USD", "7")
    assert snapshot.get(5041) is None
    assert entries(snapshot) == [
        ("1", "O100.2", "100.2", "0.01", "08:00:00.000"),
        ("0", "B100.0", "100.0", "0.01", "08:00:00.000"),
    ]


def test_fields_stand_in_the_order_of_the_samples() -> None:
    """fix-api/mdsfr-fix, mdir-fix."""
    market = FixMarket()
    watcher = market.watcher()
    (snapshot,) = watcher.ask()
    body = snapshot.raw[snapshot.raw.index(b"\x0155=") + 1 :]
    assert body.startswith(b"55=BTC/USD\x01262=1\x01268=2\x01269=1\x01278=O100.2\x01270=100.2\x01271=0.01\x01273=")
    add(market, BUY, 999, 50)
    (update,) = watcher.taken()
    body = update.raw[update.raw.index(b"\x0155=") + 1 :]
    assert body.startswith(
        b"55=BTC/USD\x01262=1\x01268=1\x01279=0\x01269=0\x01278=B99.9\x01270=99.9\x01271=0.005\x01273="
    )


def test_a_level_is_new_then_changed_then_deleted_with_nothing_left() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask()
    market.host.run_until(START + SECOND)
    add(market, BUY, 999, 50, "one")
    add(market, BUY, 999, 20, "two")
    cancel(market, "one")
    cancel(market, "two")
    assert [entries(update) for update in watcher.taken()] == [
        [(action, "0", "B99.9", "99.9", size, "08:00:01.000")]
        for action, size in (("0", "0.005"), ("1", "0.007"), ("1", "0.002"), ("2", "0.0"))
    ]


def test_a_level_that_leaves_the_window_is_deleted_with_its_quantity_and_new_when_it_comes_back() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask(depth="1")
    add(market, BUY, 1001, 50, "better")
    cancel(market, "better")
    assert [[entry[:5] for entry in entries(update)] for update in watcher.taken()] == [
        [("2", "0", "B100.0", "100.0", "0.01"), ("0", "0", "B100.1", "100.1", "0.005")],
        [("2", "0", "B100.1", "100.1", "0.0"), ("0", "0", "B100.0", "100.0", "0.01")],
    ]


def test_the_checksum_is_of_ten_levels_whatever_the_depth() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask(depth="1")
    add(market, BUY, 1001, 50)
    (update,) = watcher.taken()
    assert update.text(5041) == str(crc32(b"10021000000100150000010001000000"))


@pytest.mark.parametrize("depth", ["0", "1", "10", "25", "100", "500", "1000"])
def test_a_depth_counts_levels_of_each_side_and_all_is_a_thousand(depth: str) -> None:
    market = FixMarket(served=VenueHost(PROFILE, [synthetic_market(3, 2)], accounts(), START))
    (snapshot,) = market.watcher().ask(depth=depth)
    bids = [entry for entry in entries(snapshot) if entry[0] == "0"]
    assert len(bids) == min(int(depth) or 1000, len(market.host.books[NAME].levels(BUY, 2000)))


# -------------------------------------------------------------------------------------------------------------- trades


def test_trades_come_in_updates_only_with_the_takers_type_and_side() -> None:
    market = FixMarket()
    watcher = market.watcher()
    (snapshot,) = watcher.ask(types="2")
    assert (snapshot.msg_type, snapshot.text(268)) == (b"W", "0")
    market.host.run_until(START + SECOND)
    market.host.submit(market.trader.line_id, order(market.host, SELL, None, 30))
    market.host.submit(market.trader.line_id, order(market.host, BUY, 1002, 10))
    first, second = watcher.taken()
    assert [entries(update)[0][:2] + entries(update)[0][3:] for update in (first, second)] == [
        ("0", "2", "100.0", "0.003", "08:00:01.000"),
        ("0", "2", "100.2", "0.001", "08:00:01.000"),
    ]
    assert [(update.text(40), update.text(2446)) for update in (first, second)] == [("1", "2"), ("2", "1")]
    assert first.get(5041) is None


def test_levels_and_trades_come_under_one_request_after_one_snapshot() -> None:
    market = FixMarket()
    watcher = market.watcher()
    assert [message.msg_type for message in watcher.ask(types="012")] == [b"W"]
    market.host.submit(market.trader.line_id, order(market.host, SELL, None, 30))
    updates = watcher.taken()
    assert sorted(entries(update)[0][1] for update in updates) == ["0", "2"]
    assert {update.text(262) for update in updates} == {"1"}


# ------------------------------------------------------------------------------------------------------------- level 3


def test_orders_come_with_their_ids_and_the_times_of_the_message_and_of_the_queue() -> None:
    market = FixMarket()
    market.host.run_until(START + SECOND)
    add(market, BUY, 1000, 50)
    market.host.run_until(START + 2 * SECOND)
    (snapshot,) = market.watcher().ask(t266="N")
    assert entries(snapshot) == [
        ("1", "OM0001-00000-000002", "100.2", "0.01", "08:00:00.000"),
        ("0", "OM0001-00000-000001", "100.0", "0.01", "08:00:00.000"),
        ("0", "O00000-00000-000001", "100.0", "0.005", "08:00:01.000"),
    ]
    last = snapshot.group(268, 269)[-1]
    assert last[5060] == b"2027-01-15T08:00:02.000000000Z"
    assert last[5273] == b"2027-01-15T08:00:01.000000000Z"


def test_an_order_is_new_then_changed_then_deleted_with_nothing_left() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask(t266="N")
    market.host.run_until(START + SECOND)
    add(market, SELL, 1003, 50, "mine")
    market.host.run_until(START + 2 * SECOND)
    amend = AmendOrder(request_id=market.host.next_request_id(), cl_ord_id="mine", qty_lots=20)
    market.host.submit(market.trader.line_id, amend)
    cancel(market, "mine")
    updates = watcher.taken()
    assert [entries(update) for update in updates] == [
        [("0", "1", "O00000-00000-000001", "100.3", "0.005", "08:00:01.000")],
        [("1", "1", "O00000-00000-000001", "100.3", "0.002", "08:00:02.000")],
        [("2", "1", "O00000-00000-000001", "100.3", "0.0", "08:00:02.000")],
    ]
    assert {update.text(5273) for update in updates} == {"2027-01-15T08:00:01.000000000Z"}


def test_an_order_that_leaves_the_window_is_deleted_with_its_quantity() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask(depth="1", t266="N")
    add(market, BUY, 1001, 50)
    (update,) = watcher.taken()
    assert [entry[:5] for entry in entries(update)] == [
        ("0", "0", "O00000-00000-000001", "100.1", "0.005"),
        ("2", "0", "OM0001-00000-000001", "100.0", "0.01"),
    ]


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("request_", "reason", "text"),
    [
        ({"symbols": ("TEST/TEST",)}, "0", "MarketData subscription failed due to unsupported symbol: TEST/TEST"),
        ({"symbols": ("BTC/USD", "XBT/USD")}, "0", "MarketData subscription failed due to unsupported symbol: XBT/USD"),
        ({"kind": "0"}, "4", "MarketData request failed due to unsupported SubscriptionRequestType: 0"),
        ({"depth": "11"}, "5", "MarketData subscription failed due to unsupported MarketDepth: 11"),
        ({"t265": "0"}, "6", "MarketData subscription failed due to unsupported MDUpdateType: 0"),
        ({"types": "0"}, "8", "MarketData subscription failed due to unsupported MDEntryType: 0"),
        ({"types": "12"}, "8", "MarketData subscription failed due to unsupported MDEntryType: 1,2"),
        ({"types": "013"}, "8", "MarketData subscription failed due to unsupported MDEntryType: 0,1,3"),
        ({"types": "012", "t266": "N"}, "C",
         "MarketData subscription failed due to trades not being available with Level 3"),
        ({"kind": "2"}, "4",
         "MarketData unsubscription failed due to nothing being subscribed by MDReqID: 9"),
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_rejected_with_its_reason(
    request_: dict[str, str], reason: str, text: str
) -> None:
    (reject,) = FixMarket().watcher().ask("9", **request_)
    assert (reject.msg_type, reject.text(262), reject.text(281), reject.text(58)) == (b"Y", "9", reason, text)


def test_a_request_id_is_used_once_at_a_time() -> None:
    watcher = FixMarket().watcher()
    watcher.ask("1")
    (reject,) = watcher.ask("1", depth="100")
    assert (reject.msg_type, reject.text(281)) == (b"Y", "1")
    watcher.ask("1", kind="2")
    assert [message.msg_type for message in watcher.ask("1")] == [b"W"]


def test_a_message_without_what_it_needs_is_rejected_by_the_session() -> None:
    watcher = FixMarket().watcher()
    watcher.send(b"V", ((262, b"1"), (263, b"1")))
    (reject,) = watcher.rejects
    assert (reject.text(373), reject.text(371)) == ("1", "264")


def test_an_order_is_no_business_of_this_session() -> None:
    watcher = FixMarket().watcher()
    (reject,) = watcher.send(b"q", ((11, b"1"), (530, b"7"), (60, b"20270115-08:00:00.000")))
    assert (reject.msg_type, reject.text(380)) == (b"j", "3")


# ----------------------------------------------------------------------------------------------------------------- end


def test_the_end_of_a_subscription_ends_its_updates() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask("1")
    watcher.ask("2", t266="N")
    assert watcher.ask("1", kind="2") == []
    add(market, BUY, 999, 50)
    assert [update.text(262) for update in watcher.taken()] == ["2"]
    watcher.ask("2", kind="2")
    assert not market.host.books[NAME].is_listened_to


def test_with_the_line_the_subscriptions_end_and_what_was_missed_is_filled_as_a_gap() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask()
    watcher.cut()
    assert not market.host.books[NAME].is_listened_to
    add(market, BUY, 999, 50)
    watcher.open()
    assert watcher.session.is_open
    assert watcher.taken() == []
    assert [message.msg_type for message in watcher.ask()] == [b"W"]


def test_what_was_sent_is_asked_for_again_in_vain_and_the_session_goes_on() -> None:
    market = FixMarket()
    watcher = market.watcher()
    watcher.ask()
    assert watcher.send(b"2", ((7, b"1"), (16, b"0"))) == []
    assert watcher.session.is_open
    add(market, BUY, 999, 50)
    assert [message.msg_type for message in watcher.taken()] == [b"X"]


@pytest.mark.parametrize("is_out_of_turn", [False, True])
def test_the_rollover_ends_the_session_for_half_a_minute_and_its_numbers_begin_anew(is_out_of_turn: bool) -> None:
    """exchange/api-reference/unified-fix: 22:00 UTC, about 30 seconds."""
    market = FixMarket()
    begin_ns = START + SECOND if is_out_of_turn else START + 14 * HOUR
    market.host.run_until(begin_ns - SECOND)
    watcher = market.watcher()
    watcher.ask()
    market.host.run_until(begin_ns - 1)
    assert watcher.flush().session.is_open
    market.host.run_until(begin_ns)
    if is_out_of_turn:
        market.host.roll_over("fix")
    watcher.flush()
    assert watcher.closed == ["logout: End of trading day"]
    late = Watcher(market)
    market.host.run_until(begin_ns + 29 * SECOND)
    assert not late.open().session.is_open
    market.host.run_until(begin_ns + 30 * SECOND)
    assert Watcher(market).open().session.is_open


# ------------------------------------------------------------------------------------------------------------- checksum


def checksum(asks: list[tuple[str, str]], bids: list[tuple[str, str]], price_decimals: int, qty_decimals: int) -> str:
    """The documented sum: ten best prices of each side, all decimals of a price and a quantity, no point, no zeros in
    front.
    """

    def digits(text: str, decimals: int) -> str:
        return f"{Decimal(text):.{decimals}f}".replace(".", "").lstrip("0")

    text = ""
    for side in (asks, bids):
        best = list(dict.fromkeys(price for price, _ in side))[:10]
        text += "".join(
            digits(price, price_decimals) + digits(qty, qty_decimals) for price, qty in side if price in best
        )
    return str(crc32(text.encode()))


ASKS = """28013.0 0.00096506; 28039.8 0.001; 28066.5 0.001; 28093.3 0.001; 28120.0 0.001; 28146.7 0.001; 28173.5 0.001;
28200.2 0.001; 28227.0 0.001; 28253.7 0.001"""
BIDS = """28003.0 0.001; 27999.9 0.00096375; 27969.9 0.73860423; 27700.1 0.0035; 27573.2 0.0032; 27137.4 0.01;
27091.3 0.004; 26729.4 0.001; 26702.6 0.001; 26675.9 0.001"""


def test_the_sum_that_the_tests_compare_with_is_the_published_one() -> None:
    """guides/fix-checksums, "Calculate the first Checksum"."""
    asks, bids = ([tuple(level.split()) for level in text.split(";")] for text in (ASKS, BIDS))
    assert checksum(asks, bids, 1, 8) == "3341325816"


def accounts() -> list[AccountConfig]:
    money = {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
    return [AccountConfig(name=name, balances=money, tier="pro") for name in ("a0", "a1")]


class Copy:
    """A book kept from the messages: entries in their order, each new one last at its price."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, str, str]] = {}
        self.compared = 0

    def take(self, message: Message) -> None:
        for entry in entries(message):
            action, (kind, entry_id, price, size) = (
                ("0", entry[:4]) if message.msg_type == b"W" else (entry[0], entry[1:5])
            )
            if action == "2":
                known = self.entries.pop(entry_id)
                assert size in ("0.0", known[2])
            elif action == "1":
                assert self.entries[entry_id][:2] == (kind, price)
                self.entries[entry_id] = (kind, price, size)
            else:
                assert entry_id not in self.entries
                self.entries[entry_id] = (kind, price, size)
        if message.msg_type == b"X":
            assert message.text(5041) == checksum(self.side("1"), self.side("0"), 1, 8)
            self.compared += 1

    def side(self, kind: str) -> list[tuple[str, str]]:
        rows = [(price, size) for each, price, size in self.entries.values() if each == kind]
        return sorted(rows, key=lambda row: Decimal(row[0]), reverse=kind == "0")


@pytest.mark.parametrize("aggregated", ["Y", "N"])
@pytest.mark.parametrize(("depth", "latency_ms"), [("10", 0), ("25", 0), ("100", 0), ("10", 30)])
def test_a_client_keeps_the_book_and_finds_every_checksum_right(depth: str, latency_ms: int, aggregated: str) -> None:
    roads = {}
    if latency_ms:
        latency = compile_latency(LatencySpec(kind="constant", median_us=latency_ms * 1000.0))
        roads["fix"] = RoadSpec(feed=latency)
    served = VenueHost(PROFILE, [synthetic_market(13, 15)], accounts(), START, roads=roads)
    market = FixMarket(served=served)
    watcher = market.watcher()
    copy = Copy()
    for message in watcher.ask(depth=depth, t266=aggregated):
        copy.take(message)
    chance = random.Random(int(depth))
    for number in range(60):
        served.run_until(served.now_ns + chance.randrange(80_000_000))
        side = number % 2
        best = served.books[NAME].best(side)
        assert best is not None
        away = chance.randrange(-3, 15)
        if chance.random() < 0.3:
            cancel(market, f"c{chance.randrange(number + 1)}")
        else:
            price = best[0] - away if side == BUY else best[0] + away
            add(market, side, price, chance.randrange(100_000, 90_000_000), f"c{number}")
        for message in watcher.taken():
            copy.take(message)
    assert copy.compared > 50
    if not latency_ms:
        levels = served.books[NAME].levels(BUY, int(depth))
        kept: dict[str, Decimal] = {}
        for price, size in copy.side("0"):
            kept[price] = kept.get(price, Decimal(0)) + Decimal(size)
        assert kept == {f"{price / 10:.1f}": Decimal(lots) / 10**8 for price, lots in levels}
