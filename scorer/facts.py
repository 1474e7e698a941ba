"""The facts of one drill, read from its bundle once: when the fault was, what is judged, what was recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from bundle.manifest import Effect, Manifest, Phase, PhaseName
from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.batch import Batch, Cut
from scorer.cluster import Pod, pods_of, selects, when
from scorer.intervals import Interval
from scorer.near import Near
from scorer.piece import Piece
from scorer.requests import Requests, WorkerRows
from scorer.samples import Samples, read_samples
from scorer.source import Source, Stream, all_rows, gather
from scorer.span import Span
from scorer.tally import Counts, Record, Recorded, Tally, limits_of
from scorer.targets import Slo
from scorer.unseen import Unseen, unseen

R = TypeVar("R")

_LATE_NS = 60_000_000_000
"""An answer this much later than a time-out after the end of a whole recording can't have been recorded."""
NEWS_NS = 1_000_000_000
"""A pod may be marked for deletion this long after the call that asked for it has returned, and no later."""


@dataclass(frozen=True)
class Facts:
    """What every measure and every validity check reads.

    `fault` is the span in which the fault took effect, None where the timeline holds none. `window` is what objectives
    are judged over: from the earliest moment of the fault to the end of the recovery phase (of the recording, where
    that phase never ended); where no fault was recorded, from the start of the fault phase. None: not even that.
    `source` gives the requests: measures ask `of` for what pieces gather of them, in one pass for all that `gather` was
    told beforehand. `near` is where some percentiles seem to lie. `requests` and `judged` are whole in memory, for what
    looks at single rows.
    `journal_status` is how Chaos Toolkit says its run went, "" where it says nothing.
    """

    manifest: Manifest
    timeline: tuple[Entry, ...]
    source: Source
    samples: Samples
    torn_lines: int
    journal_status: str
    fault: Interval | None
    window: Span | None
    ended_ns: int
    near: list[Near] = field(default_factory=list, init=False, repr=False, compare=False)
    _known: dict[Piece[Any], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, piece: Piece[R]) -> R:
        """What a piece gathers of all requests, in a pass of its own where it was not gathered before."""
        self.gather((piece,))
        known: R = self._known[piece]
        return known

    def gather(self, pieces: Iterable[Piece[Any]]) -> None:
        """Read the requests once for all of these that are not known. Raises BundleError where they are damaged."""
        unknown = [piece for piece in dict.fromkeys(pieces) if piece not in self._known]
        if unknown:
            self._known.update(zip(unknown, gather(self.source, unknown), strict=True))

    @cached_property
    def requests(self) -> Requests:
        """Every row, in order of its start: 26 B each in memory."""
        return all_rows(self.source)

    @property
    def recorded(self) -> Recorded:
        """What is known of the record as a whole."""
        return self.of(Record(self.latest_done_ns))

    @property
    def latest_done_ns(self) -> int | None:
        """When a request can have been done at the latest; None where the recording has no end that is known."""
        return _latest_done_ns(self.manifest, self.ended_ns)

    @property
    def absurd_rows(self) -> int:
        """How many rows have impossible times."""
        return self.recorded.absurd

    @property
    def workers(self) -> Mapping[str, WorkerRows]:
        """What each load worker left, by its name."""
        return self.recorded.workers

    @property
    def cut(self) -> Cut:
        """The arrivals of the window, as `judged` has them. Raises LookupError where there is no window."""
        if self.window is None:
            raise LookupError("the fault phase never began")
        return Cut.touching(self.window)

    def counted(self, slos: Iterable[Slo] = ()) -> Counts:
        """How the arrivals of the window came out, also by the limits of some SLOs. Raises LookupError."""
        return self.of(Tally(self.cut, limits_of(slos)))

    @cached_property
    def judged(self) -> Requests:
        """The arrivals of the window: due before its end, and not yet done at its start, for a fault cuts what is
        under way. Raises LookupError where there is no window.
        """
        return Batch(self.requests).cut(self.cut)

    def spare(self, limit_ns: int | None = None) -> int:
        """Of the bad requests of the window those that an open workload would not have sent, at most. Raises
        LookupError."""
        if self.unseen.omission is None:  # it would have sent all of them
            return 0
        judged = self.judged
        bad = (
            judged.sent & ~judged.ok
            if limit_ns is None
            else judged.sent & ~(judged.ok & (judged.latency_ns <= limit_ns))
        )
        return self.unseen.beyond(judged.start_ns[bad])

    @cached_property
    def unseen(self) -> Unseen:
        """Arrivals of the window that left no row. Raises LookupError where that cannot be known."""
        return unseen(self)

    @property
    def before_fault(self) -> Span | None:
        """From the start of the baseline to the fault, or to its end where no fault was recorded."""
        baseline = self.span_of(PhaseName.BASELINE)
        if baseline is None:
            return None
        until_ns = baseline.end_ns if self.fault is None else int(self.fault.low)
        return Span(baseline.start_ns, max(baseline.start_ns, until_ns))

    @property
    def under_load(self) -> Span | None:
        """From the start of the baseline to the end of the window."""
        baseline = self.span_of(PhaseName.BASELINE)
        if baseline is None or self.window is None:
            return None
        return Span(baseline.start_ns, max(baseline.start_ns, self.window.end_ns))

    @cached_property
    def strangers(self) -> frozenset[str]:
        """Workers with rows that the manifest doesn't list: how their clocks stand, nobody knows."""
        load = self.manifest.load
        return frozenset(self.workers.keys() - {worker.name for worker in (load.workers if load else ())})

    @cached_property
    def lost_workers(self) -> Mapping[str, int]:
        """The load workers that died in the run, and when the last arrival of each that is recorded was due."""
        lost = (entry for entry in self.timeline if entry.kind == "load" and entry.event == "worker-lost")
        start_ns = min((phase.start_ns for phase in self.manifest.phases), default=self.manifest.clock_wall_ns)
        names = (str(entry.attributes.get("worker", "an unnamed worker")) for entry in lost)
        return {name: self.workers[name].last_due_ns if name in self.workers else start_ns for name in names}

    @property
    def clock_uncertainty_ns(self) -> int:
        """How far a load worker's clock may be from the bundle's after its offset was taken off."""
        load = self.manifest.load
        return max((worker.clock_uncertainty_ns for worker in load.workers), default=0) if load else 0

    @property
    def failed_early_ns(self) -> int:
        """How much earlier than recorded a failed request may have been sent: a time-out, the whole window where that
        is not known, 0 where the record has the time."""
        load = self.manifest.load
        if load is None or "failed-start" not in load.lacks:
            return 0
        longest_s = load.timeout_s if load.timeout_s is not None else self.window.seconds if self.window else 0.0
        return round(longest_s * 1e9)

    def hypotheses(self, when: str) -> tuple[Entry, ...]:
        """Every evaluation of the steady-state hypothesis that was made `when` (before, after), in order."""
        return tuple(
            entry
            for entry in self.timeline
            if entry.kind == "hypothesis" and entry.event == "end" and entry.attributes.get("when") == when
        )

    def span_of(self, name: PhaseName) -> Span | None:
        """When a phase ran; a phase that never ended lasts as long as the recording."""
        phase = self.manifest.phase(name)
        return None if phase is None else _span(phase, self.ended_ns)

    def acted(self, effect: Effect) -> Interval | None:
        """When the action of an effect was at work; None where it never began or didn't succeed."""
        begin = self.begin(effect)
        return None if begin is None else when(begin)

    def victims(self, effect: Effect) -> tuple[Pod, ...]:
        """The pods of an effect that were on their way out as its action was at work, and went. Raises ValueError.

        An effect on pods has in `name` the pattern that Chaos Toolkit's Kubernetes driver searches names for, or "".
        Where the action told which pods it took, they are the only ones.
        """
        begin = self.begin(effect)
        if begin is None:
            return ()
        acted, named = when(begin), _names(begin.attributes.get("output"))
        return tuple(
            pod
            for pod in self.selected(effect)
            if re.search(effect.name, pod.name)
            and (named is None or pod.name in named)
            and (pod.there_at_first or pod.seen.high <= acted.low)
            and pod.deleted is not None
            and pod.marked is not None
            and acted.low <= pod.marked.high
            and pod.marked.low <= acted.high + NEWS_NS
        )

    def replacements(self, effect: Effect) -> tuple[Pod, ...]:
        """The pods of an effect that came after its action began. Raises ValueError."""
        acted = self.acted(effect)
        if acted is None:
            return ()
        return tuple(pod for pod in self.selected(effect) if not pod.there_at_first and pod.seen.high >= acted.low)

    def begin(self, effect: Effect) -> Entry | None:
        """The entry of an effect's action as it last succeeded; None where it never did."""
        begins = [
            entry
            for entry in self.timeline
            if entry.kind == "fault"
            and entry.event == "begin"
            and entry.attributes.get("activity") == effect.activity
            and entry.attributes.get("status") == "succeeded"
        ]
        return begins[-1] if begins else None

    def selected(self, effect: Effect) -> list[Pod]:
        """The pods that an effect's selector matches. Raises ValueError for a selector that is not understood."""
        pods = pods_of(self.timeline, effect.context, effect.namespace)
        return [pod for pod in pods if selects(effect.selector, pod.labels)]


