"""What can go wrong with load, each one line for a person.

gameday.errors.BadInput
└── BadProfile     a load profile that cannot be run; nothing was started     (exit 2)
gameday.errors.Aborted
└── LoadFailed     the load ended, or never began, while a drill needed it    (exit 5)
"""

from __future__ import annotations

from gameday.errors import Aborted, BadInput


class BadProfile(BadInput):
    """A load profile that is missing, does not load, or has nothing to run."""


class LoadFailed(Aborted):
    """Locust did not start, or ended by itself: the drill has no load and can show nothing."""
