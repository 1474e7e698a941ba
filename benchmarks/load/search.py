"""The highest value at which something holds, found with few tries."""

from __future__ import annotations

from collections.abc import Callable


def highest(holds: Callable[[float], bool], low: float, high: float, tries: int) -> float:
    """The highest of the values tried at which `holds` is true; 0 where it was at none.

    Bisects from `low` to `high`, so that after n tries the answer is within (high - low) / 2ⁿ of the truth, where
    there is one between them: a value below which `holds` is true and above which it isn't.
    """
    found = 0.0
    for _ in range(tries):
        middle = (low + high) / 2
        if holds(middle):
            found = low = middle
        else:
            high = middle
    return found
