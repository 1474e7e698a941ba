"""What happened when, in words: the timeline figure for those who don't see it, and for those in a hurry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bundle.reader import Bundle
from bundle.timeline import Entry
from report.recovery import Recovery
from report.series import ReplicaSeries, Series

MAX_MOMENTS = 40
"""Lines at most: an observer that was lost every second must not bury the rest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened between two moments, in seconds from the figure's origin. `to_s` None: not seen."""

    from_s: float
    to_s: float | None
    what: str

    @property
    def when(self) -> str:
        """The time as text: one figure where both round to the same, else from – to."""
        first = _seconds(self.from_s)
        if self.to_s is None:
            return f"after {first}"
        last = _seconds(self.to_s)
        return first if first == last else f"{first} … {last}"


def moments(bundle: Bundle, series: Series, recoveries: list[Recovery]) -> list[Moment]:
    """The run's moments in order of time, at most MAX_MOMENTS."""
    found = [Moment(phase.start_s, phase.start_s, f"phase {phase.name} begins") for phase in series.phases]
    for entry in bundle.timeline:
        what = _entry(entry)
        if what:
            earliest, latest = entry.earliest_ns - series.origin_ns, entry.latest_ns - series.origin_ns
            found.append(Moment(earliest / 1e9, latest / 1e9, what))
    for replicas in series.replicas:
        found += _dips(replicas)
    requests = series.requests
    if requests.first_bad_s is not None and requests.last_bad_s is not None:
        bad = f"{requests.failed} failed, {requests.unsent} never sent"
        what = f"from the first bad request to the last: {bad}"
        found.append(Moment(requests.first_bad_s, requests.last_bad_s, what))
    found += [Moment(one.low_s, one.high_s, one.says) for one in recoveries]
    found.sort(key=lambda moment: moment.from_s)
    return found[:MAX_MOMENTS]


def _entry(entry: Entry) -> str:
    """What a timeline entry says, or nothing where the figure shows it or nobody needs it."""
    about = entry.attributes
    match entry.kind, entry.event:
        case "fault", "begin":
            return f"fault begins: {about.get('activity') or entry.name}"
        case "fault", "end":
            return f"fault ends: {about.get('activity') or entry.name} ({about.get('status') or 'no status'})"
        case "hypothesis", "end":
            met = "met" if about.get("met") else "NOT met"
            return f"steady-state hypothesis {about.get('when', '')} the fault: {met}"
        case "observer", "lost" | "failed" | "resumed":
            error = f": {about['error']}" if about.get("error") else ""
            return f"observer of {about.get('watches', 'a watch')} in {entry.context} {entry.event}{error}"
        case "load", "worker-lost":
            return f"load worker lost: {about.get('worker', '')} {about.get('error', '')}".rstrip()
        case "rollback", "end":
            return f"rollback ended ({about.get('status') or 'no status'})"
    return ""


def _dips(replicas: ReplicaSeries) -> Iterator[Moment]:
    """When the deployment fell below its desired replicas, how far, and when it was back."""
    short = replicas.ready < replicas.desired
    for index in range(1, len(short)):
        if short[index] == short[index - 1]:
            continue
        at_s, ready, desired = replicas.t_s[index], replicas.ready[index], replicas.desired[index]
        state = f"{'falls to' if short[index] else 'is back at'} {ready} of {desired} ready"
        yield Moment(float(at_s), float(at_s), f"{replicas.name} in {replicas.context} {state}")


def _seconds(at_s: float) -> str:
    return f"{at_s:+.2f} s".replace("-", "−")
