"""What the scorer refuses: bad targets. Everything that is wrong with a drill is a verdict, not an error."""

from __future__ import annotations

from bundle.errors import ExplainedError


class TargetsError(ExplainedError):
    """A targets file that cannot be read, or that says nothing about the drill (exit 2)."""
