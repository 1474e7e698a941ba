"""How each measure is taken."""

from __future__ import annotations

import subprocess
import sys

from scorer.facts import read_facts
from scorer.measures import MEASURES, take
from scorer.targets import MEASURE_UNITS, Targets


def test_every_measure_has_its_own_name_and_the_unit_that_targets_are_held_against(planted, targets: Targets) -> None:
    bundle = planted()
    facts = read_facts(bundle)
    for name in MEASURES:
        taken = take(name, facts, targets, bundle)
        assert (taken.name, taken.unit) == (name, MEASURE_UNITS[name])
        assert taken.n or taken.evidence


def test_the_measures_of_rarer_drills_are_not_imported_before_they_are_taken() -> None:
    code = "import sys, scorer.score; print([m for m in sys.modules if m in ('scorer.drift', 'scorer.scaling')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "[]\n"
