"""What the benchmark's server does with each request, and what its callers must therefore measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0.618_033_988_749_895
"""(√5 - 1) / 2: its multiples, modulo 1, fill the interval evenly (Weyl 1916), so that few requests have no luck."""

MS = 1_000_000
S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How long each request takes to serve, and when the server stalls.

    The n-th request takes a time between `fastest_ns` and `slowest_ns`, as evenly spread as can be. In every
    `period_ns` since the server's start, the last `stall_ns` are a stall: connections and requests are accepted, and
    served from the end of the stall on.
    """

    fastest_ns: int = 0
    slowest_ns: int = 0
    stall_ns: int = 0
    period_ns: int = 0

    def service_ns(self, number: int) -> int:
        """How long the request of this number (from 0) takes to serve."""
        return self.fastest_ns + int((self.slowest_ns - self.fastest_ns) * (number * GOLDEN % 1))

    def begins_ns(self, arrived_ns: int) -> int:
        """When a request is begun to be served that arrived then, both since the server's start."""
        if not self.stall_ns:
            return arrived_ns
        in_period_ns = arrived_ns % self.period_ns
        stalled = in_period_ns >= self.period_ns - self.stall_ns
        return arrived_ns + (self.period_ns - in_period_ns if stalled else 0)

    def latencies_ns(self, due_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """What requests that reach the server at these times, in this order, wait for their answers."""
        return np.array(
            [self.begins_ns(int(at)) + self.service_ns(number) - int(at) for number, at in enumerate(due_ns)], np.int64
        )

    def text(self) -> str:
        """The form that `parse` reads."""
        return f"{self.fastest_ns}:{self.slowest_ns}:{self.stall_ns}:{self.period_ns}"

    @classmethod
    def parse(cls, text: str) -> Behaviour:
        """The behaviour from its text. Raises ValueError, TypeError."""
        return cls(*map(int, text.split(":")))
