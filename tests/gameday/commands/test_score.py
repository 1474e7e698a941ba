"""`gameday score` as a person calls it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gameday.cli import invoke
from scorer.planted import Plan, plant

TARGETS = Path(__file__).parents[3] / "runbook" / "targets.yaml"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    root = tmp_path / "run"
    plant(root, Plan())
    (root / "inputs").mkdir(exist_ok=True)
    shutil.copy(TARGETS, root / "inputs" / "targets.yaml")
    return root


def test_explain_prints_the_table_and_how_it_came_about(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["score", str(bundle), "--explain"]) == 1
    text = capsys.readouterr().out
    assert text.index("Bundle  ") < text.index("How this verdict came about")
    assert "lower bound 300 > threshold 0: fail" in text


def test_explaining_changes_nothing_that_is_written(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invoke(["score", str(bundle)])
    assert "How this verdict came about" not in capsys.readouterr().out
    before = (bundle / "verdict.json").read_bytes()
    invoke(["score", str(bundle), "--explain", "--json"])
    assert (bundle / "verdict.json").read_bytes() == before


def test_explain_as_json_is_one_document(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["score", str(bundle), "--json", "--explain"]) == 1
    explanation = json.loads(capsys.readouterr().out)
    failed = next(told for told in explanation["objectives"] if told["name"] == "failed-requests")
    assert failed["rows"][0]["count"] == 300
    assert failed["rows"][0]["first"]["error"] == "connection refused"


def test_other_targets_are_explained_and_nothing_is_written(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["score", str(bundle), "--targets", str(TARGETS), "--explain"]) == 1
    assert "Promise at most 0 requests" in capsys.readouterr().out
    assert not (bundle / "verdict.json").exists()
