"""Which links can cancel an order now.

A pure function of three facts: whether the link is up, how far its single cancel reaches by its profile, and by which
session the order was entered.
"""

from __future__ import annotations

from collections.abc import Mapping

from framework.execution.link import Link
from framework.execution.orders import OrderRecord
from framework.protocol import CancelReach

__all__ = ["links_that_reach", "reaches"]


def reaches(link: Link, record: OrderRecord) -> bool:
    """Whether a single cancel on this link would find the order at the venue, as far as the desk knows.

    A session's reach ends with the session: an order that an earlier session of the same link entered is out of it.
    """
    if not link.is_up:
        return False
    reach = link.profile.single_cancel_reach
    if reach is CancelReach.ACCOUNT:
        return True
    if reach is CancelReach.SESSION:
        return record.owner_session == link.session_id
    if reach is CancelReach.COMP_ID:
        return record.owner_link == link.name
    return False


def links_that_reach(links: Mapping[str, Link], record: OrderRecord) -> tuple[str, ...]:
    """Names of the links whose single cancel reaches the order now, in the order of ``links``."""
    return tuple(name for name, link in links.items() if reaches(link, record))
