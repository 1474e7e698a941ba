from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.network import Network
from sandbox.prometheus.configuration import configuration
from sandbox.prometheus.program import find

NETWORK = Network("127.95")
EAST = NETWORK.regions[0]
PROMTOOL = (find({}) or Path("prometheus")).with_name("promtool")


def made(folder: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(configuration(NETWORK, EAST, folder / "pods.json", folder / "*.yaml"))
    return parsed


@pytest.mark.parametrize(
    ("stat", "taken"),
    [
        ("cluster.us-east-1/tars/eval-engine/http.upstream_rq_xx", True),
        ("cluster.global/tars/eval-engine/http.upstream_rq_retry", True),
        ("http.entry.downstream_rq_xx", True),
        ("cluster.us-west-2/tars/eval-engine/http.upstream_rq_total", False),
        ("cluster.us-east-1/tars/eval-engine/http.upstream_cx_total", False),
        ("cluster.us-east-1/tars/eval-engine/http.upstream_rq_time", False),
        ("http.admin.downstream_rq_xx", False),
    ],
)
def test_of_envoy_a_region_takes_the_requests_to_its_own_services_and_through_the_entry(
    tmp_path: Path, stat: str, taken: bool
) -> None:
    [envoy] = [job for job in made(tmp_path)["scrape_configs"] if job["job_name"] == "envoy"]
    assert bool(re.search(envoy["params"]["filter"][0], stat)) is taken


def test_everything_is_scraped_every_second_under_the_name_of_the_region(tmp_path: Path) -> None:
    settings = made(tmp_path)["global"]
    assert settings["scrape_interval"] == "1s"
    assert settings["external_labels"] == {"region": "us-east-1"}


@pytest.mark.skipif(not PROMTOOL.exists(), reason="no promtool: `make tools` fetches it")
def test_prometheus_itself_finds_no_fault_with_it(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yaml"
    (tmp_path / "pods.json").write_text("[]")
    rules = Path(__file__).parents[3] / "deploy" / "prometheus" / "*.yaml"
    file.write_text(configuration(NETWORK, EAST, tmp_path / "pods.json", rules))
    done = subprocess.run([PROMTOOL, "check", "config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "22 rules found" in done.stdout
