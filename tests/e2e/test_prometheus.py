"""The real Prometheus of a sandbox: what it scrapes, and what a drill and its experiment have of it."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gameday.prometheus import VARIABLE, addresses
from sandbox.network import REGIONS
from sandbox.prometheus.program import find
from tests.e2e.sandbox import POD_KILL, STEADY, Sandbox, verdict_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(find({}) is None, reason="no prometheus: `make tools` fetches it"),
]

PATIENCE_S = 30.0
CONFIGURATION = "configuration:\n"
PROBES = "  probes:\n"
SCRAPED = """\
    - name: pods-are-scraped
      type: probe
      tolerance: {type: jsonpath, path: "$.data.result[*]", count: 0}
      provider:
        type: python
        module: chaosprometheus.probes
        func: query
        arguments: {query: 'count(max_over_time(up{job="pods"}[15s]) == 1) < 6'}
"""
"""Of seven: the one that took the place of the killed one may be scraped before it listens."""


def asked(url: str, query: str) -> list[dict[str, Any]]:
    """An instant query."""
    with urllib.request.urlopen(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def scraped(url: str) -> dict[str, int]:
    """How many targets of each job were reached lately."""
    return dict(Counter(each["metric"]["job"] for each in asked(url, "max_over_time(up[15s]) == 1")))


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.2)


def test_each_regions_prometheus_scrapes_that_regions_pods_and_envoy_and_knows_the_alerts(hardened: Sandbox) -> None:
    urls = addresses(hardened.environment[VARIABLE])
    assert tuple(urls) == REGIONS
    for url in urls.values():
        # It takes up new pods every five seconds, and a busy machine may fail a scrape now and then.
        until(lambda url=url: scraped(url) == {"pods": 7, "envoy": 1})
        assert asked(url, 'http_requests_total{path="/health",code="200"} > 0')
        with urllib.request.urlopen(f"{url}/api/v1/rules?type=alert", timeout=10) as answer:
            groups = json.load(answer)["data"]["groups"]
        assert len([rule for group in groups for rule in group["rules"]]) == 8


def test_the_services_figures_stand_beside_its_users_and_the_experiment_may_ask_prometheus(
    hardened: Sandbox, tmp_path: Path
) -> None:
    experiment = tmp_path / "pod-kill.yaml"
    text = POD_KILL.read_text()
    where = "  prometheus_base_url: {type: env, key: GAMEDAY_PROMETHEUS_URL}\n"
    experiment.write_text(text.replace(CONFIGURATION, CONFIGURATION + where, 1).replace(PROBES, PROBES + SCRAPED, 1))
    runs = tmp_path / "runs"
    options = ["--load", str(STEADY), "--context", "us-east-1", "--runs", str(runs)]
    done = hardened.run("run", str(experiment), *options)
    assert done.returncode == 0, done.stdout + done.stderr

    measures = {measure["name"]: measure for measure in verdict_of(runs)["measures"]}
    rate, p95 = measures["service-error-rate"], measures["service-latency-p95"]
    assert rate["value"] == 0
    assert rate["n"] > 500
    assert [line.partition(":")[0] for line in rate["evidence"][1:4]] == sorted(REGIONS)
    assert 0 <= p95["low"] < p95["value"] < p95["high"]
    assert measures["service-gap.error-rate"]["low"] <= 0 <= measures["service-gap.error-rate"]["high"]
    journal = json.loads((runs / "latest" / "journal.json").read_text())
    [probe] = [p for p in journal["steady_states"]["before"]["probes"] if p["activity"]["name"] == "pods-are-scraped"]
    assert probe["tolerance_met"]
