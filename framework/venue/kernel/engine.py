"""The kernel as Python sees it: memory, growth, and thin calls into compiled functions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np
import numpy.typing as npt

from framework.data.columns import SNAPSHOT, Columns, Market
from framework.errors import DataError, SimulationError
from framework.venue.kernel import layout, operations
from framework.venue.kernel.advance import advance
from framework.venue.kernel.feed_book import FeedBook
from framework.venue.kernel.growing import GrowingRows
from framework.venue.kernel.layout import NO_LIMIT, FeedMode, Fill, QueueModel, StopReason, TriggerKind
from framework.venue.kernel.loading import Arrays, load, told_rows
from framework.venue.latency import CompiledLatency
from framework.venue.streams import draw_u64

__all__ = ["FeedBook", "KernelOptions", "MatchingKernel"]

_REASONS = tuple(StopReason)
_FILL = StopReason.FILL
_NOW = layout.NOW
# Slots that addresses are taken for at once, so that more orders do not mean copying those that there are, which takes
# milliseconds; memory is taken by those that are used.
_SLOTS_RESERVED = 65_536
_FAR_PRICE = 2**40


class KernelOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Assumptions of the matching rules; see the package's docstring.

    queue_parameter: n of the power models. trade_after_book_ns: condition 6. trades_*: conditions 17 and 18.
    """

    queue_parameter: float = 1.0
    trade_after_book_ns: int = 0
    trades_share_ppm: int = 0
    trades_spread_ticks: int = 1
    trades_depth_lots: int = 0