def read_facts(bundle: Bundle) -> Facts:
    """Read a bundle, whole or torn. Raises BundleError where a file of it is damaged."""
    manifest, timeline = bundle.manifest, tuple(bundle.timeline)
    source = Stream(bundle)
    ended = _ended_ns(manifest, timeline, source)
    fault = _fault(timeline, tuple(effect.activity for effect in manifest.effects))
    window = _window(manifest, fault, ended)
    return Facts(
        manifest=manifest,
        timeline=timeline,
        source=source,
        samples=read_samples(bundle, window),
        torn_lines=bundle.torn_lines,
        journal_status=_status(bundle.journal),
        fault=fault,
        window=window,
        ended_ns=ended,
    )


def _fault(timeline: tuple[Entry, ...], activities: tuple[str, ...]) -> Interval | None:
    begins = [entry for entry in timeline if entry.kind == "fault" and entry.event == "begin"]
    named = [entry for entry in begins if entry.attributes.get("activity") in activities]
    return when((named or begins)[0]) if begins else None


def _ended_ns(manifest: Manifest, timeline: tuple[Entry, ...], source: Source) -> int:
    ends = [phase.end_ns for phase in manifest.phases if phase.end_ns is not None]
    if ends and manifest.outcome == "completed":
        return max(ends)
    recorded: Recorded = gather(source, [Record()])[0]
    last_rows = [recorded.ended_ns + 1] if recorded.ended_ns is not None else []
    return max([manifest.clock_wall_ns, *ends, *last_rows, *(entry.latest_ns for entry in timeline[-1:])])


