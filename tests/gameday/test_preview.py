"""What a game day would run and touch, read from an API server that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle.manifest import Effect
from gameday.agenda import Agenda
from gameday.cluster import Cluster
from gameday.experiment import Experiment
from gameday.phases import PhaseLimits
from gameday.preview import HARNESS_UNDOES, actions_of, preview_of, shortest_s
from tests.gameday.days import agenda, item
from tests.gameday.kubernetes import Objects

REPOSITORY = Path(__file__).parents[2]
HOST = "http://127.0.0.1:9"


@pytest.fixture
def day(tmp_path: Path, cluster: Cluster, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> Agenda:
    """A day of one drill, twice, on a cluster with one deployment."""
    assert cluster
    monkeypatch.chdir(REPOSITORY)
    objects.deployment("web", 3)
    drill = item(repeats=2, severity=2, rate_per_s=50, warm_up_s=3, baseline_s=6, cool_down_s=2)
    return agenda(tmp_path, drill, contexts=["us-east-1"], host=HOST)


def test_it_shows_contexts_deployments_actions_load_and_how_long(day: Agenda, tmp_path: Path) -> None:
    found = preview_of(day, tmp_path)
    (drill,) = found.drills
    (context,) = drill.contexts
    assert (context.context, context.namespace) == ("us-east-1", "tars")
    assert [(d.name, d.replicas, d.ready) for d in context.deployments] == [("web", 3, 0)]
    (action,) = drill.actions
    assert action.calls == "chaosk8s.pod.actions.terminate_pods"
    assert action.does == "ends 1 or more pods with app=orchestration-agent in us-east-1, namespace tars"
    assert action.proof == "pods-replaced"
    assert action.undone_by == ("their controller, which makes new pods", HARNESS_UNDOES)
    assert (drill.load.highest_per_s, drill.load.model, drill.load.host) == (50, "open", HOST)
    assert "failed-requests" in drill.objectives
    assert 11 < drill.shortest_s < drill.longest_s
    assert (found.shortest_s, found.longest_s) == (2 * drill.shortest_s, 2 * drill.longest_s)


def test_looking_changes_nothing(day: Agenda, cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.list("deployments")["items"]
    preview_of(day, tmp_path / "runs")
    assert cluster.list("deployments")["items"] == before
    assert not (tmp_path / "runs").exists()


class _Plan:
    """As much of a drill's plan as its actions are read from."""

    def __init__(self, path: Path, method: list[dict[str, Any]], *effects: Effect, rollbacks: tuple[str, ...]) -> None:
        path.write_text(yaml.safe_dump({"title": "t", "method": method}))
        self.experiment = Experiment(path, "t", "t", effects, rollbacks)


def test_each_action_is_told_with_its_rollbacks_and_what_proves_it(tmp_path: Path) -> None:
    python = {"type": "python", "module": "chaosk8s.deployment.actions", "func": "scale_deployment"}
    method = [
        {"type": "action", "name": "scale", "provider": python},
        {"type": "probe", "name": "look", "provider": python},
        {"type": "action", "name": "script", "provider": {"type": "process", "path": "sh"}},
        {"type": "action", "name": "call", "provider": {"type": "http", "url": "http://x"}},
    ]
    effect = Effect(kind="replicas", activity="scale", context="moon", namespace="n", name="web", count=0)
    plan = _Plan(tmp_path / "e.yaml", method, effect, rollbacks=("scale-back",))
    scale, script, call = actions_of(plan)  # type: ignore[arg-type]
    assert (scale.does, scale.proof) == ("scales deployment web to 0 in moon, namespace n", "replicas")
    assert scale.undone_by == ("the experiment's rollback scale-back", HARNESS_UNDOES)
    assert (script.calls, script.proof) == ("sh", None)
    assert call.calls == "http://x"


def test_a_load_that_rises_undoes_itself(tmp_path: Path) -> None:
    rises = {"type": "python", "module": "gameday.peak", "func": "load_rises"}
    effect = Effect(kind="load-step", activity="rise", context="moon", namespace="n", name="web")
    plan = _Plan(tmp_path / "e.yaml", [{"type": "action", "name": "rise", "provider": rises}], effect, rollbacks=())
    (rise,) = actions_of(plan)  # type: ignore[arg-type]
    assert rise.does == "lets the load rise to its peak, for the autoscaler of web to follow in moon, namespace n"
    assert rise.undone_by[0] == "the load itself, which falls again"


@pytest.mark.parametrize(
    ("requests", "highest_per_s", "shortest"), [(0, 100.0, 30), (1000, 100.0, 35), (1000, None, 30), (1000, 0.0, 30)]
)
def test_a_drill_lasts_at_least_until_enough_was_sent(
    requests: int, highest_per_s: float | None, shortest: float
) -> None:
    assert shortest_s(PhaseLimits(requests=requests, highest_per_s=highest_per_s)) == shortest
