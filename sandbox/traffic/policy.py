"""How a Service wants to be served, from the annotations of its manifest. Pure.

    gameday.dev/entry-path         path prefixes that the global entry routes to this Service, separated by commas
    gameday.dev/retries            how often a failed request is tried again, each time on another endpoint
    gameday.dev/retry-on           on which failures (Envoy's words: connect-failure,reset,gateway-error,...)
    gameday.dev/timeout            when a request counts as failed, all its tries together (2s, 500ms)
    gameday.dev/per-try-timeout    when one try counts as failed (2s, 500ms)
    gameday.dev/outlier-detection  after how many failures in a row an endpoint is passed over for a while

Without any of them a Service is served as Kubernetes itself does it: one endpoint in turn, no second chance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.errors import BadManifest

PREFIX = "gameday.dev/"
ENTRY_LABEL = PREFIX + "entry"
DEFAULT_RETRY_ON = "connect-failure,refused-stream"


@dataclass(frozen=True)
class Policy:
    """One Service's wishes; the defaults are those of a Service without annotations."""

    entry_paths: tuple[str, ...] = ()
    retries: int = 0
    retry_on: str = DEFAULT_RETRY_ON
    timeout_s: float | None = None
    per_try_timeout_s: float | None = None
    outlier_failures: int = 0

    @classmethod
    def from_annotations(cls, annotations: Mapping[str, str], where: str) -> Policy:
        """Read the annotations; `BadManifest`, naming `where`, for a value that can't be honoured."""
        own = {key.removeprefix(PREFIX): value for key, value in annotations.items() if key.startswith(PREFIX)}
        paths = tuple(path.strip() for path in own.get("entry-path", "").split(",") if path.strip())
        if any(not path.startswith("/") for path in paths):
            raise BadManifest(f"entry-path {own['entry-path']!r} is no path", where=where, do="begin it with /")
        return cls(
            entry_paths=paths,
            retries=_count(own.get("retries", "0"), "retries", where),
            retry_on=own.get("retry-on", DEFAULT_RETRY_ON).replace(" ", ""),
            timeout_s=_seconds("timeout", own, where),
            per_try_timeout_s=_seconds("per-try-timeout", own, where),
            outlier_failures=_count(own.get("outlier-detection", "0"), "outlier-detection", where),
        )


def _count(text: str, name: str, where: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise BadManifest(f"{name} {text!r} is no count", where=where, do="give a whole number of 0 or more")
    return int(text)


def _seconds(name: str, own: Mapping[str, str], where: str) -> float | None:
    if name not in own:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", own[name])
    if not found or float(found[1]) == 0:
        raise BadManifest(f"{name} {own[name]!r} is no duration", where=where, do="write 2s or 500ms")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)
