from __future__ import annotations

import pytest

from sandbox.client import KubeObject
from sandbox.clock import NS_PER_S
from sandbox.controllers.chaos import conditions, wish
from tests.sandbox.builders import T0_NS, at

DELETED = {"deletionTimestamp": at(1)}
PAUSED = {"annotations": {"experiment.chaos-mesh.org/pause": "true"}}


def experiment(duration: str | None = None, **meta: object) -> KubeObject:
    spec = {} if duration is None else {"duration": duration}
    return {"metadata": {"name": "slow", "namespace": "tars", "creationTimestamp": at(0), **meta}, "spec": spec}


@pytest.mark.parametrize(
    ("chaos", "after_s", "phase", "reason"),
    [
        (experiment(), 10_000, "Run", "Started"),
        (experiment("5m"), 299, "Run", "Started"),
        (experiment("5m"), 300, "Run", "Started"),
        (experiment("5m"), 301, "Stop", "TimeUp"),
        (experiment("5m", **PAUSED), 1, "Stop", "Paused"),
        (experiment("5m", **PAUSED), 301, "Stop", "TimeUp"),
        (experiment(annotations={"experiment.chaos-mesh.org/pause": "false"}), 1, "Run", "Started"),
        (experiment("5m", **DELETED), 1, "Stop", "Deleted"),
    ],
)
def test_an_experiment_runs_until_it_is_over_paused_or_deleted(
    chaos: KubeObject, after_s: int, phase: str, reason: str
) -> None:
    wanted = wish(chaos, one_shot=False, now_ns=T0_NS + after_s * NS_PER_S)
    assert wanted.event is not None
    assert (wanted.phase, wanted.event[0]) == (phase, reason)


def test_it_is_looked_at_again_when_its_duration_is_over() -> None:
    now_ns = T0_NS + 290 * NS_PER_S
    assert wish(experiment("5m"), one_shot=False, now_ns=now_ns).again_s == pytest.approx(10)
    assert wish(experiment(), one_shot=False, now_ns=now_ns).again_s is None


def test_what_happens_in_one_go_runs_until_it_is_deleted() -> None:
    later_ns = T0_NS + 1000 * NS_PER_S
    assert wish(experiment("5m", **PAUSED), one_shot=True, now_ns=later_ns).phase == "Run"
    assert wish(experiment(**DELETED), one_shot=True, now_ns=later_ns).phase == "Stop"


@pytest.mark.parametrize(
    ("phases", "true"),
    [
        ([], set()),
        (["Not Injected"], {"Selected", "AllRecovered"}),
        (["Injected", "Not Injected"], {"Selected"}),
        (["Injected", "Injected"], {"Selected", "AllInjected"}),
    ],
)
def test_conditions_sum_up_the_records(phases: list[str], true: set[str]) -> None:
    records = [{"phase": phase} for phase in phases]
    found = {each["type"]: each["status"] for each in conditions(experiment(), records)}
    assert found == {kind: str(kind in true) for kind in ("Selected", "AllInjected", "AllRecovered", "Paused")}


def test_a_paused_experiment_says_so() -> None:
    assert conditions(experiment(**PAUSED), [])[-1] == {"type": "Paused", "status": "True"}
