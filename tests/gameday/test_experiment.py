"""Experiments are checked before anything starts, and each complaint has its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.errors import BadInput
from gameday.experiment import load_experiment
from gameday.observe.roles import DelayPlan

REPOSITORY = Path(__file__).parents[2]
POD_KILL = (REPOSITORY / "experiments" / "pod-kill.yaml").read_text()

POD_KILL_METHOD = POD_KILL[: POD_KILL.index("method:")].count("\n")


def line_of(text: str, part: str) -> int:
    """The 1-based line at which `part` first stands in `text`."""
    return text[: text.index(part)].count("\n") + 1


def test_the_pod_kill_experiment_must_replace_one_orchestration_agent() -> None:
    experiment = load_experiment(REPOSITORY / "experiments" / "pod-kill.yaml", "us-east-1")
    (effect,) = experiment.effects
    assert experiment.name == "pod-kill"
    assert (effect.kind, effect.context, effect.namespace) == ("pods-replaced", "us-east-1", "tars")
    assert (effect.selector, effect.count) == ("app=orchestration-agent", 1)


def test_configuration_from_the_environment_reaches_the_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_NAMESPACE", "elsewhere")
    (effect,) = load_experiment(REPOSITORY / "experiments" / "pod-kill.yaml", "c").effects
    assert effect.namespace == "elsewhere"


def test_an_experiment_whose_method_is_empty_has_no_effect(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(POD_KILL[: POD_KILL.index("method:")] + "method: []\n")
    assert load_experiment(path, "c").effects == ()


def test_the_network_delay_must_be_seen_at_one_pod_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_DELAY_LATENCY", "250ms")
    monkeypatch.setenv("GAMEDAY_REACH", "proxy")
    experiment = load_experiment(REPOSITORY / "experiments" / "network-delay.yaml", "us-east-1")
    ((effect,), (made,)) = experiment.effects, experiment.chaos
    assert (effect.kind, effect.selector, effect.latency_ns) == ("delay", "app=orchestration-agent", 250_000_000)
    assert str(made) == "networkchaos tars/gameday-network-delay in us-east-1"
    assert experiment.delays == DelayPlan(reach="proxy")
    assert experiment.rollbacks == ("remove-the-delay-whatever-happened",)


def test_a_podchaos_must_replace_the_pod_that_it_kills() -> None:
    experiment = load_experiment(REPOSITORY / "experiments" / "pod-kill-podchaos.yaml", "us-east-1")
    by_hand = load_experiment(REPOSITORY / "experiments" / "pod-kill.yaml", "us-east-1")
    assert experiment.effects == by_hand.effects
    assert [str(made) for made in experiment.chaos] == ["podchaos tars/gameday-pod-kill in us-east-1"]


def test_a_delay_that_nobody_would_measure_is_refused(tmp_path: Path) -> None:
    text = (REPOSITORY / "experiments" / "network-delay.yaml").read_text()
    path = tmp_path / "x.yaml"
    path.write_text(text.replace("    delays: {deployment", "    delay: {deployment"))
    with pytest.raises(BadInput, match="nobody would measure the delay"):
        load_experiment(path, "c")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("delays: {deployment", "delays: {nobody: {}, deployment", "delays: nobody"),
        ("delays: {", "delays: nonsense\n    others: {", "delays: must be a mapping"),
        ("labelSelectors: {", "labelSelectors: app\n            others: {", "cannot be used"),
    ],
)
def test_a_delay_of_another_shape_is_refused_in_one_line(tmp_path: Path, before: str, after: str, says: str) -> None:
    text = (REPOSITORY / "experiments" / "network-delay.yaml").read_text()
    assert before in text
    path = tmp_path / "x.yaml"
    path.write_text(text.replace(before, after))
    with pytest.raises(BadInput, match=says):
        load_experiment(path, "c")


@pytest.mark.parametrize(
    ("before", "after", "at", "says"),
    [
        ("func: terminate_pods", "func: terminate_podz", "name: kill-one", "terminate_podz"),
        ("qty: 1", "quantity: 1", "name: kill-one", "quantity"),
        ("module: chaosk8s.pod.actions", "module: no.such.module", "name: kill-one", "no.such.module"),
        ("type: action", "type: acton", "name: kill-one", "acton"),
        ("  - name: kill-one-orchestration-agent\n", "  - title: x\n", "title: x", "needs a name"),
        ("method:\n", "method: 3\nnotes:\n", "method: 3", "list of activities"),
        ("title: A killed", "tittle: A killed", "tittle", "title"),
        ("tolerance: 200", "tolerance: [1", "tolerance: [1", "not valid YAML"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, before: str, after: str, at: str, says: str) -> None:
    assert before in POD_KILL
    text = POD_KILL.replace(before, after, 1)
    path = tmp_path / "pod-kill.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=says) as caught:
        load_experiment(path, "c")
    line = caught.value.line()
    assert "\n" not in line
    told = int(line.removeprefix(f"{path}:").split(":")[0])
    if "tittle" in after:
        assert told == 1  # a missing key has no line of its own
    else:
        assert abs(told - line_of(text, at)) <= 1


@pytest.mark.parametrize("text", ["", "[]", "just words", "title: x", "method: []"])
def test_what_is_no_experiment_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=str(path)):
        load_experiment(path, "c")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        load_experiment(tmp_path / "none.yaml", "c")


@pytest.mark.parametrize("wrong", ["qty: abc", "qty:", 'qty: "${unset}"', "label_selector: [a]", "ns: 5"])
def test_arguments_that_no_effect_can_be_read_from_are_told_with_their_line(tmp_path: Path, wrong: str) -> None:
    name = wrong.partition(":")[0]
    lines = POD_KILL.splitlines()
    at = next(i for i, line in enumerate(lines) if i > POD_KILL_METHOD and line.strip().startswith(f"{name}:"))
    text = "\n".join([*lines[:at], f"        {wrong}", *lines[at + 1 :]])
    assert text != POD_KILL.rstrip()
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match="arguments cannot be used") as caught:
        load_experiment(path, "c")
    assert f"{path}:{line_of(text, '- name: kill-one')}: " in caught.value.line()


def test_the_context_of_an_actions_own_secrets_is_where_its_effect_is_looked_for(tmp_path: Path) -> None:
    """Chaos Toolkit names an activity's secrets in its provider."""
    text = POD_KILL.replace("      func: terminate_pods\n", "      func: terminate_pods\n      secrets: [k8s]\n")
    path = tmp_path / "x.yaml"
    path.write_text("secrets:\n  k8s: {KUBERNETES_CONTEXT: us-west-2}\n" + text)
    (effect,) = load_experiment(path, "us-east-1").effects
    assert effect.context == "us-west-2"


