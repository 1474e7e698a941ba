"""The harness: it runs a drill, records everything that happened, and undoes it."""

from __future__ import annotations

__version__ = "0.1.0"
