"""Activities that wait for the load's own step."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaoslib.exceptions import ActivityFailed

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.manifest import LoadRecord, Manifest
from bundle.rates import RateCurve
from bundle.timeline import Entry
from gameday.actions import wait_for_peak
from gameday.peak import back, load_falls, load_rises, scaled_back

S = 1_000_000_000


def bundle(root: Path, monkeypatch: pytest.MonkeyPatch, began_s_ago: float, *entries: Entry) -> None:
    """A bundle under way whose load rises after 10 s and falls after 20, and began so long ago."""
    anchor = Anchor.take()
    curve = RateCurve(((0, 10), (10, 10), (10, 100), (20, 100), (20, 10)))
    load = LoadRecord(model="open", curves=(curve,), began_ns=anchor.now_ns() - round(began_s_ago * S))
    manifest = Manifest(id="r", drill="d", clock_wall_ns=anchor.wall_ns, clock_mono_ns=anchor.mono_ns, load=load)
    (root / "manifest.json").write_text(manifest.model_dump_json())
    (root / "timeline.jsonl").write_text("".join(entry.to_json() + "\n" for entry in entries))
    monkeypatch.setenv("GAMEDAY_BUNDLE", str(root))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, anchor.text())
    monkeypatch.setenv("KUBERNETES_CONTEXT", "east")


def hpa(at_ns: int, desired: int | None, target: str = "eval") -> Entry:
    attributes = {"target": target, "desired": desired}
    return Entry("hpa", "modified", at_ns, at_ns, "east", "tars", "h", "u", "watch", attributes)


def replicas(at_ns: int, wanted: int, ready: int, updated: int | None = None) -> Entry:
    counts = {"ready": ready, "available": ready, "updated": ready if updated is None else updated}
    return Entry(
        "deployment", "modified", at_ns, at_ns, "east", "tars", "eval", "d", "watch", {"desired": wanted, **counts}
    )


def test_it_is_over_at_once_just_before_the_rise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path, monkeypatch, 9.5)
    assert wait_for_peak() == "the load is about to rise"


def test_a_peak_that_came_too_early_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path, monkeypatch, 12)
    with pytest.raises(ActivityFailed, match=r"the load rose 2\.\d s ago: the baseline took too long"):
        wait_for_peak()


def test_the_rise_and_the_fall_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path, monkeypatch, 10.1)
    assert load_rises("eval", "tars") == "the load has risen, for tars/eval to follow"
    bundle(tmp_path, monkeypatch, 20.1)
    assert load_falls()


def test_it_is_told_whether_the_autoscaler_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before_ns = Anchor.take().now_ns() - 25 * S
    up = (hpa(before_ns, 2), hpa(before_ns + 20 * S, 4), hpa(before_ns + 20 * S, 1, "other"))
    bundle(tmp_path, monkeypatch, 30, *up, replicas(before_ns + 21 * S, 4, 4))
    assert not scaled_back("eval", "tars", timeout=0)
    bundle(tmp_path, monkeypatch, 30, *up, hpa(before_ns + 22 * S, 2), replicas(before_ns + 22 * S, 2, 2))
    assert scaled_back("eval", "tars", timeout=0)


@pytest.mark.parametrize(
    ("desired", "is_back"),
    [
        ([(1, 2)], True),
        ([(1, 2), (6, 4)], False),
        ([(1, 2), (6, 4), (9, 2)], True),
        ([(1, 2), (6, 4), (9, 3)], False),
        ([(1, 2), (3, 4), (9, 4)], True),  # it wanted four before the load rose
        ([(6, 2), (8, 4)], False),  # first seen afterwards
        ([(1, None)], False),
        ([], False),
    ],
)
def test_back_is_where_it_was_before_the_load_rose(desired: list[tuple[int, int | None]], is_back: bool) -> None:
    readings = [hpa(at, count) for at, count in desired]
    last = desired[-1][1] if desired else 2
    assert back([*readings, replicas(10, last or 0, last or 0)], 5) is is_back


@pytest.mark.parametrize(
    ("seen", "is_back"),
    [((), False), ((2, 4), False), ((2, 1), False), ((4, 4), False), ((2, 2, 1), False), ((2, 2), True)],
)
def test_its_deployment_must_have_the_replicas_that_it_wants(seen: tuple[int, ...], is_back: bool) -> None:
    assert back([hpa(1, 2), *([replicas(10, *seen)] if seen else [])], 5) is is_back


def test_without_a_bundle_there_is_nothing_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAMEDAY_BUNDLE", raising=False)
    assert wait_for_peak() == load_rises("eval") == "no load is recorded, so there is nothing to wait for"
    assert load_falls()
    assert scaled_back("eval")


def test_the_experiment_has_a_step_that_the_autoscaler_must_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    from gameday.experiment import load_experiment

    monkeypatch.delenv("GAMEDAY_NAMESPACE", raising=False)
    found = load_experiment(Path(__file__).parents[2] / "experiments" / "autoscale-peak.yaml", "east")
    assert [(e.kind, e.name, e.namespace, e.activity) for e in found.effects] == [
        ("load-step", "eval-engine", "tars", "let-the-load-rise")
    ]
