"""The burn-rate alerts of every SLO as rules for Prometheus: `python -m scorer.alertrules` writes them.

They are the alerts that `scorer.alerts` replays, over what the service itself counts: `http_requests_total` by `path`
and `code`, and in `http_request_duration_seconds` the times of those that were no server error. A health check is no
request of a user.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scorer.alerts import RULES, Rule, length
from scorer.targets import Slo, Targets

WRITTEN = "deploy/prometheus/slos.yaml"
HEAD = "# Written by `python -m scorer.alertrules` from runbook/targets.yaml: change that, not this.\n"
REQUESTS, TIMES = "http_requests_total", "http_request_duration_seconds_bucket"
USERS, BAD = 'path!="/health"', 'code=~"5.."'
QUICK_S, SLOW_S = 15, 120
"""How often shares over windows of at most, and of more than `LONG_S`, are worked out: the latter read many samples."""
LONG_S = 7200


def rules_text(targets: Targets) -> str:
    """The file of rules, as YAML. The SLOs' limits on latency must be ends of the histogram's buckets."""
    windows = sorted({window_s for rule in RULES for window_s in (rule.long_s, rule.short_s)})
    groups = [
        _group("slo-shares", QUICK_S, [w for w in windows if w <= LONG_S], targets),
        _group("slo-shares-of-days", SLOW_S, [w for w in windows if w > LONG_S], targets),
        {
            "name": "slo-alerts",
            "interval": f"{QUICK_S}s",
            "rules": [_alert(name, slo, rule) for name, slo in targets.slos.items() for rule in RULES],
        },
    ]
    return HEAD + yaml.safe_dump({"groups": groups}, sort_keys=False, width=10_000)


def _group(name: str, interval_s: int, windows_s: list[int], targets: Targets) -> dict[str, Any]:
    rules = [
        {"record": _share(window_s), "labels": {"slo": slo}, "expr": _expression(targets.slos[slo], length(window_s))}
        for slo in targets.slos
        for window_s in windows_s
    ]
    return {"name": name, "interval": f"{interval_s}s", "rules": rules}


def _share(window_s: int) -> str:
    return f"slo:bad_requests:ratio_rate{length(window_s)}"


def _expression(slo: Slo, window: str) -> str:
    """The share of bad requests. No series of the kind that is counted above the line means none of them."""
    total = f"sum(rate({REQUESTS}{{{USERS}}}[{window}]))"
    if slo.latency_ms is None:
        return f"(sum(rate({REQUESTS}{{{USERS},{BAD}}}[{window}])) or vector(0)) / {total}"
    good = f'{TIMES}{{{USERS},le="{slo.latency_ms / 1000:g}"}}'
    return f"1 - (sum(rate({good}[{window}])) or vector(0)) / {total}"


def _alert(name: str, slo: Slo, rule: Rule) -> dict[str, Any]:
    limit = f"{rule.factor * slo.tolerated:.12g}"
    burning = " and ".join(f'{_share(window_s)}{{slo="{name}"}} > {limit}' for window_s in (rule.long_s, rule.short_s))
    return {
        "alert": "ErrorBudgetBurn",
        "expr": burning,
        "labels": {
            "slo": name,
            "windows": f"{length(rule.long_s)}/{length(rule.short_s)}",
            "severity": "page" if rule.pages else "ticket",
        },
        "annotations": {
            "summary": f"{slo.title}: the error budget burns more than {rule.factor:g} times as fast as it may",
        },
    }


def write(root: Path) -> None:
    """Write the rules under the repository's root, from its targets."""
    (root / WRITTEN).write_text(rules_text(Targets.load(root / "runbook" / "targets.yaml")), encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
