"""When requests were due that were numbered and sent at an even rate: told from the numbers and the rate.

Request n was due n / rate after request 0. When that was, nobody wrote down; but no request is sent before it is due,
and of many some are sent at once: the latest schedule that no request is ahead of is late by no more than the promptest
of them was. A rate that isn't the true one makes requests seem late, which flatters nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gameday.imports.rows import Ints, Rows


@dataclass(frozen=True)
class Pace:
    """An even schedule: request 0 was due at `first_ns` (UTC), request n `n / per_s` seconds after it."""

    first_ns: int
    per_s: float

    def due_ns(self, numbers: Ints) -> Ints:
        """When the requests of these numbers were due."""
        return self.first_ns + _after_ns(numbers, self.per_s)


def fit(record: Iterable[Rows], per_s: float) -> Pace | None:
    """The schedule of a record's sane requests at a rate; None where they have no numbers, or some have the same."""
    first_ns: int | None = None
    count, lowest, highest = 0, 0, 0
    for rows in record:
        numbers = rows.number
        if numbers is None:
            return None
        earliest = int((rows.start_ns - _after_ns(numbers, per_s)).min())
        low, high = int(numbers.min()), int(numbers.max())
        lowest, highest = (low, high) if first_ns is None else (min(lowest, low), max(highest, high))
        first_ns = earliest if first_ns is None else min(first_ns, earliest)
        count += len(numbers)
    if first_ns is None or count > highest - lowest + 1:
        return None
    return Pace(first_ns, per_s)


def _after_ns(numbers: Ints, per_s: float) -> Ints:
    after: Ints = (numbers * (1e9 / per_s)).round().astype(numbers.dtype)
    return after
