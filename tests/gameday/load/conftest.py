"""Profiles that are run by a real Locust against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle.clock import Anchor
from gameday.load.arrivals import Spacing
from gameday.load.process import LoadPlan, LoadProcess
from gameday.load.schedule import Asked
from tests.gameday.load.target import Target


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    server = Target()
    yield server
    server.close()


class Starter:
    """Starts profiles, given as source text, against one server."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self.running: list[LoadProcess] = []

    def plan(
        self,
        profile: str,
        *,
        rate_per_s: float | None = None,
        duration_s: float | None = None,
        seed: int = 0,
        grace_s: int = 3,
        spacing: Spacing | None = None,
        workers: int = 1,
    ) -> LoadPlan:
        """A plan with a bundle of its own that does not exist yet."""
        folder = self._folder / str(len(list(self._folder.iterdir())))
        folder.mkdir()
        (folder / "profile.py").write_text(profile, encoding="utf-8")
        return LoadPlan(
            profile=folder / "profile.py",
            host=self._url,
            bundle=folder / "bundle",
            anchor=Anchor.take(),
            time_limit_s=60,
            asked=Asked(rate_per_s, duration_s, spacing),
            seed=seed,
            stop_grace_s=grace_s,
            workers=workers,
        )

    def start(self, plan: LoadPlan) -> LoadProcess:
        """The running load; it is killed at the end of the module where it still runs."""
        self.running.append(LoadProcess(plan))
        return self.running[-1]


@pytest.fixture(scope="module")
def starter(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    starter = Starter(target.url, tmp_path_factory.mktemp("load"))
    yield starter
    for load in starter.running:
        load.stop(0)
