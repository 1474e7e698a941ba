from __future__ import annotations

from report.recovery import recoveries


def test_a_recovery_lies_where_the_fault_and_its_duration_allow(build) -> None:
    users, replicas = sorted(recoveries(build.passing()), key=lambda one: not one.by_users)
    assert (users.low_s, users.high_s) == (0, 0.18)
    assert (replicas.low_s, replicas.high_s) == (2.2, 2.4)
    assert replicas.says == "all ready again after 2.22 s [2.2, 2.4]"


def test_a_recovery_that_was_not_seen_is_said_not_to_have_been(build) -> None:
    users = next(one for one in recoveries(build.failing()) if one.by_users)
    assert users.high_s is None
    assert users.says == "users well again: not seen within 20 s"


def test_a_verdict_without_recovery_measures_marks_none(build) -> None:
    assert recoveries(build.invalid()) == []
