"""The rules as they are written, and as Prometheus's own tester evaluates them over planted series."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sandbox.prometheus.program import find
from sandbox.service.metrics import BUCKETS_S
from scorer.alertrules import WRITTEN, rules_text
from scorer.targets import Targets

REPOSITORY = Path(__file__).parents[2]
TARGETS = Targets.load(REPOSITORY / "runbook" / "targets.yaml")
PROMTOOL = (find({}) or Path("prometheus")).with_name("promtool")


def test_the_written_rules_are_those_of_the_targets() -> None:
    """Else: `python -m scorer.alertrules`."""
    assert (REPOSITORY / WRITTEN).read_text() == rules_text(TARGETS)


def test_the_reference_service_has_a_bucket_that_ends_at_each_limit_on_latency() -> None:
    """Without it, every request would count as slow."""
    limits_s = [slo.latency_ms / 1000 for slo in TARGETS.slos.values() if slo.latency_ms is not None]
    assert limits_s
    assert set(limits_s) <= set(BUCKETS_S)


@dataclass(frozen=True)
class Minute:
    """What a minute holds: requests of users, how many of them were server errors, and how many were answered late;
    health checks beside them, all of them bad."""

    requests: int
    errors: int = 0
    slow: int = 0


def series(minute: Minute, minutes: int) -> list[dict[str, str]]:
    good = minute.requests - minute.errors

    def rising(name: str, by: int) -> dict[str, str]:
        return {"series": name, "values": f"0+{by}x{minutes}"}

    return [
        rising('http_requests_total{path="/a",code="200"}', good),
        rising('http_requests_total{path="/a",code="503"}', minute.errors),
        rising('http_requests_total{path="/health",code="503"}', minute.requests),
        rising('http_request_duration_seconds_bucket{path="/a",le="0.15"}', good - minute.slow),
        rising('http_request_duration_seconds_bucket{path="/a",le="+Inf"}', good),
    ]


def firing(folder: Path, minute: Minute) -> set[tuple[str, str]]:
    """(SLO, windows) of the alerts that fire after an hour of such minutes, as promtool finds them."""
    wanted = [(slo, windows) for slo in TARGETS.slos for windows in ("1h/5m", "6h/30m", "1d/2h", "3d/6h")]
    found = set()
    for pair in wanted:
        if not _agrees(folder, minute, pair, fires=False):
            assert _agrees(folder, minute, pair, fires=True)
            found.add(pair)
    return found


def _agrees(folder: Path, minute: Minute, pair: tuple[str, str], *, fires: bool) -> bool:
    slo, windows = pair
    alerts = f'count(ALERTS{{alertstate="firing",slo="{slo}",windows="{windows}"}}) or vector(0)'
    test = {
        "rule_files": [str(REPOSITORY / WRITTEN)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series(minute, 65),
                "promql_expr_test": [
                    {"expr": alerts, "eval_time": "62m", "exp_samples": [{"labels": "{}", "value": int(fires)}]}
                ],
            }
        ],
    }
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    return subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not PROMTOOL.exists(), reason="no promtool: `make tools` fetches it")
@pytest.mark.parametrize(
    ("minute", "fires"),
    [
        (Minute(600), set()),
        # 0.5 % is tolerated, and nothing fires at just that.
        (Minute(1000, errors=5), set()),
        (Minute(1000, errors=10), {("availability", "3d/6h")}),
        (Minute(1000, errors=40), {("availability", "6h/30m"), ("availability", "1d/2h"), ("availability", "3d/6h")}),
        (Minute(1000, errors=80), {("availability", w) for w in ("1h/5m", "6h/30m", "1d/2h", "3d/6h")} |
         {("api-latency", "3d/6h")}),
        (Minute(1000, slow=400), {("api-latency", w) for w in ("6h/30m", "1d/2h", "3d/6h")}),
    ],
    ids=["well", "as tolerated", "twice", "eightfold", "sixteenfold", "slow"],
)  # fmt: skip
def test_an_alert_fires_beyond_its_burn_rate(tmp_path: Path, minute: Minute, fires: set[tuple[str, str]]) -> None:
    """Prometheus knows of nothing before the hour: what is bad through it is bad in every window."""
    assert firing(tmp_path, minute) == fires
