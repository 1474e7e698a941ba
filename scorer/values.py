"""What requests are ranked by: how long each took, or how late it was sent."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from scorer.requests import Requests, every

NEVER_NS = np.iinfo(np.int64).max
"""The latency of a request that was not answered well: longer than any."""

Of = Literal["latency", "lateness"]


def values_of(sent: Requests, of: Of) -> tuple[npt.NDArray[np.int32 | np.int64], int]:
    """The values of some requests that were sent, in ns, and how many are never."""
    if of == "lateness":
        return sent.extent.late_ns, 0
    if every(sent.ok):
        return sent.latency_ns, 0
    answered = sent.latency_ns[sent.ok]
    return answered, len(sent) - len(answered)
