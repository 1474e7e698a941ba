"""What a person sees while a drill runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from bundle.manifest import PhaseName
from gameday.load.live import Live
from gameday.progress import Progress, ProgressView

CALM = Live(rate_per_s=99.8, errors=0, p95_ns=12_000_000, quiet_ns=1)


def at(phase: PhaseName, in_phase_s: float, left_s: float | None = None, live: Live = CALM) -> Progress:
    """Progress at one moment."""
    return Progress(phase, in_phase_s, left_s, live, "21/21")


def test_without_a_terminal_there_is_a_line_a_phase_and_one_every_five_seconds() -> None:
    out = io.StringIO()
    with ProgressView(Console(file=out, width=200)) as view:
        for tenths in range(0, 110, 2):
            view.show(at(PhaseName.BASELINE, tenths / 10, 15 - tenths / 10))
        view.show(at(PhaseName.FAULT, 0.2))
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["baseline", "baseline", "baseline", "fault"]
    assert lines[0] == "baseline    15 s left    99.8 requests/s    0 errors  p95 12 ms  pods ready 21/21"
    assert "0 s so far" in lines[-1]


def test_on_a_terminal_the_phases_stand_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=True)
    with ProgressView(console) as view:
        view.show(at(PhaseName.FAULT, 3.2))
    shown = out.getvalue()
    assert "✓ warm-up" in shown
    assert "▶ fault" in shown
    assert "· recovery" in shown
    assert "99.8 requests/s" in shown


def test_what_is_given_stands_above_it_on_a_terminal_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    with ProgressView(Console(file=out, width=200, force_terminal=True), Text("✓ first  ▶ second")) as view:
        view.show(at(PhaseName.FAULT, 3.2))
    assert out.getvalue().index("▶ second") < out.getvalue().index("▶ fault")


def test_before_the_first_answer_there_is_no_p95() -> None:
    out = io.StringIO()
    with ProgressView(Console(file=out, width=200)) as view:
        view.show(at(PhaseName.WARM_UP, 0, 5, Live(0.0, 0, None, None)))
    assert "p95 –" in out.getvalue()
