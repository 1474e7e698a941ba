"""Times the answers of every replica of one context while a drill runs: how late is what it sends?"""

from __future__ import annotations

from collections.abc import Callable

from bundle.timeline import Entry
from gameday.cluster import Cluster
from gameday.observe.asking import Asking, NoAnswer, OutOfReach
from gameday.observe.polling import Heard, Poll, Rounds
from gameday.observe.reflector import KubeObject
from gameday.observe.roles import DelayPlan
from gameday.observe.sighting import Replica

PERIOD_S = 0.08
"""From one question to the next, of each replica: no more than 100 ms, waking up late included. A question that takes
longer than that is waited for."""
PATIENCE_S = 1.0
"""How much longer than twice the delay an answer is waited for: once for a connection, once for the answer."""
WATCHES = "delays"
WIDEST = "delay.widest_s"
ROUND_TRIP = "pod.round_trip_s"
UNANSWERED = "pod.unanswered_s"

Sample = Callable[[str, str, int, float], None]


def delay_poll(
    cluster: Cluster,
    plan: DelayPlan,
    pods: Callable[[], list[KubeObject]],
    make: Callable[[DelayPlan, Cluster, Replica], Asking],
    record: Callable[[Entry], None],
    sample: Sample,
    now_ns: Callable[[], int],
) -> Poll:
    """The poll of a context's replicas. make: how a replica is asked; the others as Poll takes them."""

    def question(replica: Replica, _since_ns: int | None) -> _Timed:
        return _Timed(make(plan, cluster, replica), f"{replica.context}/{replica.name}", plan.path, sample, now_ns)

    rounds = Rounds(WATCHES, plan.deployment, PERIOD_S, WIDEST)
    return Poll(cluster.context, rounds, pods, question, record, sample, now_ns)


class _Timed:
    """Times the answers of one replica."""

    def __init__(self, asking: Asking, source: str, path: str, sample: Sample, now_ns: Callable[[], int]) -> None:
        self._asking, self._source, self._path = asking, source, path
        self._sample, self._now_ns = sample, now_ns

    def ask(self) -> Heard:
        asked_ns, heard = self._now_ns(), Heard.ANSWER
        try:
            self._asking.get(self._path)
        except OutOfReach:
            heard = Heard.SILENCE
        except NoAnswer:
            heard = Heard.REFUSAL
        over_ns = self._now_ns()
        series = ROUND_TRIP if heard is Heard.ANSWER else UNANSWERED
        self._sample(series, self._source, over_ns, (over_ns - asked_ns) / 1e9)
        return heard

    def gone(self) -> None:
        """It sends nothing more that could be late."""

    def close(self) -> None:
        self._asking.close()
