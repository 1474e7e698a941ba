"""A Prometheus as the harness asks it: where each context's is, and the raw samples of a selector."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gameday.errors import BadInput

VARIABLE = "GAMEDAY_PROMETHEUS"
TIMEOUT_S = 10.0
MOST_BYTES = 256 * 1024 * 1024
"""A longer answer is refused: it would take gigabytes to read."""
PIECE_BYTES = 1 << 20


class Unanswered(Exception):
    """A question that Prometheus didn't answer, or not with samples; in one line."""


@dataclass(frozen=True)
class Series:
    """A series: its labels, and its samples in the order of time: (UTC nanoseconds by Prometheus's clock, value)."""

    labels: Mapping[str, str]
    samples: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class ClockOffset:
    """How far Prometheus's clock is ahead of ours, in nanoseconds, and by how much that may be wrong."""

    ahead_ns: int
    uncertain_ns: int


def addresses(text: str) -> dict[str, str]:
    """URL by context, of `CONTEXT=URL CONTEXT=URL ...`. Raises BadInput for anything else."""
    found: dict[str, str] = {}
    for word in text.split():
        context, _, url = word.partition("=http")
        parts = urlsplit(f"http{url}")
        if not context or not url or not parts.hostname or parts.scheme not in ("http", "https"):
            raise BadInput(f"{word!r} names no context and URL", where=VARIABLE, do="write CONTEXT=http://ADDRESS:PORT")
        if parts.username or parts.password:
            raise BadInput(f"the URL of {context} holds a password", where=VARIABLE, do="leave it out")
        if context in found:
            raise BadInput(f"context {context} comes twice", where=VARIABLE, do="name each once")
        found[context] = f"http{url}".rstrip("/")
    return found


class Prometheus:
    """Asks one server, over one connection."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        import requests

        self._url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy for the internet is none for a cluster

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def offset(self, now_ns: Callable[[], int] = time.time_ns) -> ClockOffset:
        """Compare clocks. Raises Unanswered."""
        asked_ns = now_ns()
        said = self._ask("query", {"query": "time()"})
        answered_ns = now_ns()
        try:
            theirs_ns = round(float(said["result"][1]) * 1e9)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            raise Unanswered("does not say what time it is there") from None
        # Their moment lies between ours, and they tell it in milliseconds.
        return ClockOffset(theirs_ns - (asked_ns + answered_ns) // 2, (answered_ns - asked_ns) // 2 + 1_000_000)

    def samples(self, selector: str, until_ns: int, length_s: int) -> list[Series]:
        """The raw samples of the last `length_s` seconds before `until_ns`, which is UTC by Prometheus's clock.

        Raises Unanswered.
        """
        said = self._ask("query", {"query": f"{selector}[{length_s}s]", "time": f"{until_ns / 1e9:.3f}"})
        try:
            return [
                Series(
                    each["metric"],
                    tuple((round(float(at_s) * 1e3) * 1_000_000, float(value)) for at_s, value in each["values"]),
                )
                for each in said["result"]
            ]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise Unanswered(f"does not answer {selector} with samples") from None

    def _ask(self, what: str, parameters: Mapping[str, str]) -> Any:
        import requests

        try:
            with self._session.post(
                f"{self._url}/api/v1/{what}",
                data=parameters,
                timeout=self._timeout_s,
                stream=True,
                allow_redirects=False,
            ) as answer:
                body = bytearray()
                for piece in answer.iter_content(PIECE_BYTES):
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise Unanswered("answers with more than can be read")
                said = json.loads(body)
        except ValueError:
            raise Unanswered("does not answer in JSON: is it a Prometheus?") from None
        except requests.RequestException as error:
            raise Unanswered(f"does not answer: {type(error).__name__}") from None
        if not isinstance(said, dict) or said.get("status") != "success" or not isinstance(said.get("data"), dict):
            told = said.get("error") if isinstance(said, dict) else None
            raise Unanswered(f"refuses: {told or 'it does not say why'}")
        return said["data"]
