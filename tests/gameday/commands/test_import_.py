"""`gameday import` as a person meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.cli import invoke
from scorer.planted_plan import Plan
from tests.gameday.imports.records import DATA, EPOCH_NS, S, vegeta_line, write
from tests.gameday.imports.test_into import TARGETS, without_load


def imported(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str], str]:
    """The exit code, the lines of standard output, and standard error."""
    code = invoke(["import", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_the_result_of_an_import_is_told_with_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without_load(tmp_path / "run", Plan())
    lines = [vegeta_line(EPOCH_NS + S), vegeta_line(EPOCH_NS + 3 * S, code=503), vegeta_line(EPOCH_NS + 3600 * S), "?"]
    record = write(tmp_path / "r.json", *lines, vegeta_line()[:40], end="")
    code, out, err = imported(capsys, record, "--into", tmp_path / "run")
    assert (code, err) == (0, "")
    assert out == [
        f"{tmp_path}/run: 3 requests from vegeta-json, 2 of them within the drill; 1 bad, 0 unsent; "
        "2025-11-24 16:00:01 – 2025-11-24 17:00:00 UTC",
        "left out: the last line, which is cut",
        "left out: 1 lines that cannot be read, the first is line 4",
        "lacks: clock, generator-health, region, schedule, scheduled-time, whole-record (load: open)",
        f"next: gameday score {tmp_path}/run",
    ]


def test_a_new_bundle_is_scored_as_invalid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--drill", "pod-kill", "--targets", TARGETS, "--runs", tmp_path)
    code, out, _ = imported(capsys, DATA / "jmeter.csv", *options)
    assert code == 0
    assert "left out: 4 transactions" in out
    root = out[-1].removeprefix("next: gameday score ")
    assert invoke(["score", root]) == 3
    assert "no drill was run" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--rate", "100"), "Give either --into RUN or --drill NAME."),
        (("--into", "run", "--drill", "pod-kill"), "Give either --into RUN or --drill NAME."),
        (("--into", "run", "--rate", "100", "--model", "closed"), "A closed load has no rate"),
        (("--into", "run", "--rate", "0"), "Invalid value for '--rate'"),
        (("--into", "run", "--rate", "nan"), "not a finite number"),
        (("--into", "none"), "none: no such bundle"),
        (("--drill", "tea-break", "--targets", str(TARGETS)), "tea-break"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    code, out, err = imported(capsys, DATA / "vegeta.json", *arguments)
    assert (code, out, err.count("\n")) == (2, [], 1)
    assert complaint in err


def test_a_record_without_times_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = write(tmp_path / "r.hlog", "#[Histogram log format version 1.3]")
    code, out, err = imported(capsys, record, "--into", tmp_path)
    assert (code, out) == (2, [])
    assert err == (
        f"gameday: {record}: is a HdrHistogram log: it counts requests by latency and interval, and holds no time per "
        "request; record with vegeta, k6 or JMeter\n"
    )


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = imported(capsys, "--help")
    assert code == 0
    assert "  Examples:" in out
    assert any("gameday import" in line for line in out)
