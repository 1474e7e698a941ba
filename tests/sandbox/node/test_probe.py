from __future__ import annotations

import pytest

from sandbox.node.probe import ProbeKind, ProbeSpec, ProbeState


def spec(kind: ProbeKind = ProbeKind.READINESS, **fields: int) -> ProbeSpec:
    made = ProbeSpec.of({kind.field: {"tcpSocket": {"port": 80}, **fields}}, kind)
    assert made is not None
    return made


def test_a_probe_has_kubernetes_defaults() -> None:
    made = spec()
    assert (made.initial_delay_s, made.period_s, made.timeout_s) == (0, 10, 1)
    assert (made.success_threshold, made.failure_threshold, made.grace_s) == (1, 3, None)
    assert ProbeSpec.of({}, ProbeKind.LIVENESS) is None


@pytest.mark.parametrize(
    ("kind", "initial_delay_s", "period_s", "expected_s"),
    [
        (ProbeKind.READINESS, 0, 5, 0),  # looked at as soon as the container runs
        (ProbeKind.READINESS, 7, 5, 10),  # the first tick after the delay
        (ProbeKind.LIVENESS, 0, 5, 5),
        (ProbeKind.LIVENESS, 5, 5, 5),
        (ProbeKind.STARTUP, 1, 2, 2),
    ],
)
def test_when_the_first_probe_is_due(kind: ProbeKind, initial_delay_s: int, period_s: int, expected_s: int) -> None:
    assert spec(kind, initialDelaySeconds=initial_delay_s, periodSeconds=period_s).first_due_s() == expected_s


@pytest.mark.parametrize(
    ("results", "success", "failure", "verdicts"),
    [
        # + success, - failure; the verdict after each
        ("+", 1, 3, "+"),
        ("---", 1, 3, "??-"),
        ("+--+", 1, 3, "++++"),  # two failures of three change nothing
        ("+---+", 1, 3, "+++-+"),
        ("+-+--", 1, 2, "++++-"),  # a success in between begins the count anew
        ("-++", 2, 1, "--+"),
        ("-+-+", 2, 1, "----"),
    ],
)
def test_the_verdict_changes_when_enough_equal_results_follow_each_other(
    results: str, success: int, failure: int, verdicts: str
) -> None:
    probe, state, found = spec(successThreshold=success, failureThreshold=failure), ProbeState(), ""
    for result in results:
        state = state.observe(result == "+", probe)
        found += {True: "+", False: "-", None: "?"}[state.verdict]
    assert found == verdicts
