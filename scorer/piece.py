"""What a measure gathers of the requests, in one pass for all of them that holds no rows.

A piece looks at each batch by itself, in any thread, and its fold joins what was seen in the order of the batches, so
that the same rows give the same result however many threads there are.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol, TypeVar

from scorer.batch import Batch

R = TypeVar("R", covariant=True)


class Fold(Protocol[R]):
    """Joins what was seen of one batch after the other."""

    def add(self, part: Any) -> None:
        """Take what the piece saw of the next batch."""
        ...

    def result(self) -> R:
        """What all of it comes to."""
        ...


class Piece(Hashable, Protocol[R]):
    """A question to all requests. Equal pieces have equal results."""

    def look(self, batch: Batch) -> Any:
        """What this batch adds: something that its own fold takes."""
        ...

    def fold(self) -> Fold[R]:
        """A fold of nothing yet."""
        ...
