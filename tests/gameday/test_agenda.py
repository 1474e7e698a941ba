"""Plans of game days: what is refused, with its line; and what a name on the command line means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gameday.agenda import Agenda, agenda_at, agenda_path
from gameday.errors import BadInput
from scorer.targets import Targets
from tests.gameday.days import agenda, item, plan, write

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["weekly", "release-gate"])
def test_the_plans_of_the_runbook_name_what_there_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    found = Agenda.load(agenda_path(Path(name)))
    assert found.name == name
    targets = Targets.load(Path(found.targets))
    for drill in found.drills:
        assert Path(drill.experiment).is_file()
        assert Path(drill.profile).is_file()
        judged_by = targets.of_drill(drill.judged_as)
        if "acknowledged(" in Path(drill.profile).read_text(encoding="utf-8"):
            assert "writes-lost" in judged_by
            assert "ledger" in yaml.safe_load(Path(drill.experiment).read_bytes())["extensions"][0]


@pytest.mark.parametrize("name", ["weekly", "release-gate"])
def test_the_plans_of_the_runbook_keep_to_the_schema_that_editors_use(name: str) -> None:
    schema = json.loads((REPOSITORY / "runbook/agenda.schema.json").read_text(encoding="utf-8"))
    document = yaml.safe_load((REPOSITORY / f"runbook/{name}.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (plan(), "drills: tuple should have at least 1 item"),
        ({k: v for k, v in plan(item()).items() if k != "drills"}, "drills: field required"),
        (plan(item(), item("second"), item()), "drills.2.name: two drills are called 'first'"),
        (plan(item(repeats=0)), "drills.0.repeats: input should be greater than or equal to 1"),
        (plan(item(repeats=1.5)), "drills.0.repeats: input should be a valid integer"),
        (plan(item(severity=0)), "drills.0.severity: input should be greater than 0"),
        (plan(item(severity=float("nan"))), "drills.0.severity: "),
        (plan(item(colour="red")), "drills.0.colour: extra inputs are not permitted"),
        (plan(item(), colour="red"), "colour: extra inputs are not permitted"),
        (plan(item("First Drill")), "drills.0.name: string should match pattern"),
        (plan(item(rate_per_s="fast")), "drills.0.rate_per_s: input should be a valid number"),
        (plan(item(workers=0)), "drills.0.workers: "),
        (plan(item(), schema=2), "schema: input should be 1"),
        (plan(item(), pass_rate={"target": 95, "threshold": 99, "stale_after_days": 1}), "threshold 99 is stricter"),
        (plan(item(), pass_rate={"target": 100, "stale_after_days": 1}), "pass_rate.target: "),
        ([], "input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_with_a_plan_is_told_on_one_line(document: Any, says: str, tmp_path: Path) -> None:
    path = write(tmp_path, document)
    with pytest.raises(BadInput) as caught:
        Agenda.load(path)
    assert says in caught.value.line()
    assert caught.value.line().startswith(f"{path}:")
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.line()


def test_the_line_that_is_told_is_that_of_the_value(tmp_path: Path) -> None:
    path = write(tmp_path, plan(item(), item("second", repeats=0)))
    line = 1 + path.read_text().splitlines().index("  repeats: 0")
    with pytest.raises(BadInput, match=f"{path}:{line}: drills.1.repeats"):
        Agenda.load(path)


def test_a_plan_that_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "weekly.yaml"
    path.write_text("schema: 1\ndrills: [\n")
    with pytest.raises(BadInput, match=rf"{path}:3: not valid YAML"):
        Agenda.load(path)


def test_a_key_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weekly.yaml"
    path.write_text("schema: 1\ntitle: a\ntitle: b\n")
    with pytest.raises(BadInput, match=rf"{path}:3: .*'title' occurs twice"):
        Agenda.load(path)


def test_a_name_that_is_not_in_the_runbook_is_told_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runbook").mkdir()
    write(tmp_path / "runbook", plan(item()))
    (tmp_path / "runbook" / "targets.yaml").write_text("schema: 1\ndrills: {pod-kill: []}\n")
    (tmp_path / "runbook" / "torn.yaml").write_text("drills: [")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"runbook/wekly.yaml: no such game day; .* the name of one: weekly$"):
        Agenda.load(agenda_path(Path("wekly")))


def test_a_drill_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    found = agenda(tmp_path, item(), item("second"))
    line = 1 + found.path.read_text().splitlines().index("- name: second")
    assert found.where(found.drills[1]) == f"{found.path}:{line}: second"


@pytest.mark.parametrize(
    ("given", "load", "means"),
    [
        ("weekly", False, "runbook/weekly.yaml"),
        ("weekly", True, "runbook/weekly.yaml"),
        ("wekly", False, "runbook/wekly.yaml"),
        ("wekly", True, None),
        ("experiment.yaml", False, None),
        ("experiment.yaml", True, None),
        ("runbook/weekly.yaml", False, "runbook/weekly.yaml"),
        ("runbook/weekly.yaml", True, "runbook/weekly.yaml"),
        ("none.yaml", False, "none.yaml"),
        ("none.yaml", True, None),
        ("torn.yaml", False, "torn.yaml"),
        ("torn.yaml", True, None),
        ("other.yaml", True, None),
    ],
)
def test_an_argument_means_a_plan_or_an_experiment(
    given: str, load: bool, means: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runbook").mkdir()
    write(tmp_path / "runbook", plan(item()))
    (tmp_path / "experiment.yaml").write_text("title: t\nmethod: []\n")
    (tmp_path / "torn.yaml").write_text("drills: [")
    (tmp_path / "other.yaml").write_text("a: 1\n")
    monkeypatch.chdir(tmp_path)
    assert agenda_at(Path(given), load=load) == (None if means is None else Path(means))


def test_an_experiment_whose_file_has_no_suffix_is_no_name_of_the_runbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weekly").write_text("title: t\nmethod: []\n")
    assert agenda_at(Path("weekly"), load=False) is None
