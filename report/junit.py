"""`junit.xml`: drills as a CI system shows them, one test case for each objective."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from report import quantity
from report.terminal import clean
from scorer.verdict import Grade, Objective, Verdict


@dataclass(frozen=True, slots=True)
class Suite:
    """A drill under its name. Where there is no verdict, `says` tells why."""

    name: str
    verdict: Verdict | None
    says: str


def junit(name: str, suites: Iterable[Suite], *, strict: bool = False) -> str:
    """The XML of a game day called `name`.

    What failed is a failure; what is inconclusive or invalid, or never came to a verdict, is an error with its reason:
    neither shows that anything works. A warning is a success whose output says so, and a failure where `strict`.
    """
    document = JUnitXml(clean(name))
    for suite in suites:
        document.add_testsuite(_suite(suite, strict))
    document.update_statistics()
    text: str = document.tostring().decode("utf-8")
    return text


def _suite(suite: Suite, strict: bool) -> TestSuite:
    made = TestSuite(clean(suite.name))
    made.add_testcases(_cases(suite, strict))
    if suite.verdict is not None:
        made.add_property("run", clean(suite.verdict.run))
        made.add_property("verdict", suite.verdict.verdict.value)
    return made


def _cases(suite: Suite, strict: bool) -> list[TestCase]:
    verdict = suite.verdict
    if verdict is None:
        return [_case(suite, "verdict", Error(clean(suite.says), "none"))]
    if not verdict.objectives:
        return [_case(suite, "verdict", Error(clean(verdict.summary), verdict.verdict.value))]
    cases = []
    for objective in verdict.objectives:
        outcome = _outcome(verdict, objective, strict)
        case = _case(suite, objective.name, outcome)
        case.system_out = clean(
            f"{objective.title}: {objective.verdict.value}; {_figures(objective)}; {objective.says}"
        )
        cases.append(case)
    if verdict.caveats:  # the drill warns for them, though each objective may pass
        says = "; ".join(verdict.caveats)
        case = _case(suite, "caveats", Failure(clean(says), "warn") if strict else None)
        case.system_out = clean(says)
        cases.append(case)
    return cases


def _case(suite: Suite, name: str, outcome: Error | Failure | None) -> TestCase:
    case = TestCase(clean(name), clean(suite.name))
    if outcome is not None:
        case.result = [outcome]
    return case


def _outcome(verdict: Verdict, objective: Objective, strict: bool) -> Error | Failure | None:
    if verdict.verdict is Grade.INVALID:
        return Error(clean(f"the drill is invalid: {verdict.summary}"), Grade.INVALID.value)
    if objective.verdict is Grade.FAIL or (strict and objective.verdict is Grade.WARN):
        return Failure(clean(objective.says), objective.verdict.value)
    if objective.verdict in (Grade.INCONCLUSIVE, Grade.INVALID):
        return Error(clean(objective.says), objective.verdict.value)
    return None


def _figures(objective: Objective) -> str:
    measure = objective.measure
    return f"{quantity.value(measure)} {quantity.bounds(measure)}, promised {quantity.promise(objective)}"
