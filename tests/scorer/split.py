"""Requests in memory that come in several batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from scorer.batch import Batch
from scorer.requests import Requests

T = TypeVar("T")


class Split:
    """A source of requests in order, cut at some places."""

    def __init__(self, requests: Requests, places: Sequence[int] = ()) -> None:
        ordered = requests.in_order()
        edges = [0, *sorted(min(place, len(ordered)) for place in places), len(ordered)]
        self.batches = [Batch(ordered.where(np.arange(one, other))) for one, other in pairwise(edges)]

    def each(self, look: Callable[[Batch], T], first: int = 0) -> Iterator[T]:
        """What is made of each batch."""
        yield from map(look, self.batches[first:])
