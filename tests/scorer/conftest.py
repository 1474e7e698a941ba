"""Planted bundles for the scorer's tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from bundle.manifest import Manifest
from bundle.reader import Bundle
from bundle.timeline import Entry
from scorer.planted import Plan, plant
from scorer.targets import Targets

ROOT = Path(__file__).resolve().parents[2]

PlantedBundle = Callable[..., Bundle]


@pytest.fixture(scope="session")
def targets() -> Targets:
    """The targets that the repository ships."""
    return Targets.load(ROOT / "runbook" / "targets.yaml")


@pytest.fixture
def planted(tmp_path: Path) -> PlantedBundle:
    """Makes a plan's bundle and changes it: `keep` filters entries, `extra` adds some, the rest is the manifest's."""
    numbers = count()

    def make(
        plan: Plan | None = None,
        *,
        keep: Callable[[Entry], bool] | None = None,
        extra: tuple[Entry, ...] = (),
        **changes: object,
    ) -> Bundle:
        root = tmp_path / f"bundle-{next(numbers)}"
        plant(root, plan or Plan())
        bundle = Bundle.open(root)
        if keep is not None or extra:
            entries = [entry for entry in bundle.timeline if keep is None or keep(entry)]
            lines = [entry.to_json() for entry in (*entries, *extra)]
            (root / "timeline.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
            changes = {"timeline_entries": len(lines), **changes}
        manifest = Manifest.model_validate({**dict(bundle.manifest), **changes})
        (root / "manifest.json").write_text(json.dumps(manifest.model_dump(mode="json")), encoding="utf-8")
        return Bundle.open(root)

    return make
