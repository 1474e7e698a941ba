"""The verdict on a bundle, made and kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bundle.errors import BundleError
from gameday.judgement import REPORT, judge, keep
from scorer.planted import plant
from scorer.planted_plan import Plan
from scorer.verdict import Verdict

TARGETS = Path(__file__).parents[2] / "runbook" / "targets.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A bundle with the targets that were in force."""
    root = tmp_path / "run"
    plant(root, Plan())
    (root / "inputs").mkdir(exist_ok=True)
    shutil.copy(TARGETS, root / "inputs" / "targets.yaml")
    return root


def test_the_targets_in_the_bundle_judge_it_and_the_verdict_is_kept(root: Path) -> None:
    bundle, _, verdict = judge(root)
    keep(bundle, verdict)
    assert Verdict.model_validate_json((root / "verdict.json").read_bytes()) == verdict
    assert (root / REPORT).stat().st_size > 100_000


def test_without_targets_in_the_bundle_it_is_told_which_file_is_missing(root: Path) -> None:
    (root / "inputs" / "targets.yaml").unlink()
    with pytest.raises(BundleError, match=r"targets.yaml: is missing from the bundle"):
        judge(root)
    assert judge(root, TARGETS)[2].drill == "pod-kill"


def test_a_verdict_that_cannot_be_kept_is_told(root: Path) -> None:
    bundle, _, verdict = judge(root)
    (root / "verdict.json").mkdir()
    with pytest.raises(BundleError, match="the verdict above could not be kept"):
        keep(bundle, verdict)
