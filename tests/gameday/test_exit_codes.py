"""The exit codes that CI jobs are written against."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gameday.errors import Aborted, BadInput, GuardRefused, RollbackIncomplete
from gameday.exit_codes import ExitCode, of_verdict
from scorer.verdict import Grade

DOCUMENT = Path(__file__).parents[2] / "docs" / "exit-codes.md"


@pytest.mark.parametrize(
    ("grade", "code", "strict_code"),
    [
        (Grade.PASS, 0, 0),
        (Grade.WARN, 0, 1),
        (Grade.FAIL, 1, 1),
        (Grade.INCONCLUSIVE, 3, 3),
        (Grade.INVALID, 3, 3),
    ],
)
def test_every_verdict_has_its_code(grade: Grade, code: int, strict_code: int) -> None:
    assert of_verdict(grade, strict=False) == code
    assert of_verdict(grade, strict=True) == strict_code


def test_every_error_has_its_code() -> None:
    assert (BadInput.exit_code, GuardRefused.exit_code, Aborted.exit_code, RollbackIncomplete.exit_code) == (2, 4, 5, 6)


def test_every_code_is_documented_and_no_other() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE)}
    assert documented == {code.value for code in ExitCode}
