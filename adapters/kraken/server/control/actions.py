"""What a tester may do to the venue: cut lines, set modes, turn time, have a rollover, inject a fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.control.fields import ControlError, Field, choice, fraction, text, truth, whole
from adapters.kraken.server.control.reads import Reads
from adapters.kraken.server.control.served_faults import ServedFaults
from adapters.kraken.server.shell.peers import PROTOCOLS, Peer, Peers
from adapters.kraken.server.shell.pump import Pump
from framework.config_text import key_error
from framework.errors import ConfigError
from framework.protocol import VenueMode
from framework.venue.faults import FaultSection

__all__ = ["Actions"]

_MS = 1_000_000
_STEP_MS_MAX = 86_400_000
_SPEED_MAX = 1_000
_NUMBER_MAX = 2**53
_NAMES = ("number", "kind", "account", "sender_comp_id", "all")
_HOWS = ("close", "abort", "half_open")


class Actions:
    """Carries out what is asked; each answers with what is so now."""

    def __init__(self, context: ServerContext, pump: Pump, peers: Peers, faults: ServedFaults, reads: Reads) -> None:
        self._host = context.host
        self._pump = pump
        self._peers = peers
        self._faults = faults
        self._reads = reads
        self.drop_fields: tuple[Field, ...] = (
            whole("number", 1, _NUMBER_MAX),
            choice("kind", [kind for kind in PROTOCOLS if kind != "rest"]),
            choice("account", list(context.host.venue.accounts)),
            text("sender_comp_id", "the SenderCompID of a FIX client", str),
            truth("all"),
            choice("how", _HOWS),
        )
        self.mode_fields: tuple[Field, ...] = (
            choice("mode", [mode.name.lower() for mode in context.host.profile.modes], is_required=True),
            text("pair", reads.pair_words, reads.symbol_of),
        )
        self.step_fields: tuple[Field, ...] = (whole("ms", 0, _STEP_MS_MAX, is_required=True),)
        self.speed_fields: tuple[Field, ...] = (fraction("speed", _SPEED_MAX, is_required=True),)

    # ------------------------------------------------------------------------------------------------- lines

    def drop(self, wanted: Mapping[str, Any]) -> Any:
        """End connections: closed in good order, cut off, or left half open."""
        named = [name for name in _NAMES if name in wanted]
        if len(named) != 1:
            given = " and ".join(named) or "nothing"
            raise ControlError(400, f"{given} given; name what to drop by one of {', '.join(_NAMES)}")
        how = wanted.get("how", "close")
        dropped = [peer for peer in list(self._peers.by_number.values()) if _is_meant(peer, wanted)]
        if "number" in wanted and not dropped:
            known = ", ".join(str(number) for number in list(self._peers.by_number)[:20])
            raise ControlError(
                400, f"number = {wanted['number']}: there is no such session; there is {known or 'none'}"
            )
        for peer in dropped:
            if how == "half_open":
                peer.fall_silent()
            elif how == "abort" or peer.is_silent:
                peer.abort()
            else:
                peer.close("closed by the tester")
        return {"dropped": [peer.number for peer in dropped], "how": how}

    # ------------------------------------------------------------------------------------------------- modes, faults

    def set_mode(self, wanted: Mapping[str, Any]) -> Any:
        """Set the engine's mode; modes that a fault has set are over."""
        self._faults.set_mode_by_hand(VenueMode[wanted["mode"].upper()], wanted.get("pair"))
        return self._reads.mode({})

    def roll_over(self, wanted: Mapping[str, Any]) -> Any:
        """Have the daily rollover now, of every protocol that has one."""
        protocols = self._host.profile.protocols
        rolling = [str(label) for label, each in protocols.items() if each.rollover_utc_s is not None]
        return {label: {"logon_refused_until": self._reads.time_text(self._host.roll_over(label))} for label in rolling}

    def inject(self, given: Mapping[str, Any]) -> Any:
        """Put a fault on the schedule, its times counted from now."""
        body = {"at_s": 0, **given}
        try:
            fault = msgspec.convert(body, FaultSection)
            added = self._faults.add(fault)
        except msgspec.ValidationError as error:
            raise ControlError(400, key_error(str(error), {"faults": body}, _Faults, "faults")) from None
        except ConfigError as error:
            raise ControlError(400, str(error)) from None
        self._host.run_until(self._host.now_ns)  # so that what is due now happens even while time stands still
        return self._reads.fault(added)

    # ------------------------------------------------------------------------------------------------- time

    def pause(self, wanted: Mapping[str, Any]) -> Any:
        """The venue's time stands still."""
        self._pump.change(lambda clock, wall_ns: clock.pause(wall_ns))
        return self._reads.time({})

    def resume(self, wanted: Mapping[str, Any]) -> Any:
        """It goes on."""
        self._pump.change(lambda clock, wall_ns: clock.resume(wall_ns))
        return self._reads.time({})

    def step(self, wanted: Mapping[str, Any]) -> Any:
        """It jumps ahead; everything that is due in between happens."""
        self._pump.change(lambda clock, wall_ns: clock.step(wall_ns, wanted["ms"] * _MS))
        return self._reads.time({})

    def set_speed(self, wanted: Mapping[str, Any]) -> Any:
        """It runs at another speed."""
        self._pump.change(lambda clock, wall_ns: clock.set_speed(wall_ns, wanted["speed"]))
        return self._reads.time({})


class _Faults(msgspec.Struct):
    """Where a fault's fields are found for a message."""

    faults: FaultSection


def _is_meant(peer: Peer, wanted: Mapping[str, Any]) -> bool:
    if "number" in wanted:
        return bool(peer.number == wanted["number"])
    if "kind" in wanted:
        return bool(peer.kind == wanted["kind"])
    facts = peer.facts()
    if "sender_comp_id" in wanted:
        return facts.fix is not None and facts.fix.comp_id == wanted["sender_comp_id"]
    return "all" in wanted or wanted["account"] in facts.accounts
