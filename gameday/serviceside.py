"""What the service itself counted in a drill, from the Prometheus of each context into the bundle's samples.

Asked for once, when the drill is over: all samples are there then, and the drill was not disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from bundle.timeline import Entry
from gameday.prometheus import ClockOffset, Prometheus, Series, Unanswered
from gameday.servicecounts import SECOND_NS, by_second, gone, widest_gap_ns

BEFORE_S = 120
"""Asked for from so long before the drill; a counter that is not there in the first half of that began later."""
SILENT_NS = 5 * SECOND_NS
MOST_ALERTS = 50

REQUESTS, ERRORS, LATENCY = "service.requests", "service.errors", "service.latency_le."
ALERT, REACH = "service.alert.", "service.reach_s"
NEW = ".new"
GONE, UNSCRAPED = "service.gone", "service.unscraped"

Sample = Callable[[str, str, int, float], None]
"""Takes (series, context, UTC nanoseconds, value)."""


class ServicePlan(BaseModel):
    """What an experiment's extension `gameday` says under `service`: the counters of the service, as selectors.

    `durations` are the buckets of a histogram, without those requests that are `errors`. `{namespace}` stands for the
    drill's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)

    requests: str = 'http_requests_total{namespace="{namespace}",path!="/health"}'
    errors: str = 'http_requests_total{namespace="{namespace}",path!="/health",code=~"5.."}'
    durations: str = 'http_request_duration_seconds_bucket{namespace="{namespace}",path!="/health"}'
    alerts: str = Field(default='ALERTS{alertstate="firing"}')

    def of(self, namespace: str) -> ServicePlan:
        """The same with the namespace filled in."""
        return ServicePlan(**{name: said.replace("{namespace}", namespace) for name, said in self.model_dump().items()})


@dataclass(frozen=True)
class _Asked:
    """What one Prometheus knows of the drill."""

    requests: list[Series]
    errors: list[Series]
    durations: list[Series]
    alerts: list[Series]


def read_service(
    urls: Mapping[str, str],
    plan: ServicePlan,
    began_ns: int,
    now_ns: Callable[[], int],
    sample: Sample,
    record: Callable[[Entry], None],
    connect: Callable[[str], Prometheus] = Prometheus,
) -> None:
    """Read the Prometheus of every context; one that can't be read is an entry of the timeline, and no error.

    began_ns: when the drill began. Writes, by context: `service.requests`, `service.errors`, `service.latency_le.LIMIT`
    (rises, by the end of the second in which they were scraped; with `.new`, those to a pod's first sample);
    `service.alert.NAME` (1 whenever it was seen firing); and, once all that is there, `service.gone` (pods that went
    away), `service.unscraped` (how many requests they may have served after their last scrapes) and `service.reach_s`:
    a rise happened no longer than that before its time.
    """
    for context, url in urls.items():
        asked_ns = now_ns()
        server = connect(url)
        error = ""
        try:
            _read(server, context, plan, began_ns, now_ns, sample)
        except Unanswered as reason:
            error = str(reason)
        except Exception as broken:  # whatever its answers do must show in the record, and never end a finished drill
            error = f"{type(broken).__name__}: {broken}"
        finally:
            server.close()
        record(
            Entry(
                "prometheus",
                "failed" if error else "read",
                earliest_ns=asked_ns,
                latest_ns=now_ns(),
                context=context,
                source="harness",
                attributes={"error": error},
            )
        )


def _read(
    server: Prometheus, context: str, plan: ServicePlan, began_ns: int, now_ns: Callable[[], int], sample: Sample
) -> None:
    offset = server.offset(now_ns)
    until_ns = now_ns() + offset.ahead_ns
    since_ns = began_ns + offset.ahead_ns
    length_s = -(-(until_ns - since_ns) // SECOND_NS) + BEFORE_S
    asked = _Asked(
        *(
            server.samples(selector, until_ns, length_s)
            for selector in (plan.requests, plan.errors, plan.durations, plan.alerts)
        )
    )
    if not asked.requests:
        raise Unanswered(f"has no series {plan.requests}")
    _write(asked, context, since_ns, until_ns, offset, sample)


def _write(asked: _Asked, context: str, since_ns: int, until_ns: int, offset: ClockOffset, sample: Sample) -> None:
    known_ns = since_ns - BEFORE_S * SECOND_NS // 2
    limits = sorted({series.labels.get("le", "") for series in asked.durations} - {""}, key=float)

    def write(name: str, group: list[Series]) -> None:
        for series, new in ((name, False), (f"{name}{NEW}", True)):
            for at_ns, risen in sorted(by_second(group, known_ns, new=new).items()):
                if at_ns >= since_ns:
                    sample(series, context, at_ns - offset.ahead_ns, risen)

    write(REQUESTS, asked.requests)
    write(ERRORS, asked.errors)
    for limit in limits:
        write(f"{LATENCY}{limit}", [series for series in asked.durations if series.labels.get("le") == limit])
    for alert in asked.alerts[:MOST_ALERTS]:
        for at_ns, _ in alert.samples:
            if at_ns >= since_ns:
                sample(f"{ALERT}{_name(alert)}", context, at_ns - offset.ahead_ns, 1.0)
    every = [*asked.requests, *asked.errors, *asked.durations]
    reach_ns = widest_gap_ns(every, since_ns) + SECOND_NS + 2 * offset.uncertain_ns
    left = gone(asked.requests, since_ns, until_ns - SILENT_NS - widest_gap_ns(every, since_ns))
    sample(GONE, context, until_ns - offset.ahead_ns, float(left.targets))
    sample(UNSCRAPED, context, until_ns - offset.ahead_ns, left.unscraped)
    sample(REACH, context, until_ns - offset.ahead_ns, reach_ns / 1e9)


def _name(alert: Series) -> str:
    """An alert's name and what tells it from others of that name, on one line."""
    told = [alert.labels.get(label, "") for label in ("alertname", "slo", "windows", "severity")]
    return " ".join(filter(None, told))
