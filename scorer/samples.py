"""What was sampled while the drill was judged: the load generator's lag, and the pulses of the API servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scorer.requests import matching
from scorer.span import Span

if TYPE_CHECKING:
    from bundle.reader import Bundle

LAG_SERIES = "load.lag_s"
PULSE_SERIES = "api.round_trip_s"


@dataclass(frozen=True)
class Samples:
    """The samples of a window. `pulses` counts by context how often its API server answered."""

    lag_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    pulses: Mapping[str, int] = field(default_factory=dict)


def read_samples(bundle: Bundle, window: Span | None) -> Samples:
    """The samples that were taken in a window; none where there is no window. Raises BundleError."""
    if window is None:
        return Samples()
    lags, pulses = [np.empty(0)], Counter[str]()
    for batch in bundle.samples():
        taken, series, source = batch.column("t_ns").to_numpy(), batch.column("series"), batch.column("source")
        within = (taken >= window.start_ns) & (taken < window.end_ns)
        lags.append(batch.column("value").to_numpy()[within & matching(series, LAG_SERIES)])
        beats = within & matching(series, PULSE_SERIES)
        for context in source.dictionary.to_pylist():
            pulses[context] += int(np.count_nonzero(beats & matching(source, context)))
    return Samples(np.concatenate(lags), dict(pulses))
