"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says how busy the machine is. What must be fast has a benchmark, which compares.
settings.register_profile("gameday", deadline=None)
settings.load_profile("gameday")
