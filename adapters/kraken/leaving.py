"""Whether orders outlive the run that entered them, or the venue cancels them with the session's line.

Sources: fix-api/logon-fix (tag 8674), fix-api/logout-fix, guides/general/order-lifecycle.
"""

from __future__ import annotations

from adapters.kraken.profile import PROFILE
from framework.adapter import LiveSettings
from framework.protocol import OnDisconnect, Protocol

__all__ = ["CANCEL_ON_DISCONNECT", "ends_orders"]

CANCEL_ON_DISCONNECT = "cancel_on_disconnect"


def ends_orders(settings: LiveSettings) -> str | None:
    """Why the venue would end orders that these links have entered, in words with the remedy; None where it would not.

    A line that drops ends them; the pages do not agree on whether an orderly Logout does (the profile's switch
    ``cancel_on_logout``), so an order is not safe from either.
    """
    names = []
    for name, label in settings.links.items():
        profile = PROFILE.protocols[Protocol(label)]
        if profile.on_disconnect is OnDisconnect.CANCEL_SESSION_ORDERS:
            is_kept = profile.is_on_disconnect_chosen_at_logon and settings.options.get(CANCEL_ON_DISCONNECT) == "no"
            names += [] if is_kept else [name]
    if not names:
        return None
    return (
        f"orders entered by {', '.join(names)} are canceled by the venue when the line drops, and may be at logout: "
        f'cancel on disconnect is on; [live] options = {{ {CANCEL_ON_DISCONNECT} = "no" }} keeps them'
    )
