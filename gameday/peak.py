"""Chaos Toolkit activities of a drill whose fault is the load itself: it rises to its peak, and falls again.

When it does, the bundle says: its manifest has the schedule. They run inside `chaos`; without a bundle there is no load
to wait for, and they are over at once.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from chaoslib.exceptions import ActivityFailed

from bundle.clock import Anchor
from bundle.manifest import LoadRecord, Manifest
from bundle.timeline import Attribute, Entry, read_timeline
from gameday.control import BUNDLE_VARIABLE
from scorer.load_step import load_fall, load_rise

logger = logging.getLogger("chaostoolkit")

AHEAD_S = 1.0
"""So long before the rise it is waited for closely: Chaos Toolkit needs a moment from one activity to the next."""
NO_LOAD = "no load is recorded, so there is nothing to wait for"
NAP_S = 0.5
LOOK_S = 1.0


def approach() -> str:
    """Wait until just before the load rises to its peak. Raises ActivityFailed where it has risen already."""
    load = _load()
    if load is None:
        return NO_LOAD
    rise_s, now_s = load_rise(load).low / 1e9, _now_s()
    if now_s > rise_s:
        raise ActivityFailed(f"the load rose {now_s - rise_s:.1f} s ago: the baseline took too long to settle")
    _sleep_until(rise_s - AHEAD_S)
    return "the load is about to rise"


def load_rises(deployment: str, ns: str = "default") -> str:
    """Wait until the load has risen to its peak, which the autoscaler of `deployment` must see."""
    load = _load()
    if load is None:
        return NO_LOAD
    _sleep_until(load_rise(load).high / 1e9)
    return f"the load has risen, for {ns}/{deployment} to follow"


def load_falls() -> bool:
    """Wait until the load has fallen from its peak."""
    load = _load()
    if load is not None:
        _sleep_until(load_fall(load).high / 1e9)
    return True


def scaled_back(deployment: str, ns: str = "default", timeout: int = 420) -> bool:
    """Whether the autoscaler of `deployment` wants no more replicas than before the load rose, and has them, within
    `timeout` seconds."""
    load = _load()
    if load is None:
        return True
    risen_ns, deadline_s = load_rise(load).low, time.monotonic() + timeout
    while not back(_seen(deployment, ns), risen_ns):
        if time.monotonic() >= deadline_s:
            logger.error("%s/%s was not scaled back within %d s", ns, deployment, timeout)
            return False
        time.sleep(LOOK_S)
    return True


def back(seen: Iterable[Entry], risen_ns: float) -> bool:
    """Whether the last of an autoscaler's readings wants no more replicas than the last one before the load rose, and
    the last one of its deployment has just these.

    seen: the readings of both, in order. A status follows a moment after what it is about.
    """
    before: int | None = None
    now: int | None = None
    counts: set[Attribute] = set()
    for entry in seen:
        desired = entry.attributes.get("desired")
        if entry.kind == "deployment":
            counts = {desired, *(entry.attributes.get(name) for name in ("ready", "available", "updated"))}
        elif isinstance(desired, int):
            before, now = (desired if entry.latest_ns < risen_ns or before is None else before), desired
    return before is not None and now is not None and now <= before and counts == {now}


def _seen(deployment: str, ns: str) -> Iterator[Entry]:
    """What the watches saw of a deployment and of its autoscaler."""
    context = os.environ.get("KUBERNETES_CONTEXT", "")
    for entry in read_timeline(_bundle() / "timeline.jsonl")[0]:
        called = entry.attributes.get("target") if entry.kind == "hpa" else entry.name
        if entry.kind in ("hpa", "deployment") and (entry.context, entry.namespace, called) == (
            context,
            ns,
            deployment,
        ):
            yield entry


def _bundle() -> Path:
    return Path(os.environ[BUNDLE_VARIABLE])


def _load() -> LoadRecord | None:
    if not os.environ.get(BUNDLE_VARIABLE):
        return None
    return Manifest.model_validate_json((_bundle() / "manifest.json").read_bytes()).load


def _now_s() -> float:
    return Anchor.of(os.environ).now_ns() / 1e9


def _sleep_until(moment_s: float) -> None:
    while (left_s := moment_s - _now_s()) > 0:
        time.sleep(min(left_s, NAP_S))  # not one long sleep: the clock that counts is the bundle's
