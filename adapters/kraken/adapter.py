"""What the Kraken adapter adds to Tidegate: its profile and the formats of its recordings.

Apart from the package, so that a command of this adapter is found without loading what reads recordings.
"""

from __future__ import annotations

from adapters.kraken.captures import FORMATS
from adapters.kraken.profile import PROFILE
from framework.adapter import Adapter

__all__ = ["ADAPTER"]

ADAPTER = Adapter(name="kraken", profile=PROFILE, formats=FORMATS)
