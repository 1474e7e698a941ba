"""What a reader must know before believing a verdict: what the load's record can't show, and what that weakens."""

from __future__ import annotations

from bundle.manifest import LoadRecord

CLOSED = (
    "closed-loop load: its users wait for answers, so that an outage hides requests; how many an open workload would "
    "have sent is estimated from the baseline's rate"
)
_LACKS = {
    "scheduled-time": "when requests were due is not recorded: latency counts from when each was sent, so that time "
    "queued in the generator is not seen; omitted requests are estimated from the baseline's rate",
    "generator-health": "the generator's own health is not recorded: whether it was the bottleneck is not known",
    "schedule": "how many requests were due is not recorded: those that were due and not sent are not known, omitted "
    "ones are estimated from the baseline's rate, as for a closed loop",
    "start-resolution": "times are recorded coarsely: recovery's bounds are wider by that, and failures near the "
    "window's edges may or may not belong to it",
    "whole-record": "parts of the record could not be read: what was in them may have been the failures",
    "clock": "how the generator's clock stood to the cluster's is not known: its requests may have been sent at other "
    "times than it says, so that any failure in its record may belong to the fault",
    "failed-start": "when requests that got no connection were sent is not recorded: they failed at times that are up "
    "to a time-out too late",
}
"""By the word of `docs/bundle.md`."""
HARMLESS = frozenset({"bytes", "region"})
"""What a record may lack without weakening any measure there is."""


def caveats(load: LoadRecord | None) -> tuple[str, ...]:
    """One line for each weakness of a load's record. A word that nobody knows is one: it may weaken anything."""
    if load is None:
        return ()
    lacks = dict.fromkeys(word for word in load.lacks if word not in HARMLESS)
    by_word = (_LACKS.get(word, f"the load's record lacks {word!r}: what that weakens is not known") for word in lacks)
    return (*((CLOSED,) if load.model == "closed" else ()), *by_word)
