"""What can go wrong with a record that is imported.

gameday.errors.BadInput
└── BadRecord     a file without a time per request, or that is not what it seems; nothing was written   (exit 2)
"""

from __future__ import annotations

from gameday.errors import BadInput


class BadRecord(BadInput):
    """A generator's record that cannot be imported. Nothing was written."""
