"""Kraken under the other reading of its pages on edits: an order that carries a client id may be edited.

By default such an edit is refused (switch ``edit_of_client_id``), and the desk, whose orders all carry one, changes the
order in place instead. What an edit does is tried under this reading.
"""

from __future__ import annotations

from adapters.kraken.profile import PROFILE

__all__ = ["EDITING"]

EDITING = PROFILE.with_switches({"edit_of_client_id": "accepted"})