def test_declared_rollbacks_are_known_by_name(tmp_path: Path) -> None:
    undo = "rollbacks:\n  - {name: undo, type: action, provider: {type: python, module: os, func: getcwd}}\n"
    path = tmp_path / "x.yaml"
    path.write_text(POD_KILL.replace("rollbacks: []\n", undo))
    assert load_experiment(path, "c").rollbacks == ("undo",)


PROMETHEUS_PROBE = """\
configuration:
  prometheus_base_url: {type: env, key: GAMEDAY_PROMETHEUS_URL, default: http://127.0.0.1:9090}
title: x
description: x
method:
  - name: all-pods-are-scraped
    type: probe
    provider:
      type: python
      module: chaosprometheus.probes
      func: query
      arguments: {query: up}
"""


def test_an_experiment_may_ask_prometheus_where_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(PROMETHEUS_PROBE.replace(", default: http://127.0.0.1:9090", ""))
    monkeypatch.setenv("GAMEDAY_PROMETHEUS_URL", "http://127.0.0.1:9090")
    assert load_experiment(path, "c").effects == ()
    monkeypatch.delenv("GAMEDAY_PROMETHEUS_URL")
    with pytest.raises(BadInput, match="GAMEDAY_PROMETHEUS_URL"):
        load_experiment(path, "c")


def test_the_counters_of_a_service_are_those_that_its_experiment_names(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    told = "extensions:\n  - name: gameday\n    service: {requests: 'hits{ns=\"{namespace}\"}'}\n"
    path.write_text(PROMETHEUS_PROBE + told)
    assert load_experiment(path, "c").service.of("shop").requests == 'hits{ns="shop"}'
    path.write_text(PROMETHEUS_PROBE + told.replace("requests", "request"))
    with pytest.raises(BadInput, match=r"service: request: .*see docs/prometheus.md"):
        load_experiment(path, "c")
