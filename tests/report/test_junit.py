"""`junit.xml`: what a CI system is told of each drill."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.junit import Suite, junit
from scorer.verdict import Grade
from tests.gameday.days import objective, verdict


def cases(*suites: Suite, strict: bool = False) -> list[ElementTree.Element]:
    """The test cases, as a CI system reads them."""
    return list(ElementTree.fromstring(junit("weekly", suites, strict=strict)).iter("testcase"))


def outcome(case: ElementTree.Element) -> tuple[str, str]:
    """`failure`, `error` or nothing, and the message."""
    found = [child for child in case if child.tag in ("failure", "error", "skipped")]
    return (found[0].tag, found[0].get("message", "")) if found else ("", "")


def drill(*grades: Grade, whole: Grade = Grade.PASS, **changes: object) -> Suite:
    """A drill with objectives that came out like this."""
    objectives = [objective(grade, f"o{number}") for number, grade in enumerate(grades)]
    return Suite("weekly.first", verdict(whole, objectives=tuple(objectives), **changes), "")


@pytest.mark.parametrize(
    ("grade", "strict", "tag"),
    [
        (Grade.PASS, True, ""),
        (Grade.WARN, False, ""),
        (Grade.WARN, True, "failure"),
        (Grade.FAIL, False, "failure"),
        (Grade.INCONCLUSIVE, False, "error"),
        (Grade.INVALID, False, "error"),
    ],
)
def test_each_objective_is_a_case_with_its_outcome_and_reason(grade: Grade, strict: bool, tag: str) -> None:
    (case,) = cases(drill(grade, whole=Grade.FAIL), strict=strict)
    assert (case.attrib["name"], case.attrib["classname"]) == ("o0", "weekly.first")
    assert outcome(case)[0] == tag
    assert not tag or "requests" in outcome(case)[1]


def test_an_invalid_drill_is_an_error_in_every_case_whatever_its_objectives_say() -> None:
    found = cases(drill(Grade.PASS, Grade.FAIL, whole=Grade.INVALID))
    assert [outcome(case) for case in found] == [("error", "the drill is invalid: it was invalid")] * 2


def test_a_drill_without_a_verdict_is_one_error_with_the_reason() -> None:
    (case,) = cases(Suite("weekly.first", None, "SIGINT received"))
    assert outcome(case) == ("error", "SIGINT received")


def test_a_verdict_without_objectives_is_an_error() -> None:
    assert [outcome(case)[0] for case in cases(drill(whole=Grade.INVALID))] == ["error"]


@pytest.mark.parametrize(("strict", "tag"), [(False, ""), (True, "failure")])
def test_caveats_are_a_case_of_their_own_which_fails_a_strict_day(strict: bool, tag: str) -> None:
    found = cases(drill(Grade.PASS, whole=Grade.WARN, caveats=("a closed loop",)), strict=strict)
    assert [case.attrib["name"] for case in found] == ["o0", "caveats"]
    assert outcome(found[1])[0] == tag


def test_the_counts_are_those_of_the_cases() -> None:
    text = junit("weekly", [drill(Grade.PASS, Grade.FAIL, whole=Grade.FAIL), Suite("second", None, "x")])
    root = ElementTree.fromstring(text)
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("3", "1", "1")
    assert [suite.attrib["tests"] for suite in root.iter("testsuite")] == ["2", "1"]


def same(texts: Sequence[str]) -> str:
    """How a text may come back: without control characters, which XML has no way to write."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for text in texts for c in text)


@given(st.text())
def test_whatever_a_server_said_comes_back_from_the_xml(said: str) -> None:
    (case,) = cases(Suite("weekly.first", None, said))
    assert outcome(case)[1] == same([said])


def test_markup_in_a_name_or_a_reason_is_only_text() -> None:
    (case,) = cases(Suite('a"<b>&', None, "]]><testcase name='x'/>"))
    assert case.attrib["classname"] == 'a"<b>&'
    assert outcome(case)[1] == "]]><testcase name='x'/>"
