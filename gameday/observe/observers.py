"""Everything that looks at a drill's clusters while it runs: what is watched of each, and what is polled for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bundle.timeline import Entry
from gameday.chaosmesh import watched_in
from gameday.deployment import DeploymentState
from gameday.errors import Aborted
from gameday.observe.cpu import CpuPoll
from gameday.observe.entries import OF_SCALING
from gameday.observe.injections import Injections, last_call_ns
from gameday.observe.polling import Poll
from gameday.observe.polls import polls_of
from gameday.observe.watcher import Watcher
from gameday.plan import DrillPlan

START_TIMEOUT_S = 20.0


class Observers:
    """Those of a plan, from `start` to `stop`.

    root: the bundle that they are recorded into. record, sample and now_ns: as a Watcher takes them.
    """

    def __init__(
        self,
        plan: DrillPlan,
        root: Path,
        record: Callable[[Entry], None],
        sample: Callable[[str, str, int, float], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._plan, self._record, self._sample, self._now_ns = plan, record, sample, now_ns
        chaos = plan.experiment.chaos
        injections = Injections(chaos, record, partial(last_call_ns, root / "timeline.jsonl"))
        scaling = {effect.context for effect in plan.experiment.effects if effect.kind == "load-step"}
        self._watchers = [
            Watcher(
                cluster,
                injections,
                sample,
                now_ns,
                (*watched_in(chaos, cluster.context), *(OF_SCALING if cluster.context in scaling else ())),
            )
            for cluster in plan.clusters
        ]
        self._polls: list[Poll | CpuPoll] = []

    def start(self) -> None:
        """Begin to watch every cluster, then to poll. Raises Aborted where one can't be watched in time."""
        for watcher in self._watchers:
            if not watcher.start(START_TIMEOUT_S):
                raise Aborted(
                    f"could not watch the cluster within {START_TIMEOUT_S:g} s",
                    where=f"context {watcher.context}",
                    do="see timeline.jsonl for the reason",
                )
        for cluster, watcher in zip(self._plan.clusters, self._watchers, strict=True):
            experiment, record = self._plan.experiment, self._record
            for poll in polls_of(experiment, cluster, watcher, record, self._sample, self._now_ns):
                self._polls.append(poll)
                poll.start()

    def stop(self) -> None:
        """End every one of them, polls first, whatever one runs into. Harmless where none has begun."""
        with ExitStack() as closing:  # unwound from the last line to the first
            for watcher in self._watchers:
                closing.callback(watcher.stop)
            for poll in self._polls:
                closing.callback(poll.stop)

    def whole(self) -> bool:
        """Whether every deployment has settled, as last seen."""
        return all(state.settled for state in self._states())

    def replicas(self) -> str:
        """Ready of desired replicas, such as `7/7`."""
        states = self._states()
        return f"{sum(s.ready for s in states)}/{sum(s.desired for s in states)}"

    def _states(self) -> list[DeploymentState]:
        return [deployment for watcher in self._watchers for deployment in watcher.deployments()]
