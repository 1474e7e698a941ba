"""Would the drill have paged, and when: the multi-window multi-burn-rate alerts of each SLO, replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scorer.batch import Cut
from scorer.facts import Facts
from scorer.intervals import Interval, tidy
from scorer.piece import Piece
from scorer.seconds import S_NS, EachSecond, per_second
from scorer.span import Span
from scorer.tally import Tally, limits_of
from scorer.targets import Slo, Targets
from scorer.verdict import Measure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """An alert that fires while the burn rate is above `factor` over both of its windows. `pages`: somebody is called;
    the others make a ticket."""

    long_s: int
    short_s: int
    factor: float
    pages: bool

    @property
    def name(self) -> str:
        """As a person names it: `1h/5m at 14.4`."""
        return f"{length(self.long_s)}/{length(self.short_s)} at {self.factor:g}"


RULES = (
    Rule(3600, 300, 14.4, pages=True),
    Rule(6 * 3600, 1800, 6, pages=True),
    Rule(24 * 3600, 2 * 3600, 3, pages=False),
    Rule(72 * 3600, 6 * 3600, 1, pages=False),
)
"""The SRE Workbook's, chapter 5, for an SLO over 30 days."""
_LONGEST_S = 7 * 86_400


@dataclass(frozen=True, eq=False)
class Traffic:
    """What an alert sees: requests and bad ones among them by second, and what came before the first of these seconds.

    `rate_per_s` requests came then, of which the share `history` was bad. `unknown` requests, good or bad by
    `unknown_bad`, came at some time after the second `since`, and count in every window from then on.
    """

    total: Floats
    bad: Floats
    rate_per_s: float
    history: float
    since: int = 0
    unknown: int = 0
    unknown_bad: bool = False

    def share(self, window_s: int) -> Floats:
        """The share of bad requests over the window that ends with each second; 0 where it holds none."""
        ends = np.arange(1, len(self.total) + 1)
        firsts = np.maximum(0, ends - window_s)
        before = np.maximum(0, window_s - ends) * self.rate_per_s
        unknown = np.where(ends > self.since, self.unknown, 0)
        total, bad = (
            run[ends] - run[firsts] for run in (np.concatenate([[0.0], np.cumsum(c)]) for c in (self.total, self.bad))
        )
        total += before + unknown
        bad += before * self.history + unknown * self.unknown_bad
        share: Floats = np.divide(bad, total, out=np.zeros_like(total), where=total > 0)
        return share


@dataclass(frozen=True)
class Firing:
    """The second in which an alert first fired, and the one in which it then cleared; None: not while recorded.

    `level` is the highest that the lower of its two burn rates came, as a share of the factor.
    """

    fired: int | None
    cleared: int | None
    level: float


def replay(rule: Rule, traffic: Traffic, tolerated: float) -> Firing:
    """Replay one rule, evaluated at the end of every second. `tolerated` is the share that the SLO allows to be bad."""
    burn = np.minimum(traffic.share(rule.long_s), traffic.share(rule.short_s)) / tolerated
    firing = burn > rule.factor
    level = float(burn.max(initial=0.0)) / rule.factor
    if not firing.any():
        return Firing(None, None, level)
    fired = int(np.argmax(firing))
    quiet = ~firing[fired:]
    return Firing(fired, fired + int(np.argmax(quiet)) if quiet.any() else None, level)


@dataclass(frozen=True)
class Replay:
    """One rule replayed with a past and with unseen arrivals that page the latest, and the soonest."""

    rule: Rule
    latest: Firing
    soonest: Firing


def page(facts: Facts, targets: Targets) -> Iterator[Measure]:
    """For each SLO when it would have paged, in seconds from the fault, and how near it came. Raises LookupError.

    No value: it was not seen to page while it was recorded.
    """
    fault, span = facts.fault, _span(facts)
    assert fault is not None  # _span would have raised
    since_start = Interval(fault.low - span.start_ns, fault.high - span.start_ns).scaled(1 / S_NS)
    for name, slo in targets.slos.items():
        latest, soonest = _traffic(facts, slo, span, int(since_start.low), targets.slos.values())
        replays = [
            Replay(rule, replay(rule, latest, slo.tolerated), replay(rule, soonest, slo.tolerated)) for rule in RULES
        ]
        yield from _measures(name, replays, since_start, len(latest.total), int(latest.total.sum()))


def needs(facts: Facts, targets: Targets) -> Iterator[Piece[Any]]:
    """What is gathered of the requests for the replay; nothing where there is none."""
    with suppress(LookupError):
        span, baseline = _span(facts), facts.before_fault
        yield EachSecond(span, limits_of(targets.slos.values()))
        if baseline is not None:
            yield Tally(Cut.due_within(baseline))


