"""The stages of a recovery."""

from __future__ import annotations

from scorer.intervals import Interval
from scorer.stages import Milestone, stages

S = 1_000_000_000


def at(low_s: float, high_s: float) -> Interval:
    return Interval(low_s * S, high_s * S)


def test_each_stage_runs_from_the_one_before_and_the_longest_is_dominant() -> None:
    made = stages(
        at(0, 0.2), [Milestone("detect", at(1, 1.2)), Milestone("start", at(4, 4.4)), Milestone("ready", at(5, 5))]
    )
    assert [(stage.name, stage.value, stage.low, stage.high) for stage in made] == [
        ("detect", 1.0, 0.8, 1.2),
        ("start", 3.1, 2.8, 3.4),
        ("ready", 0.8, 0.6, 1.0),
    ]
    assert [stage.name for stage in made if stage.dominant] == ["start"]


def test_a_milestone_that_was_delivered_before_its_predecessor_takes_no_time() -> None:
    made = stages(
        at(0, 0),
        [Milestone("ready", at(5, 5.2)), Milestone("replicas back", at(4, 4.2)), Milestone("traffic good", at(6, 6))],
    )
    assert [stage.value for stage in made] == [5.1, 0.0, 0.9]


def test_without_milestones_there_are_no_stages() -> None:
    assert stages(at(0, 0), []) == ()
