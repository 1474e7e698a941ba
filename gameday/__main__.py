"""`python -m gameday` is `gameday`."""

from __future__ import annotations

from gameday.cli import main

main()