def _latest_done_ns(manifest: Manifest, ended_ns: int) -> int | None:
    """A row that was done later lies so far behind the end of the recording that it can't have been recorded."""
    timeout_s = (manifest.load.timeout_s if manifest.load is not None else None) or 0.0
    return ended_ns + _LATE_NS + round(timeout_s * 1e9) if manifest.outcome == "completed" else None


def _window(manifest: Manifest, fault: Interval | None, ended_ns: int) -> Span | None:
    phase, recovery = manifest.phase(PhaseName.FAULT), manifest.phase(PhaseName.RECOVERY)
    if fault is None and phase is None:
        return None
    start = int(fault.low) if fault is not None else phase.start_ns if phase is not None else 0
    end = recovery.end_ns if recovery is not None and recovery.end_ns is not None else ended_ns
    return Span(start, max(start, end))


def _span(phase: Phase, ended_ns: int) -> Span:
    return Span(phase.start_ns, phase.end_ns if phase.end_ns is not None else max(phase.start_ns, ended_ns))


def _names(output: object) -> frozenset[str] | None:
    """The names that an action gave back, None where it gave no list of names or a longer one than was kept."""
    try:
        names = json.loads(output) if isinstance(output, str) else None
    except ValueError:
        return None
    return frozenset(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _status(journal: Mapping[str, object] | None) -> str:
    """How the experiment went by its journal. One that failed as it deviated did so by a probe, which is an objective's
    business: it completed."""
    status = "" if journal is None else str(journal.get("status", "of no status"))
    return "completed" if status == "failed" and journal is not None and journal.get("deviated") is True else status
