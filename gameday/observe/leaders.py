"""Polls every replica of one context for its role while a drill runs.

A poll says what was true at some time between question and answer, so each change lies between the last question that
was answered otherwise and the first answer that said so.
"""

from __future__ import annotations

from collections.abc import Callable

from bundle.timeline import Entry
from gameday.cluster import Cluster
from gameday.observe.asking import Asking, NoAnswer, OutOfReach
from gameday.observe.polling import Heard, Poll, Rounds
from gameday.observe.reflector import KubeObject
from gameday.observe.roles import RolePlan, role_in
from gameday.observe.sighting import Replica, Sighting

PERIOD_S = 0.015
"""From one question to the next, of each replica: no more than 20 ms, waking up late included."""
WATCHES = "leaders"
WIDEST = "poll.widest_s"


def leader_poll(
    cluster: Cluster,
    plan: RolePlan,
    pods: Callable[[], list[KubeObject]],
    make: Callable[[RolePlan, Cluster, Replica], Asking],
    record: Callable[[Entry], None],
    sample: Callable[[str, str, int, float], None],
    now_ns: Callable[[], int],
) -> Poll:
    """The poll of a context's replicas. make: how a replica is asked; the others as Poll takes them."""
    named: set[str] = set()

    def belongs_to(region: str) -> None:
        """Note once what the region is called, as answers of the service name it, too."""
        if region and not named:
            named.add(region)
            at_ns = now_ns()
            record(Entry("region", "named", at_ns, at_ns, cluster.context, name=region, source="poll"))

    def question(replica: Replica, since_ns: int | None) -> _Role:
        return _Role(make(plan, cluster, replica), Sighting(replica, record, since_ns), plan, now_ns, belongs_to)

    rounds = Rounds(WATCHES, plan.deployment, PERIOD_S, WIDEST)
    return Poll(cluster.context, rounds, pods, question, record, sample, now_ns)


class _Role:
    """Asks one replica for its role. belongs_to: called with the region that it names, "" where it names none."""

    def __init__(
        self,
        asking: Asking,
        sighting: Sighting,
        plan: RolePlan,
        now_ns: Callable[[], int],
        belongs_to: Callable[[str], None],
    ) -> None:
        self._asking, self._sighting, self._plan, self._now_ns = asking, sighting, plan, now_ns
        self._belongs_to = belongs_to

    def ask(self) -> Heard:
        asked_ns, role = self._now_ns(), None
        try:
            role = role_in(self._asking.get(self._plan.path)[1], self._plan.field)
        except OutOfReach:
            self._sighting.silent(asked_ns, self._now_ns())
            return Heard.SILENCE
        except (NoAnswer, ValueError):
            pass
        self._sighting.answered(asked_ns, self._now_ns(), role)
        if role is None:
            return Heard.REFUSAL
        self._belongs_to(role.region)
        return Heard.ANSWER

    def gone(self) -> None:
        self._sighting.gone(self._now_ns())

    def close(self) -> None:
        self._asking.close()
