"""Which link carries a command, where a policy names several: in order of preference, and spread over equals.

A route is written as links in the order in which they are tried, ``"fix, then ws2"``, and links that share the load are
joined, ``"ws2 + fix, then rest"``.
"""

from __future__ import annotations

import enum

from framework.errors import ConfigError

__all__ = ["Spread", "route_links", "route_steps"]


class Spread(enum.StrEnum):
    """How links that share the load take turns.

    ROUND_ROBIN: one after the other. LEAST_LOADED: the one with the fewest requests without an answer; the first of
    those that are equal.
    """

    ROUND_ROBIN = "round-robin"
    LEAST_LOADED = "least-loaded"


def route_steps(name: str, text: str) -> tuple[tuple[str, ...], ...]:
    """The steps of a route, each with the links that share it. name: of the key, for errors.

    Raises ConfigError for a text that is none, and for a link that is named twice.
    """
    steps = tuple(tuple(link.strip() for link in step.split("+")) for step in text.replace("then ", " ").split(","))
    links = [link for step in steps for link in step]
    if not all(links) or any(" " in link for link in links):
        raise ConfigError(f'{name} = "{text}": write links as "fix, then ws2", or "ws2 + fix" to share the load')
    if len(set(links)) < len(links):
        raise ConfigError(f'{name} = "{text}": a link is named twice')
    return steps


def route_links(name: str, text: str) -> tuple[str, ...]:
    """All links of a route, in order."""
    return tuple(link for step in route_steps(name, text) for link in step)
