"""The experiment's own hypothesis, evaluated again after the fault."""

from __future__ import annotations

import pytest

from bundle.timeline import Entry
from scorer.facts import read_facts
from scorer.planted import EPOCH_NS, Plan
from scorer.score import score
from scorer.steady_state import unmet_probes
from scorer.targets import Targets
from scorer.verdict import Grade
from tests.scorer.conftest import PlantedBundle


def test_a_hypothesis_that_holds_afterwards_leaves_no_probe_unmet(planted: PlantedBundle) -> None:
    measure = unmet_probes(read_facts(planted(Plan(outages=()))))
    assert (measure.low, measure.high, measure.n) == (0, 0, 5)


def test_a_drill_whose_hypothesis_no_longer_holds_fails_however_well_its_users_fared(
    planted: PlantedBundle, targets: Targets
) -> None:
    verdict = score(planted(Plan(outages=(), unmet_after=("replicas", "answers"))), targets)
    assert verdict.verdict is Grade.FAIL
    (objective,) = [o for o in verdict.objectives if o.name == "steady-state-after"]
    assert (objective.measure.value, objective.measure.low, objective.measure.high) == (2, 2, None)
    assert objective.measure.evidence == ("not met: replicas, answers",)


def test_a_hypothesis_without_a_probe_shows_nothing(planted: PlantedBundle) -> None:
    empty = Entry(
        "hypothesis", "end", EPOCH_NS * 2, EPOCH_NS * 2, attributes={"when": "after", "met": True, "probes": 0}
    )
    with pytest.raises(LookupError, match="no probe of a steady-state hypothesis"):
        unmet_probes(read_facts(planted(extra=(empty,))))


def test_a_hypothesis_that_was_not_evaluated_afterwards_shows_nothing(planted: PlantedBundle, targets: Targets) -> None:
    bundle = planted(Plan(outages=()), keep=lambda entry: entry.attributes.get("when") != "after")
    with pytest.raises(LookupError, match="not evaluated after the fault"):
        unmet_probes(read_facts(bundle))
    (objective,) = [o for o in score(bundle, targets).objectives if o.name == "steady-state-after"]
    assert objective.verdict is Grade.INCONCLUSIVE