class MatchingKernel:
    """Markets, own resting orders, triggers and the feed's view, walked in the order of time.

    markets: instrument number i is ``markets[i]``; their arrays are read in place and must not change.
    queue_model: for L1 and L2 books; on L3 queue places are exact.
    feed_latency: one compiled model for all instruments or one for each; None delivers at ``ts_recv_ns``.
    told_lots: for each market the quantities that the feed tells, row by row, where they are not those that the engine
        holds (None: they are); for markets by levels that do not grow.
    feed_key: key of the feed's random stream; each instrument draws from its own sub-stream.
    now_ns: time of the last stop; after END, of the last row or message.
    Raises DataError if the rows of a market are not what they should be.
    """

    def __init__(
        self,
        markets: Sequence[Market],
        *,
        queue_model: QueueModel = QueueModel.RISK_AVERSE,
        feed_latency: CompiledLatency | Sequence[CompiledLatency | None] | None = None,
        feed_key: int = 0,
        options: KernelOptions | None = None,
        told_lots: Sequence[npt.NDArray[np.int64] | None] | None = None,
    ) -> None:
        options = options or KernelOptions()
        if options.trade_after_book_ns < 0 or options.trades_spread_ticks < 0 or options.trades_depth_lots < 0:
            raise ValueError("trade_after_book_ns, trades_spread_ticks and trades_depth_lots are not negative")
        if not 0 <= options.trades_share_ppm <= 1_000_000 or not options.queue_parameter > 0:
            raise ValueError("trades_share_ppm is from 0 to 1000000, queue_parameter above 0")
        if not markets:
            raise ValueError("a kernel needs at least one market")
        self.markets = tuple(markets)
        if feed_latency is None or isinstance(feed_latency, CompiledLatency):
            feed_latency = [feed_latency] * len(markets)
        if len(feed_latency) != len(markets):
            raise ValueError(f"{len(feed_latency)} feed latencies for {len(markets)} markets")
        self._feed_latency = tuple(feed_latency)
        state = np.zeros(layout.HEADER + len(markets) * layout.BLOCK, np.int64)
        self._state = state
        self._memory = memoryview(state)
        self._address = state.ctypes.data
        self._takes = np.zeros((layout.TAKES_CAPACITY, 2), np.int64)
        self._takes_memory = memoryview(self._takes.reshape(-1))
        self._floats = np.array([options.queue_parameter, *(float(Decimal(m.spec.lot_size)) for m in markets)])
        state[layout.INSTRUMENTS] = len(markets)
        state[layout.QUEUE_MODEL] = int(queue_model)
        state[layout.TAKES] = self._takes.ctypes.data
        state[layout.FLOATS] = self._floats.ctypes.data
        state[layout.TRADE_AFTER_BOOK_NS] = options.trade_after_book_ns
        state[layout.TRADES_SHARE_PPM] = options.trades_share_ppm
        state[layout.TRADES_SPREAD_TICKS] = options.trades_spread_ticks
        state[layout.TRADES_DEPTH_LOTS] = options.trades_depth_lots
        state[layout.FEED_STOP] = -1
        state[layout.NOW] = self.now_ns = -layout.FAR_NS
        self._slots: npt.NDArray[np.int64] = np.zeros((0, layout.SLOT), np.int64)
        self._slot_floats: npt.NDArray[np.float64] = np.zeros((0, 2))
        self._fills: npt.NDArray[np.int64] = np.zeros((0, layout.FILL), np.int64)
        self._triggers: npt.NDArray[np.int64] = np.zeros((0, layout.TRIGGER), np.int64)
        self._fired: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._slot_count = 0
        self._free_slots: list[int] = []
        self._free_triggers: list[int] = []
        self._grow_slots(32)
        self._grow_triggers(16)
        self.feed_keys = tuple(draw_u64(feed_key, -1 - index) >> 1 for index in range(len(markets)))
        self._arrays: list[Arrays] = []
        self._growing: dict[int, GrowingRows] = {}
        self.books: list[FeedBook] = []
        for index, market in enumerate(self.markets):
            base = layout.HEADER + index * layout.BLOCK
            block = state[base : base + layout.BLOCK]
            self._arrays.append(load(market, block, options.trades_spread_ticks))
            block[layout.INDEX] = index
            block[layout.FEED_KEY] = self.feed_keys[index]
            latency = feed_latency[index]
            block[layout.FEED_TABLE] = latency.address if latency is not None else 0
            told = told_rows(market, block, None if told_lots is None else told_lots[index])
            operations.start(self._address, index)
            self.books.append(FeedBook(index, told, state))

    # ------------------------------------------------------------------------------------------------- time

    def advance(self, until_ns: int) -> StopReason:
        """Go on until something concerns us, at most to a time; see ``StopReason``.

        All rows and messages up to and including ``until_ns`` are applied, unless a stop comes before. A next call goes
        on exactly after the stop. Raises ValueError for a time before ``now_ns``.
        """
        if until_ns < self.now_ns:
            raise ValueError(f"time goes on: {until_ns} is before {self.now_ns}")
        reason = _REASONS[advance(self._address, until_ns)]
        self.now_ns = self._memory[_NOW]
        if reason is _FILL:
            fills, slots = self._fills_memory, self._slots_memory
            for at in range(0, layout.FILL * self._memory[layout.FILL_COUNT], layout.FILL):
                slot = fills[at]
                if slots[slot * layout.SLOT + layout.S_ACTIVE] == 0:
                    self._free_slots.append(slot)
        return reason

    def engine_row(self, instrument: int) -> int:
        """The next row of an instrument that the engine applies."""
        return self._memory[layout.HEADER + instrument * layout.BLOCK + layout.ROW]

    def rewind(self, instrument: int, first_ns: int) -> None:
        """Play an instrument's rows again, the first of them at a time; its times are moved in place.

        For a market that begins with its snapshot. Own orders that rest stay; the whole snapshot is ahead of them, and
        what comes after it is behind. Raises ValueError if rows are left to play, and for a time that is past.
        """
        base = layout.HEADER + instrument * layout.BLOCK
        memory = self._memory
        columns = self.markets[instrument].columns
        if memory[base + layout.ROW] < len(columns):
            raise ValueError(f"instrument {instrument} has rows left to play")
        if first_ns < self.now_ns:
            raise ValueError(f"time goes on: {first_ns} is before {self.now_ns}")
        shift_ns = first_ns - int(columns.ts_event_ns[0])
        for times in {id(each): each for each in (columns.ts_event_ns, columns.ts_recv_ns)}.values():
            times += shift_ns
        following = np.flatnonzero((columns.flags & SNAPSHOT) == 0)
        order_seq = memory[base + layout.ORDER_SEQ]
        for array in self._arrays[instrument]:
            if array.ctypes.data == order_seq:
                array[:] = 0
        slots = self._slots
        for slot in np.flatnonzero(
            (slots[:, layout.S_ACTIVE] != 0) & (slots[:, layout.S_INSTRUMENT] == instrument)
        ).tolist():
            # All that rests there now is ahead, so that its end, which comes first, leaves nothing ahead.
            if self.markets[instrument].depth == "L3":
                side, price_ticks = (int(slots[slot, field]) for field in (layout.S_SIDE, layout.S_PRICE))
                slots[slot, layout.S_AHEAD] = self.level(instrument, side, price_ticks)
                slots[slot, layout.S_CREDIT] = 0
            slots[slot, layout.S_SEQ] = int(following[0]) if len(following) else len(columns)
        memory[base + layout.ROW] = memory[base + layout.FEED_ROW] = memory[base + layout.FEED_REPORTED] = 0
        operations.start(self._address, instrument)

    def extend(self, instrument: int, columns: Columns) -> None:
        """Rows of an instrument that come behind those that there are, in complete messages, none before ``now_ns``.

        What follows is the same as if they had been there from the beginning. For markets of level 2, which begin with
        a snapshot. Raises DataError, and takes nothing, for rows that are not what they should be.
        """
        self._check_instrument(instrument, 0)
        if len(columns) and columns.ts_event_ns[0] < self.now_ns:
            raise DataError(f"time goes on: {columns.ts_event_ns[0]} is before {self.now_ns}")
        base = layout.HEADER + instrument * layout.BLOCK
        growing = self._growing.get(instrument)
        if growing is None:
            block = self._state[base : base + layout.BLOCK]
            growing = GrowingRows(self.markets[instrument], block, self._arrays[instrument], self.books[instrument])
            self._growing[instrument] = growing
        growing.append(columns, self._slots, self._memory[layout.TRADE_AFTER_BOOK_NS])
        if self._memory[base + layout.FEED_NEXT] == layout.FAR_NS:
            operations.start(self._address, instrument)

    # ------------------------------------------------------------------------------------------------- own orders

    def place(self, instrument: int, side: int, price_ticks: int, qty_lots: int, display_lots: int = 0) -> int:
        """An own order joins the back of the queue; returns its slot, which is its own until it is removed or filled.

        display_lots: visible part of an iceberg, 0 for all. Nothing is taken: take first what the order crosses (what
        is left crossing trades at the next book row, condition 7).
        """
        self._check_instrument(instrument, side)
        if not 0 < qty_lots < 2**60 or display_lots < 0 or abs(price_ticks) > _FAR_PRICE:
            raise ValueError(f"cannot place {qty_lots} lots, {display_lots} displayed, at {price_ticks} ticks")
        if not self._free_slots:
            self._grow_slots(2 * self._slot_count)
        slot = self._free_slots.pop()
        operations.place(self._address, instrument, slot, side, price_ticks, qty_lots, display_lots)
        return slot

    def remove(self, slot: int) -> int:
        """An own order leaves the book; returns what was left of it."""
        self._check_slot(slot)
        leaves = operations.remove(self._address, slot)
        self._free_slots.append(slot)
        return leaves

    def reduce(self, slot: int, leaves_lots: int) -> None:
        """An own order has less left, and keeps its place."""
        self._check_slot(slot)
        if not 0 < leaves_lots <= self._slots[slot, layout.S_LEAVES]:
            raise ValueError(
                f"slot {slot} has {self._slots[slot, layout.S_LEAVES]} lots left, not more than {leaves_lots}"
            )
        operations.resize(self._address, slot, leaves_lots, int(self._slots[slot, layout.S_DISPLAY]))

    def set_display(self, slot: int, display_lots: int) -> None:
        """Another display quantity; a smaller one applies at once, a larger one from the next slice, 0 shows all."""
        self._check_slot(slot)
        if display_lots < 0:
            raise ValueError(f"display quantity {display_lots} is negative")
        operations.resize(self._address, slot, int(self._slots[slot, layout.S_LEAVES]), display_lots)

    def leaves(self, slot: int) -> int:
        """Lots left of an own order; 0 once it is filled or removed."""
        return self._slots_memory[slot * layout.SLOT + layout.S_LEAVES]

    def visible(self, slot: int) -> int:
        """Lots that the book would show of an own order."""
        return self._slots_memory[slot * layout.SLOT + layout.S_VISIBLE]

    def ahead(self, slot: int) -> float:
        """Market lots ahead of an own order: whole where they are exact or risk-averse, a fraction by the other models,
        ``UNKNOWN_AHEAD`` where the book does not tell.
        """
        self._check_slot(slot)
        return operations.ahead(self._address, slot)

    def fills(self) -> list[Fill]:
        """What the row of the last stop filled, in the order of priority; one entry for each order."""
        memory, size = self._fills_memory, layout.FILL
        return [Fill(*memory[at : at + size]) for at in range(0, size * self._memory[layout.FILL_COUNT], size)]

    # ------------------------------------------------------------------------------------------------- taking

    def take(
        self, instrument: int, side: int, qty_lots: int, limit_ticks: int = NO_LIMIT, *, is_all_or_none: bool = False
    ) -> list[tuple[int, int]]:
        """An own order of this side takes market liquidity at its limit or better; never own orders.

        limit_ticks: the worst price, or NO_LIMIT. is_all_or_none: take nothing if less than qty_lots is available.
        Returns (price in ticks, lots), best price first.
        """
        self._check_instrument(instrument, side)
        limit = _limit(side, limit_ticks)
        if is_all_or_none and operations.available(self._address, instrument, side, limit, qty_lots) < qty_lots:
            return []
        taken: list[tuple[int, int]] = []
        left = qty_lots
        while left > 0:
            count = operations.take(self._address, instrument, side, left, limit)
            memory = self._takes_memory
            for at in range(0, 2 * count, 2):
                taken.append((memory[at], memory[at + 1]))
                left -= memory[at + 1]
            if count < layout.TAKES_CAPACITY:
                break
        return taken

    def available(self, instrument: int, side: int, limit_ticks: int = NO_LIMIT) -> int:
        """Lots of market liquidity that an order of this side could take at its limit or better."""
        self._check_instrument(instrument, side)
        return operations.available(self._address, instrument, side, _limit(side, limit_ticks), layout.FAR_NS)

    def best(self, instrument: int, side: int) -> tuple[int, int] | None:
        """The engine's best price in ticks and the lots available at it; None for an empty side. Without own orders."""
        self._check_instrument(instrument, side)
        if not operations.best(self._address, instrument, side):
            return None
        return self._takes_memory[0], self._takes_memory[1]

    def level(self, instrument: int, side: int, price_ticks: int) -> int:
        """Lots available at a price in the engine's book."""
        self._check_instrument(instrument, side)
        return operations.level(self._address, instrument, side, price_ticks) if abs(price_ticks) <= _FAR_PRICE else 0

    def levels(self, instrument: int, side: int, most: int) -> list[tuple[int, int]]:
        """Up to ``most`` best levels of the engine's book: price in ticks and lots available."""
        self._check_instrument(instrument, side)
        pairs = np.empty((most, 2), np.int64)
        count = operations.levels(self._address, instrument, side, 0, most, pairs.ctypes.data)
        return [(price, lots) for price, lots in pairs[:count].tolist()]

    def orders(self, instrument: int, side: int, most: int) -> npt.NDArray[np.int64]:
        """What rests in up to ``most`` best levels of the engine's book, own orders included, by price and queue.

        Rows of price in ticks, lots shown, order, since. order: number of a recorded order, 0 for a whole level of a
        market that is not known by orders (it stands before own ones), -1 - slot for an own one. since: 1 + the row in
        which it joined its queue, 0 for a recorded order from a snapshot; an own order is behind the rows before.
        """
        self._check_instrument(instrument, side)
        room = 256
        while True:
            rows = np.empty((room, 4), np.int64)
            count = operations.orders(self._address, instrument, side, most, rows.ctypes.data, room)
            if count <= room:
                return rows[:count]
            room = 2 * count

    def is_recorded(self, instrument: int, order: int) -> bool:
        """Whether a recorded order is in the engine's book, be it that own orders took all of it."""
        if self.markets[instrument].depth != "L3" or not 0 < order < len(self.markets[instrument].columns) + 1:
            raise ValueError(f"instrument {instrument} has no recorded order {order}")
        return operations.recorded(self._address, instrument, order) > 0

    def last_trade(self, instrument: int) -> tuple[int, int, int, int] | None:
        """The engine's last trade: price in ticks, lots, aggressor's side, ts_event_ns; None before the first."""
        at = layout.HEADER + instrument * layout.BLOCK + layout.LAST_PRICE
        memory = self._memory
        return (memory[at], memory[at + 1], memory[at + 2], memory[at + 3]) if memory[at + 1] else None

    # ------------------------------------------------------------------------------------------------- triggers

    def watch(self, instrument: int, kind: TriggerKind, trigger_ticks: int | None = None, offset: int = 0) -> int:
        """Stop the advance when the last trade price reaches a trigger; returns the trigger's number.

        trigger_ticks: the trigger price; for trailing kinds the price to trail from, None for the last trade's (or the
        next one's if there was none). offset: of trailing kinds, in ticks or millionths. A trigger fires once, at a
        trade after now; its number is free again after ``unwatch``.
        """
        self._check_instrument(instrument, 0)
        is_trailing = kind not in (TriggerKind.AT_OR_ABOVE, TriggerKind.AT_OR_BELOW)
        if trigger_ticks is None:
            if not is_trailing:
                raise ValueError(f"a trigger of kind {kind.name} needs a trigger price")
            last = self.last_trade(instrument)
            falls = kind in (TriggerKind.TRAIL_FALL_TICKS, TriggerKind.TRAIL_FALL_PPM)
            trigger_ticks = last[0] if last is not None else -_FAR_PRICE if falls else _FAR_PRICE
        if abs(trigger_ticks) > _FAR_PRICE or not 0 <= offset <= _FAR_PRICE:
            raise ValueError(f"trigger price {trigger_ticks} or offset {offset} is out of range")
        if not self._free_triggers:
            self._grow_triggers(2 * len(self._triggers))
        number = self._free_triggers.pop()
        self._triggers[number] = (1, instrument, int(kind), trigger_ticks, offset)
        self._memory[layout.HEADER + instrument * layout.BLOCK + layout.TRIGGERS_ACTIVE] += 1
        return number

    def unwatch(self, number: int) -> None:
        """Disarm a trigger, fired or not, and free its number."""
        if not 0 <= number < len(self._triggers) or number in self._free_triggers:
            raise ValueError(f"there is no trigger {number}")
        if self._triggers[number, layout.T_ACTIVE]:
            instrument = int(self._triggers[number, layout.T_INSTRUMENT])
            self._memory[layout.HEADER + instrument * layout.BLOCK + layout.TRIGGERS_ACTIVE] -= 1
            self._triggers[number, layout.T_ACTIVE] = 0
        self._free_triggers.append(number)

    def trigger_ticks(self, number: int) -> int:
        """The price at which a trigger fires now: the least favourable whole tick that reaches it."""
        _, _, kind, watched, offset = self._triggers[number].tolist()
        if kind == TriggerKind.TRAIL_FALL_TICKS:
            return int(watched - offset)
        if kind == TriggerKind.TRAIL_RISE_TICKS:
            return int(watched + offset)
        if kind == TriggerKind.TRAIL_FALL_PPM:
            return int(watched * (1_000_000 - offset) // 1_000_000)
        if kind == TriggerKind.TRAIL_RISE_PPM:
            return int(-(-watched * (1_000_000 + offset) // 1_000_000))
        return int(watched)

    def peak_ticks(self, number: int) -> int:
        """The price that a trailing trigger follows: the highest or lowest trade since it has been watched."""
        return int(self._triggers[number, layout.T_PRICE])

    def fired(self) -> list[int]:
        """The triggers that the row of the last stop fired, by number."""
        count = self._memory[layout.FIRED_COUNT]
        return self._fired[:count].tolist() if count else []

    # ------------------------------------------------------------------------------------------------- feed

    def subscribe_feed(self, instrument: int, mode: FeedMode, interval_ns: int = 0) -> None:
        """Which deliveries stop the advance from now on; FeedMode.NONE for none. The view is kept up in any case.

        interval_ns: for FeedMode.INTERVAL, above 0.
        """
        self._check_instrument(instrument, 0)
        if FeedMode.INTERVAL in mode and interval_ns <= 0:
            raise ValueError(f"interval_ns {interval_ns} is not above 0")
        base = layout.HEADER + instrument * layout.BLOCK
        self._memory[base + layout.FEED_MODE] = int(mode)
        self._memory[base + layout.FEED_INTERVAL] = interval_ns
        self._memory[base + layout.FEED_DUE] = layout.FAR_NS
        self._memory[base + layout.FEED_REPORTED] = self._memory[base + layout.FEED_ROW]

    @property
    def feed_stop(self) -> tuple[int, FeedMode]:
        """The instrument whose feed stopped the advance last (-1 for none yet), and the modes that asked for it."""
        return self._memory[layout.FEED_STOP], FeedMode(self._memory[layout.FEED_STOP_MODE])

    @property
    def feed_stop_bits(self) -> tuple[int, int]:
        """``feed_stop`` with the modes as a plain integer, for who is called at every stop."""
        return self._memory[layout.FEED_STOP], self._memory[layout.FEED_STOP_MODE]

    # ------------------------------------------------------------------------------------------------- state

    @property
    def address(self) -> int:
        """What compiled functions of this package take as ``state``; valid while this object lives."""
        return self._address

    def state_hash(self) -> str:
        """A digest of all that later behaviour depends on, equal for equal inputs on any machine."""
        state = self._state.copy()
        state[list(layout.ADDRESSES_HEADER)] = 0
        for index in range(len(self.markets)):
            state[[layout.HEADER + index * layout.BLOCK + field for field in layout.ADDRESSES_BLOCK]] = 0
        digest = hashlib.blake2b(state.tobytes(), digest_size=16)
        for array in (self._slots[: self._slot_count], self._slot_floats[: self._slot_count], self._triggers):
            digest.update(array.tobytes())
        for arrays in self._arrays:
            for kept in arrays[layout.ROWS :]:
                digest.update(kept.tobytes())
        return digest.hexdigest()

    # ------------------------------------------------------------------------------------------------- memory

    def _grow_slots(self, capacity: int) -> None:
        old, self._slot_count = self._slot_count, capacity
        self._free_slots.extend(range(capacity - 1, old - 1, -1))
        if capacity <= len(self._slots):
            return
        reserved = max(capacity, _SLOTS_RESERVED)
        self._slots = _grown(self._slots, reserved)
        self._slot_floats = _grown(self._slot_floats, reserved)
        self._fills = _grown(self._fills, reserved)
        self._slots_memory = memoryview(self._slots.reshape(-1))
        self._fills_memory = memoryview(self._fills.reshape(-1))
        self._state[layout.SLOTS] = self._slots.ctypes.data
        self._state[layout.SLOT_FLOATS] = self._slot_floats.ctypes.data
        self._state[layout.FILLS] = self._fills.ctypes.data

    def _grow_triggers(self, capacity: int) -> None:
        old = len(self._triggers)
        self._triggers = _grown(self._triggers, capacity)
        self._fired = _grown(self._fired, capacity)
        self._state[layout.TRIGGERS] = self._triggers.ctypes.data
        self._state[layout.FIRED] = self._fired.ctypes.data
        self._state[layout.TRIGGER_COUNT] = capacity
        self._free_triggers.extend(range(capacity - 1, old - 1, -1))

    def _check_instrument(self, instrument: int, side: int) -> None:
        if not 0 <= instrument < len(self.markets) or not 0 <= side <= 1:
            raise ValueError(f"there is no instrument {instrument} or no side {side}")

    def _check_slot(self, slot: int) -> None:
        at = slot * layout.SLOT + layout.S_ACTIVE
        if not 0 <= at < len(self._slots_memory) or self._slots_memory[at] == 0:
            raise SimulationError(f"no own order rests in slot {slot}")


def _grown[T: np.generic](array: npt.NDArray[T], capacity: int) -> npt.NDArray[T]:
    grown = np.zeros((capacity, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


def _limit(side: int, limit_ticks: int) -> int:
    if limit_ticks == NO_LIMIT:
        return NO_LIMIT if side == 0 else -NO_LIMIT
    return min(max(limit_ticks, -NO_LIMIT), NO_LIMIT)
