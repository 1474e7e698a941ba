"""What is polled for in a drill, besides what is watched: who leads, how late pods answer, how busy they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bundle.timeline import Entry
from gameday.cluster import Cluster
from gameday.experiment import Experiment
from gameday.observe.asking import asking
from gameday.observe.cpu import CpuPoll
from gameday.observe.delays import PATIENCE_S, delay_poll
from gameday.observe.leaders import leader_poll
from gameday.observe.polling import Poll
from gameday.observe.watcher import Watcher


def polls_of(
    experiment: Experiment,
    cluster: Cluster,
    watcher: Watcher,
    record: Callable[[Entry], None],
    sample: Callable[[str, str, int, float], None],
    now_ns: Callable[[], int],
) -> list[Poll | CpuPoll]:
    """The polls of one context, not yet started."""
    polls: list[Poll | CpuPoll] = []
    pods = watcher.pods
    if experiment.leaders is not None:
        polls.append(leader_poll(cluster, experiment.leaders, pods, asking, record, sample, now_ns))
    delays_ns = [e.latency_ns for e in experiment.effects if (e.kind, e.context) == ("delay", cluster.context)]
    if experiment.delays is not None and delays_ns:
        patient = partial(asking, timeout_s=PATIENCE_S + 2 * max(delays_ns) / 1e9)
        polls.append(delay_poll(cluster, experiment.delays, pods, patient, record, sample, now_ns))
    for effect in experiment.effects:
        if (effect.kind, effect.context) == ("load-step", cluster.context):
            polls.append(CpuPoll(cluster, effect.name, watcher.autoscalers, pods, record, sample, now_ns))
    return polls