def _measures(name: str, replays: list[Replay], fault_s: Interval, watched_s: int, n: int) -> Iterator[Measure]:
    """When it paged and how near it came; the fault's moment in seconds of the replay."""
    method = (
        "replayed second by second; before the recording requests came at the baseline's rate, none of them bad in the "
        "upper bound and the value, as many as the SLO tolerates in the lower"
    )
    pages = [one for one in replays if one.rule.pages]
    latest = min((one.latest.fired for one in pages if one.latest.fired is not None), default=None)
    soonest = min((one.soonest.fired for one in pages if one.soonest.fired is not None), default=watched_s)
    low_s = max(0.0, soonest - fault_s.high)
    middle_s = (fault_s.low + fault_s.high) / 2
    yield Measure(
        name=f"time-to-page.{name}",
        value=None if latest is None else tidy(max(low_s, latest + 0.5 - middle_s)),
        low=tidy(low_s),
        high=None if latest is None else tidy(max(low_s, latest + 1 - fault_s.low)),
        unit="s",
        n=n,
        method=method,
        evidence=tuple(_told(one, fault_s.low) for one in replays),
    )
    least, most = max(one.latest.level for one in pages), max(one.soonest.level for one in pages)
    yield Measure(
        name=f"page-level.{name}",
        value=tidy(100 * least),
        low=tidy(100 * least),
        high=tidy(100 * most),
        unit="%",
        n=n,
        method=method,
        evidence=(
            "the highest that both burn rates of an alert that pages came, of its factor: beyond 100 % it pages",
        ),
    )


def _span(facts: Facts) -> Span:
    baseline = facts.before_fault
    if facts.fault is None or facts.window is None or baseline is None or baseline.seconds <= 0:
        raise LookupError("an alert is replayed from the baseline through the fault, and one of them is missing")
    span = Span(baseline.start_ns, max(baseline.start_ns + S_NS, facts.ended_ns))
    if span.seconds > _LONGEST_S:  # a damaged time would ask for more memory than there is
        raise LookupError(f"the recording is longer than the {length(_LONGEST_S)} that alerts are replayed over")
    return span


def _traffic(facts: Facts, slo: Slo, span: Span, fault_s: int, beside: Iterable[Slo]) -> tuple[Traffic, Traffic]:
    """What alerts see, so that they page the latest, and the soonest. Raises LookupError."""
    baseline = facts.before_fault
    assert baseline is not None  # _span would have raised
    count = facts.of(Tally(Cut.due_within(baseline))).total
    if not count:
        raise LookupError("no request was due in the baseline, whose rate an alert's past would have had")
    rate_per_s, unseen = count / baseline.seconds, facts.unseen
    seconds = per_second(facts, slo, span, beside)
    unsent, bad = seconds.unsent.astype(np.float64), seconds.bad.astype(np.float64)
    total = seconds.sent + unsent
    # An open workload would not have sent the surplus of users who came back at once: none of that need have been bad.
    fewest = np.maximum(0.0, bad - unseen.surplus)
    return (
        Traffic(total, fewest, rate_per_s, 0.0, fault_s, unseen.unknown),
        Traffic(total, bad + unsent, rate_per_s, slo.tolerated, fault_s, unseen.unknown, unknown_bad=True),
    )


def _told(one: Replay, fault_s: float) -> str:
    what, latest, soonest = f"{one.rule.name} ({'page' if one.rule.pages else 'ticket'})", one.latest, one.soonest
    if soonest.fired is None:
        reached = f"{100 * latest.level:.3g} to {100 * soonest.level:.3g} % of what it takes"
        return f"{what}: not while it was recorded; it came to {reached}"
    at_s = f"{max(0.0, soonest.fired - fault_s):.1f}"
    if latest.fired is None:
        return f"{what}: {at_s} s after the fault at the soonest, and not at all with a clean past"
    end = "firing to the end" if latest.cleared is None else f"cleared {latest.cleared + 1 - fault_s:.1f} s after it"
    return f"{what}: {at_s} to {latest.fired + 1 - fault_s:.1f} s after the fault; with a clean past {end}"


def length(seconds: int) -> str:
    """A window of whole minutes, as Prometheus writes it: `5m`, `1h`, `3d`."""
    unit, size = next(pair for pair in (("d", 86_400), ("h", 3600), ("m", 60)) if seconds % pair[1] == 0)
    return f"{seconds // size}{unit}"
