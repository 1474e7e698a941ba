"""A drill of a game day as a plan: what its errors name, and what it leaves in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gameday.cluster import Cluster
from gameday.errors import BadInput
from gameday.itemplan import environment_kept, plan_of
from scorer.errors import TargetsError
from tests.gameday.days import agenda, item

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    for name in ("GAMEDAY_HOST", "GAMEDAY_NAMESPACE", "KUBERNETES_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


def test_an_unknown_drill_is_told_with_its_line_in_the_plan(tmp_path: Path) -> None:
    day = agenda(tmp_path, item(), item("second", drill="moon-landing"))
    with pytest.raises(TargetsError) as caught:
        plan_of(day, day.drills[1], tmp_path)
    says = "second: runbook/targets.yaml: says nothing about the drill 'moon-landing'"
    assert caught.value.line().startswith(f"{day.where(day.drills[1])}: runbook/targets.yaml")
    assert says in caught.value.line()


def test_an_experiment_that_is_not_there_is_told_with_the_drill_that_names_it(tmp_path: Path) -> None:
    day = agenda(tmp_path, item(experiment="experiments/none.yaml"))
    with pytest.raises(BadInput, match=r"first: experiments/none.yaml: no such experiment"):
        plan_of(day, day.drills[0], tmp_path)


def test_a_context_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, cluster: Cluster) -> None:
    assert cluster
    day = agenda(tmp_path, item(), contexts=["moon"])
    with pytest.raises(BadInput, match=r"first: .*: no context 'moon'; give one of us-east-1"):
        plan_of(day, day.drills[0], tmp_path)


def test_a_drill_has_what_it_says_and_else_what_the_day_says(tmp_path: Path, cluster: Cluster) -> None:
    host = f"http://{cluster._host.removeprefix('https://')}"
    day = agenda(
        tmp_path,
        item(rate_per_s=7, warm_up_s=1, seed=3),
        item("second", host="http://127.0.0.1:9"),
        contexts=["us-east-1"],
        host=host,
        namespace="default",
    )
    with environment_kept():
        first, second = (plan_of(day, drill, tmp_path) for drill in day.drills)
        assert os.environ["GAMEDAY_HOST"] == "http://127.0.0.1:9"
    assert (first.host, second.host) == (host, "http://127.0.0.1:9")
    assert first.clusters[0].namespace == "default"
    assert (first.limits.warm_up_s, second.limits.warm_up_s) == (1, 5)
    assert (first.asked.rate_per_s, first.seed) == (7, 3)
    assert "GAMEDAY_HOST" not in os.environ


def _set_and_fail() -> None:
    with environment_kept():
        os.environ.update({"GAMEDAY_HOST": "http://other", "KUBERNETES_CONTEXT": "x"})
        raise KeyError


def test_the_environment_is_as_before_also_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_HOST", "http://mine")
    with pytest.raises(KeyError):
        _set_and_fail()
    assert os.environ["GAMEDAY_HOST"] == "http://mine"
    assert "KUBERNETES_CONTEXT" not in os.environ
