"""The synthetic market as a sequence of rows: what it contains, that it hangs together, and that a seed fixes it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from framework.data.columns import (
    ADD,
    CLEAR,
    COLUMN_TYPES,
    DELETE,
    EXECUTED,
    LAST,
    LEVEL,
    MODIFY,
    SNAPSHOT,
    TRADE,
    Columns,
    Market,
)
from framework.data.synthetic import (
    DEFAULT,
    SyntheticParameters,
    synthetic_l2,
    synthetic_l2_rows,
    synthetic_market,
)
from framework.protocol import BUY, SELL

_CHECKOUT = Path(__file__).resolve().parents[3]


def _sha256(columns: Columns) -> str:
    digest = hashlib.sha256()
    for name in COLUMN_TYPES:
        digest.update(np.ascontiguousarray(getattr(columns, name)).tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def market() -> Market:
    return synthetic_market(11, 120)


class _ObviousBook:
    """Every order of both sides in one dict, queues as lists; says what is wrong with a row."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[int, int, int]] = {}
        self.queues: dict[tuple[int, int], list[int]] = {}

    def best(self, side: int) -> int | None:
        prices = [price for s, price in self.queues if s == side]
        return None if not prices else max(prices) if side == BUY else min(prices)

    def add(self, order_id: int, side: int, price: int, qty: int) -> None:
        assert order_id not in self.orders
        self.orders[order_id] = (side, price, qty)
        self.queues.setdefault((side, price), []).append(order_id)

    def remove(self, order_id: int) -> None:
        side, price, _ = self.orders.pop(order_id)
        queue = self.queues[side, price]
        queue.remove(order_id)
        if not queue:
            del self.queues[side, price]


def test_rows_hang_together_when_replayed_through_an_obvious_book(market: Market) -> None:
    """Never crossed, trades hit the first order of the best queue, what a trade took is missing afterwards."""
    c = market.columns
    book = _ObviousBook()
    owed: tuple[int, int] | None = None  # the order that the trade before this row hit, and what it must have left
    executed = withdrawn = 0
    for kind, side, price, qty, order_id, flags in zip(
        *(getattr(c, n).tolist() for n in ("kind", "side", "price_ticks", "qty_lots", "order_id", "flags")), strict=True
    ):
        if owed is not None:
            assert kind in (MODIFY, DELETE)
            assert flags & EXECUTED
            assert owed == (order_id, qty)
            assert (kind == DELETE) == (qty == 0)
            executed += 1
        else:
            assert not flags & EXECUTED
        if kind == TRADE:
            passive, resting_price, left = book.orders[order_id]
            assert passive == BUY + SELL - side
            assert price == resting_price == book.best(passive)
            assert book.queues[passive, price][0] == order_id
            assert 0 < qty <= left
            owed = (order_id, left - qty)
            continue
        if kind == ADD:
            other = book.best(BUY + SELL - side)
            assert other is None or (price < other if side == BUY else price > other)
            assert qty >= market.spec.min_qty_lots
            book.add(order_id, side, price, qty)
        elif kind == MODIFY:
            assert book.orders[order_id][:2] == (side, price)
            assert 0 < qty < book.orders[order_id][2]
            book.orders[order_id] = (side, price, qty)
        elif kind == DELETE:
            assert book.orders[order_id][:2] == (side, price)
            if owed is None:
                assert book.orders[order_id][2] == qty
                withdrawn += 1
            book.remove(order_id)
        owed = None
    assert executed > 50
    assert withdrawn > 5_000
    assert book.best(BUY) is not None
    assert book.best(SELL) is not None


def test_a_market_starts_with_a_snapshot_that_is_one_message(market: Market) -> None:
    c = market.columns
    snapshot = int(np.count_nonzero(c.flags & SNAPSHOT))
    assert snapshot > 500
    assert c.kind[0] == CLEAR
    assert (c.side[0], c.price_ticks[0], c.qty_lots[0], c.order_id[0]) == (0, 0, 0, 0)
    assert (c.kind[1:snapshot] == ADD).all()
    assert (c.flags[: snapshot - 1] == SNAPSHOT).all()
    assert c.flags[snapshot - 1] == SNAPSHOT | LAST
    assert (c.ts_event_ns[:snapshot] == DEFAULT.start_ts_ns).all()


def test_order_ids_are_dense_in_order_of_first_appearance(market: Market) -> None:
    c = market.columns
    added = c.order_id[c.kind == ADD]
    assert added.tolist() == list(range(1, len(added) + 1))


def test_times_never_go_back_and_stay_within_the_duration(market: Market) -> None:
    c = market.columns
    assert (np.diff(c.ts_event_ns) >= 0).all()
    assert c.ts_event_ns[-1] < DEFAULT.start_ts_ns + 120 * 10**9
    assert c.ts_event_ns[-1] > DEFAULT.start_ts_ns + 119 * 10**9
    assert (c.ts_recv_ns == c.ts_event_ns).all()


