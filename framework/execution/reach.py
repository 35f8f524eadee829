"""Which links can cancel an order now, and which of them is asked.

A pure function of three facts: whether the link is up, how far its single cancel reaches by its profile, and by which
session the order was entered. The route of cancels is the policy's; it is walked until a step reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from framework.errors import ConfigError
from framework.execution.link import Link
from framework.execution.orders import OrderRecord
from framework.execution.policy import MASS_SUFFIX
from framework.protocol import CancelReach, MassCancelScope

__all__ = ["CancelRoute", "CancelStep", "cancels_account", "links_that_reach", "reaches", "reaches_by"]


def reaches(link: Link, record: OrderRecord) -> bool:
    """Whether a single cancel on this link would find the order at the venue, as far as the desk knows.

    A session's reach ends with the session: an order that an earlier session of the same link entered is out of it.
    """
    return reaches_by(link, record, link.profile.single_cancel_reach)


def reaches_by(link: Link, record: OrderRecord, reach: CancelReach) -> bool:
    """As ``reaches``, for a command that reaches so far."""
    if not link.is_up:
        return False
    if reach is CancelReach.ACCOUNT:
        return True
    if reach is CancelReach.SESSION:
        return record.owner_session == link.session_id
    if reach is CancelReach.COMP_ID:
        return record.owner_link == link.name
    return False


def links_that_reach(links: Mapping[str, Link], record: OrderRecord) -> tuple[str, ...]:
    """Names of the links whose single cancel reaches the order now, in the order of ``links``.

    Whether or not the cancel route names them: reach is what can be done, the route what is done unless told otherwise.
    """
    return tuple(name for name, link in links.items() if reaches(link, record))


class CancelStep(NamedTuple):
    """One step of a cancel route. is_mass: by mass cancel of the whole account."""

    name: str
    link: Link
    is_mass: bool


class CancelRoute:
    """The policy's route of cancels over the links that are there.

    Raises ConfigError for a step by mass cancel over a link that has none of the whole account.
    """

    def __init__(self, links: Mapping[str, Link], steps: tuple[str, ...]) -> None:
        self._links = links
        self.steps = tuple(self.step(name) for name in steps)

    def step(self, name: str) -> CancelStep:
        """The step of a name such as "rest" or "fix:mass"; raises ConfigError if there is no such link or no such
        way.
        """
        link_name = name.removesuffix(MASS_SUFFIX)
        link = self._links.get(link_name)
        if link is None:
            raise ConfigError(f"there is no link '{link_name}'; links: {', '.join(self._links)}")
        is_mass = name != link_name
        if is_mass and not _has_mass_cancel(link):
            raise ConfigError(f"link '{link_name}' has no mass cancel of the whole account; leave '{name}' out")
        return CancelStep(name, link, is_mass)

    def step_for(self, record: OrderRecord) -> CancelStep | None:
        """The first step that reaches an order; if none does, the first whose link is up, by its single cancel.

        The venue is the judge of what it finds, so out of reach a cancel is asked for all the same. None if no link
        is up.
        """
        for step in self.steps:
            if step.link.is_up and (step.is_mass or reaches(step.link, record)):
                return step
        up = next((step for step in self.steps if step.link.is_up), None)
        return None if up is None else CancelStep(up.link.name, up.link, is_mass=False)

    def step_for_all(self) -> CancelStep | None:
        """The first step whose link is up and can cancel all orders of the account; None if there is none."""
        return next((step for step in self.steps if step.link.is_up and cancels_account(step.link)), None)


def cancels_account(link: Link) -> bool:
    """Whether one request on a link cancels every order of the account."""
    profile = link.profile
    return (
        profile.capabilities.has_cancel_all and profile.cancel_all_reach is CancelReach.ACCOUNT
    ) or _has_mass_cancel(link)


def _has_mass_cancel(link: Link) -> bool:
    profile = link.profile
    return (
        MassCancelScope.ACCOUNT in profile.capabilities.mass_cancel_scopes
        and profile.mass_cancel_reach.get(MassCancelScope.ACCOUNT) is CancelReach.ACCOUNT
    )
