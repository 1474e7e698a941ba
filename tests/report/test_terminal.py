from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from report.terminal import print_verdict

GOLDEN = Path(__file__).parent / "golden"
PLACES = {"bundle": Path("runs/20251124-160000-pod-kill"), "report": Path("runs/20251124-160000-pod-kill/report.html")}


def printed(verdict: Any, **console: Any) -> str:
    console = {"width": 80, "_environ": {}, **console}
    out = io.StringIO()
    print_verdict(verdict, Console(file=out, **console), **PLACES)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("which", ["passing", "failing", "invalid"])
def test_the_table_reads_as_its_golden_file(build, which: str, width: int) -> None:
    """To accept a change: run with UPDATE_GOLDEN=1 and look at the difference."""
    text = "".join(f"{line.rstrip()}\n" for line in printed(getattr(build, which)(), width=width).splitlines())
    golden = GOLDEN / f"{which}-{width}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(build, width: int) -> None:
    assert max(len(line) for line in printed(build.failing(), width=width).splitlines()) <= width


def test_the_first_line_says_how_it_went(build) -> None:
    assert printed(build.failing()).startswith("✗ FAIL  pod-kill: 153 of 5400 requests failed")


def test_a_pipe_gets_no_escape_sequences_and_a_terminal_gets_colours(build) -> None:
    assert "\x1b" not in printed(build.failing())
    assert re.search(r"\x1b\[1;31m✗", printed(build.failing(), force_terminal=True, color_system="standard"))


def test_no_color_is_respected(build) -> None:
    colours = re.compile(r"\x1b\[[\d;]*\b3\d\b")
    environment = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    text = printed(build.failing(), force_terminal=True, color_system="standard", _environ=environment)
    assert not colours.search(text)
    assert "✗ FAIL" in text


def test_a_servers_words_neither_steer_the_terminal_nor_vanish_as_markup(build) -> None:
    verdict = build.passing().model_copy(update={"summary": "\x1b[2J\x07gone [red]pod[/red]\nnext"})
    text = printed(verdict, width=120)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "gone [red]pod[/red] next" in text


def test_a_terminal_without_unicode_still_gets_the_verdict(build) -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii", write_through=True), width=80, _environ={})
    print_verdict(build.failing(), console, **PLACES)
    text = raw.getvalue().decode("ascii")
    assert text.startswith("? FAIL  pod-kill: 153 of 5400")
    assert "[20, ?)" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_report_is_named_only_where_there_is_one(build) -> None:
    out = io.StringIO()
    print_verdict(build.passing(), Console(file=out, width=80, _environ={}), bundle=Path("runs/x"))
    assert "Bundle  runs/x" in out.getvalue()
    assert "Report" not in out.getvalue()


def test_caveats_stand_right_under_the_headline_on_one_line_each(build) -> None:
    caveats = ("closed-loop load: users\x1b[2J wait", "no \nschedule")
    text = printed(build.passing().model_copy(update={"caveats": caveats}))
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0].startswith("✓ PASS")
    first = next(number for number, line in enumerate(lines) if "caveat" in line)
    assert lines[first : first + 3] == [
        "! caveat  closed-loop load: users\ufffd[2J wait",
        "! caveat  no  schedule",
        "",
    ]
    assert lines[first + 3].startswith("Validity")
    assert "caveat" not in printed(build.passing())
