"""The configuration of a region's Prometheus. Pure."""

from __future__ import annotations

from pathlib import Path

import yaml

from sandbox.network import Network, Region

SCRAPE_INTERVAL = "1s"
ENTRY = "entry"
FORWARDED = "upstream_rq_(total|xx|retry|timeout|pending_total)$"


def configuration(network: Network, region: Region, pods: Path, rules: Path) -> str:
    """Its text. pods: the list of pods to scrape; rules: a path with `*` of files with rules; there may be none.

    Of the one Envoy a region scrapes what was asked of its own Services and, as the entry knows no regions, of all of
    them together. Envoy's own histograms are left out: it renews them every five seconds only.
    """
    envoy = rf"^cluster\.({region.name}|global)/.*\.{FORWARDED}|^http\.{ENTRY}\.downstream_rq_xx$"
    return yaml.safe_dump(
        {
            "global": {
                "scrape_interval": SCRAPE_INTERVAL,
                "scrape_timeout": SCRAPE_INTERVAL,
                "evaluation_interval": "15s",
                "external_labels": {"region": region.name},
            },
            "rule_files": [str(rules)],
            "scrape_configs": [
                {"job_name": "pods", "file_sd_configs": [{"files": [str(pods)]}]},
                {
                    "job_name": "envoy",
                    "metrics_path": "/stats/prometheus",
                    "params": {"usedonly": [""], "filter": [envoy]},
                    "static_configs": [{"targets": [str(network.envoy_admin)]}],
                },
            ],
        },
        sort_keys=False,
    )
