"""A few connections of HTTP that are kept open, so that a request is written to a socket at once.

A request is made when it is written, so that its nonce is the newest one on any connection; it is written in the call
that asks for it if a connection is free, else as soon as one is, the urgent ones first. It is never written twice: what
becomes of one that is lost is not known here.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.http import Answer, AnswerReader, HttpError, Request
from adapters.kraken.client.streams import Connect, Stream
from framework.execution.link import Clock

__all__ = ["Call", "HttpPool", "HttpPort", "Loss"]

# A connection that stood so long is no failure when it ends: idle ones are closed by the other end.
_STEADY_NS = 1_000_000_000
# What was written so long ago has arrived, if it ever does.
_SETTLED_NS = 500_000_000


class Loss(enum.Enum):
    """Why no answer comes. UNSENT: the request was never written. OVERDUE: none came in time. DROPPED: the connection
    ended. After the last two the request may have had its effect, or have it yet.
    """

    UNSENT = enum.auto()
    OVERDUE = enum.auto()
    DROPPED = enum.auto()


class Call:
    """One request and who waits for its answer.

    make: the request, made as it is written. timeout_ns: patience with being written, and then with the answer.
    on_answer: status and body. on_lost: what happened, and in words. is_urgent: written before others that wait.
    is_ordered: it must not be overtaken, for it has a nonce. is_wanted: whether it is to be written still; None for
    always.
    """

    __slots__ = ("is_ordered", "is_urgent", "is_wanted", "make", "on_answer", "on_lost", "timeout_ns")

    def __init__(
        self,
        make: Callable[[], Request],
        timeout_ns: int,
        on_answer: Callable[[int, bytes], None],
        on_lost: Callable[[Loss, str], None],
        *,
        is_urgent: bool = False,
        is_ordered: bool = True,
        is_wanted: Callable[[], bool] | None = None,
    ) -> None:
        self.is_ordered = is_ordered
        self.is_wanted = is_wanted
        self.make = make
        self.timeout_ns = timeout_ns
        self.on_answer = on_answer
        self.on_lost = on_lost
        self.is_urgent = is_urgent


class HttpPort(Protocol):
    """Where calls go."""

    def call(self, call: Call) -> None:
        """Write a request as soon as it can be."""
        ...

    def close(self) -> None:
        """Give all connections up."""
        ...


class HttpPool:
    """Connections to one host.

    count: how many are kept. Requests on several may overtake each other, so an API key needs a nonce window then. With
    one there is a second in reserve for urgent requests, so that one answer which does not come cannot hold them up; it
    is used once what is in flight was written so long ago that it cannot be overtaken any more.
    """

    def __init__(self, connect: Connect, host: str, clock: Clock, *, count: int = 1, seed: int = 0) -> None:
        self._connect = connect
        self._host = host
        self._clock = clock
        self._urgent: deque[Call] = deque()
        self._waiting: deque[Call] = deque()
        self._is_in_order = count == 1
        self._slots = [_Slot(self, BackOff(seed + number, steady_ns=_STEADY_NS)) for number in range(max(2, count))]
        # Those that carry every request, and not the urgent ones alone.
        self._common = self._slots[:count]
        self._look_ns: int | None = None
        self._is_closed = False

    def warm(self) -> None:
        """Connect now, so that the first request need not wait."""
        for slot in self._slots:
            slot.ensure()

    def call(self, call: Call) -> None:
        queue = self._urgent if call.is_urgent else self._waiting
        queue.append(call)
        self.dispatch()
        if call in queue:
            self._clock.call_at(self._clock.now_ns + call.timeout_ns, lambda: self._expire(queue, call))
            self.warm()

    def close(self) -> None:
        self._is_closed = True
        for slot in self._slots:
            slot.close()
        self.fail("the pool was closed")

    def dispatch(self) -> None:
        """Write what can be written now, the urgent ones first."""
        while self._urgent or self._waiting:
            is_common_up = any(slot.is_standing for slot in self._common)
            slot = self._free_slot(self._common if is_common_up and not self._urgent else self._slots)
            if slot is None:
                break
            call = (self._urgent or self._waiting).popleft()
            if call.is_wanted is None or call.is_wanted():
                slot.write(call)
            else:
                self._clock.call_at(self._clock.now_ns, partial(call.on_lost, Loss.UNSENT, "it is not wanted any more"))
        if self._is_in_order and (self._urgent or self._waiting):
            self._look_again()

    def fail(self, reason: str) -> None:
        """No connection can be had: nothing that waits has been written."""
        waiting = [*self._urgent, *self._waiting]
        self._urgent.clear()
        self._waiting.clear()
        for call in waiting:
            call.on_lost(Loss.UNSENT, reason)

    def is_hopeless(self) -> bool:
        """Whether no connection stands."""
        return not any(slot.is_standing for slot in self._slots)

    @property
    def has_waiting(self) -> bool:
        """Whether requests wait for a connection."""
        return bool(self._urgent or self._waiting)

    def begin(self, slot: _Slot) -> Stream | None:
        """Begin to connect, unless all is over."""
        return None if self._is_closed else self._connect(slot)

    @property
    def clock(self) -> Clock:
        """The time."""
        return self._clock

    @property
    def host(self) -> str:
        """The host that requests name."""
        return self._host

    # ------------------------------------------------------------------------------------------------- within

    def _free_slot(self, slots: Sequence[_Slot]) -> _Slot | None:
        """The first one that a request may be written to now."""
        now_ns = self._clock.now_ns
        for slot in slots:
            if slot.is_free and (
                not self._is_in_order or all(other is slot or other.settled_ns <= now_ns for other in self._slots)
            ):
                return slot
        return None

    def _look_again(self) -> None:
        """Requests wait: look when what is in flight cannot be overtaken any more."""
        now_ns = self._clock.now_ns
        settled_ns = max(slot.settled_ns for slot in self._slots)
        if now_ns < settled_ns and self._look_ns != settled_ns:
            self._look_ns = settled_ns
            self._clock.call_at(settled_ns, self.dispatch)

    def _expire(self, queue: deque[Call], call: Call) -> None:
        """A request that has waited too long is not written any more."""
        if call in queue:
            queue.remove(call)
            call.on_lost(Loss.UNSENT, "no connection was free in time")


class _Slot:
    """One connection of the pool, made again when it ends.

    settled_ns: from when on the last request that was written on it cannot be overtaken any more; 0 once its answer has
    come, and for one that may be.
    """

    def __init__(self, pool: HttpPool, backoff: BackOff) -> None:
        self.settled_ns = 0
        self._pool = pool
        self._backoff = backoff
        self._stream: Stream | None = None
        self._reader = AnswerReader()
        self._call: Call | None = None
        self._is_open = False
        self._is_pausing = False
        self._number = 0

    @property
    def is_free(self) -> bool:
        return self._is_open and self._call is None

    @property
    def is_standing(self) -> bool:
        return self._is_open

    def ensure(self) -> None:
        """Have a connection, or be on the way to one."""
        if self._stream is not None or self._is_pausing:
            return
        pause_ns = self._backoff.pause_ns()
        if pause_ns:
            self._is_pausing = True
            self._pool.clock.call_at(self._pool.clock.now_ns + pause_ns, self._resume)
        else:
            self._start()

    def _resume(self) -> None:
        self._is_pausing = False
        if self._stream is None:
            self._start()

    def _start(self) -> None:
        self._reader = AnswerReader()
        self._is_open = False
        self._stream = self._pool.begin(self)

    def write(self, call: Call) -> None:
        assert self._stream is not None
        pool = self._pool
        try:
            data = call.make().encode(pool.host)
        except OSError as error:  # its nonce cannot be kept
            reason = str(error)
            pool.clock.call_at(pool.clock.now_ns, lambda: call.on_lost(Loss.UNSENT, reason))
            return
        self._call = call
        self._number += 1
        number, now_ns = self._number, pool.clock.now_ns
        self.settled_ns = now_ns + _SETTLED_NS if call.is_ordered else 0
        self._stream.write(data)
        pool.clock.call_at(now_ns + call.timeout_ns, lambda: self._on_timeout(number))

    def close(self) -> None:
        self._drop("the pool was closed")

    # ------------------------------------------------------------------------------------------------- the stream's

    def opened(self) -> None:
        self._is_open = True
        self._backoff.opened(self._pool.clock.now_ns)
        self._pool.dispatch()

    def received(self, data: bytes) -> None:
        try:
            for answer in self._reader.feed(data):
                self._on_answer(answer)
        except HttpError as error:
            self._drop(str(error))

    def closed(self, reason: str) -> None:
        answer = self._reader.end()
        if answer is not None:
            self._on_answer(answer)
        self._stream = None
        self._lost(reason)

    # ------------------------------------------------------------------------------------------------- within

    def _on_answer(self, answer: Answer) -> None:
        call, self._call = self._call, None
        self._number += 1
        if call is None:
            self._drop("an answer came that nobody had asked for")
            return
        self.settled_ns = 0
        if answer.is_last:
            self._drop("the venue closes the connection")
        call.on_answer(answer.status, answer.body)
        self._pool.dispatch()

    def _on_timeout(self, number: int) -> None:
        """An answer is overdue; a late one could not be told from the next, so the connection is given up."""
        if number == self._number and self._call is not None:
            self._drop("no answer in time", Loss.OVERDUE)

    def _drop(self, reason: str, loss: Loss = Loss.DROPPED) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._lost(reason, loss)

    def _lost(self, reason: str, loss: Loss = Loss.DROPPED) -> None:
        was_open, self._is_open = self._is_open, False
        self._backoff.ended(self._pool.clock.now_ns)
        call, self._call = self._call, None
        self._number += 1
        if not was_open and self._pool.is_hopeless():
            self._pool.fail(reason)
        if call is not None:
            call.on_lost(loss, reason)
        if was_open or self._pool.has_waiting:
            self.ensure()
