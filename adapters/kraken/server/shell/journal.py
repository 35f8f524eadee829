"""The journal of a served venue, from the options that begin or resume one to the moment that the venue goes on.

A resumed venue is what its journal says: market, seed, latencies, accounts, money and keys come from there, and an
option that says otherwise is refused. Where it listens, how fast its time runs and other things of the outside are
options of each start. The time that it was down has passed in its market too, at its speed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.control.served_faults import ServedFaults
from adapters.kraken.server.fix.gateway import FixGateway
from adapters.kraken.server.keys import ApiKey, KeyFile, key_file, keys_of
from adapters.kraken.server.shell.pump import Pump
from framework.errors import ConfigError, JournalError
from framework.venue.served.journal import Journal, JournalHeader
from framework.venue.served.journaled import JournaledHost, Replayed

if TYPE_CHECKING:
    from adapters.kraken.server.shell.serve import ServeOptions

__all__ = ["JOURNAL_NAME", "VenueJournal"]

JOURNAL_NAME = "venue.journal"
_KEYS = "keys"


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue is made of, beside the program. market: ``synthetic``, or the whole path of a store."""

    market: str
    seed: int
    latency: str
    is_reordered: bool
    tier: str
    balances: Mapping[str, Decimal]
    keys: KeyFile


class VenueJournal:
    """The journal of one run of a venue.

    options: those of the run, with what the journal says. start_ns: the venue's time when it began. keys: those of the
    journal, none of a new one.
    """

    def __init__(self, options: ServeOptions, now_ns: int) -> None:
        """Raises ConfigError and JournalError for a journal that cannot be had."""
        if options.journal is None:
            raise ConfigError("--resume needs the journal that is to be resumed; give --journal")
        path = options.journal
        self._path = path / JOURNAL_NAME if path.is_dir() else path
        self._is_forced = options.is_journal_forced
        self._journal: Journal | None = None
        self.options = options
        self.start_ns = now_ns
        self.keys: Sequence[ApiKey] = ()
        if options.is_resumed:
            self._reopen()

    def _reopen(self) -> None:
        journal = self._journal = Journal.reopen(self._path, is_forced=self._is_forced)
        try:
            settings = msgspec.msgpack.decode(journal.header.settings, type=VenueSettings)
        except msgspec.MsgspecError:
            raise JournalError(
                f"{self._path}: what it says of its venue is of another version of this program"
            ) from None
        defaults = type(self.options)()
        for name in ("market", "seed", "latency", "is_reordered", "tier", "balances"):
            given, kept = _comparable(self.options, name), getattr(settings, name)
            if given not in (getattr(defaults, name), kept):
                option = {"is_reordered": "reorder"}.get(name, name)
                raise ConfigError(f"--{option}: the venue of {self._path} was begun with another; leave the option out")
        for name, option in (("keys", "--keys"), ("account_count", "--accounts")):
            if getattr(self.options, name) != getattr(defaults, name):
                raise ConfigError(f"{option}: the venue of {self._path} has its own; leave the option out")
        self.start_ns = journal.header.start_ns
        self.keys = keys_of(settings.keys, str(self._path))
        kept = {name: getattr(settings, name) for name in settings.__struct_fields__ if name != "keys"}
        self.options = msgspec.structs.replace(self.options, **kept)

    def open(self, context: ServerContext, fix: FixGateway, pump: Pump, faults: ServedFaults) -> str:
        """Begin the journal, or bring the venue to the present with it. Returns what there is to say of it.

        pump: of the venue; its clock is put right. Raises ConfigError and JournalError where the venue cannot go on.
        """
        host = context.host
        assert isinstance(host, JournaledHost)
        host.kept_by[_KEYS] = context.keys.recall_nonce
        host.kept_by[faults.owner] = faults.recall
        pump.on_beat.append(host.beat)

        def keep(data: bytes) -> None:
            host.keep(_KEYS, data)
            host.commit()  # a refusal may be all that comes of it

        context.keys.keep_nonces(keep)
        if self._journal is None:
            self._journal = self._begin(context, host)
            host.record(self._journal)
            return f"{self._path}, a new one"
        if self._journal.header.market_digest != host.market_digest:
            raise ConfigError(
                f"--market {self.options.market}: it is not the market any more that the venue of {self._path} was "
                "begun with; put that back"
            )
        replayed = host.replay(self._journal)
        if replayed.torn_bytes:
            print(
                f"notice: {self._path}: its last record was torn ({replayed.torn_bytes} bytes) and is cut off; nothing "
                "of it was acknowledged",
                file=sys.stderr,
            )
        fix.recalled()
        faults.recalled()
        host.drop_lines(lasting=("rest",))
        host.run_until(max(host.now_ns, self._present_ns(replayed)))
        wall_ns = time.monotonic_ns()
        pump.clock.step(wall_ns, max(0, self._present_ns(replayed) - pump.clock.venue_ns(wall_ns)))
        return f"{self._path}, resumed after {replayed.record_count:,} records"

    def _present_ns(self, replayed: Replayed) -> int:
        """What time it is at the venue, which was down for a while."""
        down_ns = max(0, time.time_ns() - replayed.mark_wall_ns) if replayed.mark_wall_ns else 0
        speed: Fraction = self.options.speed
        present_ns = replayed.mark_ns + down_ns * speed.numerator // speed.denominator
        return max(present_ns, replayed.ended_ns)

    def _begin(self, context: ServerContext, host: JournaledHost) -> Journal:
        options = self.options
        settings = VenueSettings(
            market=str(_comparable(options, "market")),
            seed=options.seed,
            latency=options.latency,
            is_reordered=options.is_reordered,
            tier=options.tier,
            balances=options.balances,
            keys=key_file(context.keys),
        )
        header = JournalHeader(
            version=version("tidegate"),
            start_ns=self.start_ns,
            market_digest=host.market_digest,
            settings=msgspec.msgpack.encode(settings),
        )
        return Journal.begin(self._path, header, is_forced=self._is_forced)

    def close(self) -> None:
        """The venue has ended."""
        if self._journal is not None:
            self._journal.close()


def _comparable(options: ServeOptions, name: str) -> object:
    """An option as a journal has it: the folder of a store is meant wherever one stands."""
    value = getattr(options, name)
    return str(Path(value).resolve()) if name == "market" and value != "synthetic" else value
