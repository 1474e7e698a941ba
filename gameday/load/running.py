"""A load that runs, as a drill sees it: in processes of this machine, or elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bundle.manifest import Worker
from gameday.load.errors import LoadFailed


@dataclass(frozen=True, slots=True)
class LostWorker:
    """A worker that is gone while the load goes on, and what is known of why."""

    name: str
    error: str


def slept(seconds: float) -> bool:
    """Sleep; nobody ever gives up."""
    time.sleep(seconds)
    return False


class Load(Protocol):
    """What `gameday.load.process` and `gameday.load.remote` have in common."""

    def workers(self) -> tuple[Worker, ...]:
        """The workers, and how their clocks have stood to the bundle's so far. Complete once it has started."""

    def wait_started(self, timeout_s: float, given_up: Callable[[float], bool]) -> int | None:
        """Wait until its schedule begins; when that was, UTC ns by the bundle's clock. Raises LoadFailed.

        given_up: sleeps so many seconds, and is True where nobody wants to wait any longer: None is returned then.
        """

    def poll(self) -> int | None:
        """None while load is sent; else a number that says how it ended."""

    def newly_lost(self) -> list[LostWorker]:
        """Workers that were lost since the last call, while others go on; each is told once."""

    def failure(self, what: str) -> LoadFailed:
        """An error that says `what` happened and what is known of why."""

    def complain_of_errors(self, what: str) -> None:
        """Raise LoadFailed that says `what` happened, where errors were logged that explain it."""

    def stop(self) -> bool:
        """End it in order, and otherwise all the same; whether it ended in order. Harmless when called again."""