def test_the_last_row_ends_a_message_and_a_trade_never_does(market: Market) -> None:
    c = market.columns
    assert c.flags[-1] & LAST
    assert not (c.flags[c.kind == TRADE] & LAST).any()


def test_columns_have_the_types_and_the_market_the_facts_that_readers_expect(market: Market) -> None:
    assert {name: getattr(market.columns, name).dtype.type for name in COLUMN_TYPES} == COLUMN_TYPES
    assert (market.depth, market.has_trades) == ("L3", True)
    spec = market.spec
    assert (spec.symbol, spec.venue, spec.tick_size, spec.lot_size) == ("BTC/USD", "synthetic", "0.1", "0.00000001")
    assert (spec.min_qty_lots, spec.min_cost) == (5000, "0.5")


def test_one_seed_gives_the_same_bits_in_processes_with_different_hash_seeds() -> None:
    code = (
        "import hashlib, numpy as np\n"
        "from framework.data.columns import COLUMN_TYPES\n"
        "from framework.data.synthetic import synthetic_market\n"
        "c = synthetic_market(5, 20).columns\n"
        "d = hashlib.sha256()\n"
        "[d.update(np.ascontiguousarray(getattr(c, n)).tobytes()) for n in COLUMN_TYPES]\n"
        "print(d.hexdigest())\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=_CHECKOUT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("0", "4242")
    ]
    assert told == [_sha256(synthetic_market(5, 20).columns)] * 2


def test_the_bits_of_one_seed_are_these_on_every_machine() -> None:
    assert _sha256(synthetic_market(1, 10).columns) == (
        "d62b138e18cc0c94195a1235a99f6c1137729e662f26315041b9325fc95c0017"
    )


def test_different_seeds_give_different_markets() -> None:
    assert len({_sha256(synthetic_market(seed, 5).columns) for seed in range(4)}) == 4


def test_a_shorter_market_is_the_beginning_of_a_longer_one(market: Market) -> None:
    shorter = synthetic_market(11, 30).columns
    for name in COLUMN_TYPES:
        assert (getattr(shorter, name) == getattr(market.columns, name)[: len(shorter)]).all()


def test_a_parameter_changes_the_market_and_its_instrument() -> None:
    slow = msgspec.structs.replace(
        DEFAULT, limit_rate_mhz=5_000, spec=msgspec.structs.replace(DEFAULT.spec, symbol="A/B")
    )
    other = synthetic_market(1, 60, slow)
    assert other.spec.symbol == "A/B"
    assert len(other.columns) < len(synthetic_market(1, 60).columns) * 0.75


@pytest.mark.parametrize("duration_s", [0, -5, 86_401])
def test_a_duration_out_of_range_is_refused(duration_s: int) -> None:
    with pytest.raises(ValueError, match="lasts from 1 to 86400 s"):
        synthetic_market(1, duration_s)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_rate_mhz", 0),
        ("jump_rate_mhz", 10**9),
        ("snipe_share_per_mille", 1001),
        ("atom_share_per_mille", (600, 600, 0, 0, 0, 0, 0)),
        ("reaction_ns", (0, 5, 4, 6, 7, 8, 9, 10, 11, 12, 13)),
        ("band_life_ns", ((0, 5, 4, 6, 7, 8, 9, 10, 11, 12, 13),) * 5),
        ("regime_speed_per_mille", (0, 1000, 1000)),
    ],
)
def test_a_parameter_that_cannot_be_computed_with_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="regime" if name.startswith("regime") else name):
        SyntheticParameters(**{name: value})


def test_a_table_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="atom_lots has shape"):
        synthetic_market(1, 1, SyntheticParameters(atom_lots=(1, 2), atom_share_per_mille=(1, 2)))


def test_a_market_by_rows_has_them_all_and_ends_with_a_message() -> None:
    wanted = 300_000
    told = synthetic_l2_rows(3, wanted)
    c = told.columns
    assert told.depth == "L2"
    assert wanted - 800 < len(c) <= wanted
    assert c.flags[-1] & LAST
    assert set(np.unique(c.kind)) == {CLEAR, LEVEL, TRADE}


def test_a_market_by_rows_is_the_beginning_of_the_market_by_time() -> None:
    by_rows = synthetic_l2_rows(11, 20_000).columns
    by_time = synthetic_l2(synthetic_market(11, 120)).columns
    assert len(by_time) > 20_000
    assert (by_rows.qty_lots == by_time.qty_lots[: len(by_rows)]).all()


def test_a_market_by_rows_is_refused_below_what_a_snapshot_takes() -> None:
    with pytest.raises(ValueError, match="from 10,000 to 25,000,000 rows, not 9999"):
        synthetic_l2_rows(1, 9_999)
