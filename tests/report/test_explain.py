from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bundle.reader import Bundle
from report.explain import SHOWN, print_explanation
from scorer.explain import explain
from scorer.explanation import EntryTold, Explanation, KindTold, RowTold, Told
from scorer.planted import Outage, Plan, plant
from scorer.score import score
from scorer.targets import Targets
from scorer.verdict import Grade

GOLDEN = Path(__file__).parent / "golden"
TARGETS = Path(__file__).parents[1] / "scorer" / "golden" / "targets.yaml"
PLANS = {
    "failing": Plan(seed=3, spacing="poisson", outages=(Outage(0, 2.5, 0.4),), unsent=(9.0, 9.1)),
    "passing": Plan(seed=4, outages=()),
    "invalid": Plan(seed=5, pods_killed=0, blind=(2.0, 4.5)),
}


def printed(explanation: Explanation, **console: Any) -> str:
    console = {"width": 80, "_environ": {}, **console}
    out = io.StringIO()
    print_explanation(explanation, Console(file=out, **console))
    return out.getvalue()


def told(**changes: Any) -> Explanation:
    """One objective of an explanation, changed."""
    row = RowTold(
        due_s=0.1, sent_s=0.2, latency_ms=3.0, status=500, endpoint="GET /", region="r", error="500", worker="w"
    )
    objective = Told(
        name="failed-requests",
        title="Failed requests",
        result="fail",
        promise="at most 0 requests",
        formula="counted",
        rows=(KindTold(says="failed", count=2, first=row, last=row),),
        entries=(),
        figures=(),
        value="2 requests",
        bounds="[2, 2] requests",
        decided="lower bound 2 > threshold 0: fail",
    )
    return Explanation(
        run="run",
        drill="pod-kill",
        verdict=Grade.FAIL,
        summary="failed",
        origin="the fault",
        fault_until_s=0.01,
        window_s=(0.0, 10.0),
        validity=(),
        objectives=(objective.model_copy(update=changes),),
    )


def entry(number: int) -> EntryTold:
    return EntryTold(
        earliest_s=number, latest_s=number, kind="pod", event="added", context="c", name=f"p{number}", uid="u", says=""
    )


@pytest.fixture(scope="module")
def explanations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Explanation]:
    targets = Targets.load(TARGETS)
    found = {}
    for name, plan in PLANS.items():
        root = tmp_path_factory.mktemp("explained") / name
        plant(root, plan)
        bundle = Bundle.open(root)
        found[name] = explain(bundle, targets, score(bundle, targets))
    return found


@pytest.mark.parametrize("which", ["failing", "passing", "invalid"])
def test_the_explanation_reads_as_its_golden_file(explanations: dict[str, Explanation], which: str) -> None:
    """To accept a change: run with UPDATE_GOLDEN=1 and look at the difference."""
    text = "".join(f"{line.rstrip()}\n" for line in printed(explanations[which], width=100).splitlines())
    golden = GOLDEN / f"explain-{which}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(explanations: dict[str, Explanation], width: int) -> None:
    for explanation in explanations.values():
        assert max(len(line) for line in printed(explanation, width=width).splitlines()) <= width


def test_a_pipe_gets_no_escape_sequences_and_a_terminal_gets_colours() -> None:
    assert "\x1b" not in printed(told())
    assert "\x1b[1;31m✗" in printed(told(), force_terminal=True, color_system="standard")


def test_a_servers_words_neither_steer_the_terminal_nor_vanish_as_markup() -> None:
    row = RowTold(
        due_s=0.1,
        sent_s=None,
        latency_ms=None,
        status=0,
        endpoint="\x1b[2J[red]GET[/red]",
        region="",
        error="a\nb\x07",
        worker="w",
    )
    text = printed(told(rows=(KindTold(says="failed", count=1, first=row, last=row),)), width=120)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]GET[/red], status 0, a b" in text


def test_a_terminal_without_unicode_still_gets_the_explanation() -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii", write_through=True), width=80, _environ={})
    print_explanation(told(), console)
    assert "? fail  Failed requests" in raw.getvalue().decode("ascii")


def test_a_single_row_is_told_once_and_several_by_the_first_and_the_last() -> None:
    assert printed(told()).count("due +0.100 s") == 2
    row = told().objectives[0].rows[0].first
    assert printed(told(rows=(KindTold(says="failed", count=1, first=row, last=row),))).count("due +0.100 s") == 1


def test_rows_that_stand_above_already_are_told_by_their_number_alone() -> None:
    one = told().objectives[0]
    text = printed(told().model_copy(update={"objectives": (one, one)}))
    assert text.count("due +0.100 s") == 2
    assert text.count("2 failed, as above") == 1


def test_of_many_entries_the_first_and_the_last_are_told_and_how_many_are_not() -> None:
    entries = tuple(entry(number) for number in range(SHOWN + 5))
    text = printed(told(entries=entries))
    assert "… 5 more, which --json has" in text
    assert text.count("pod added") == SHOWN
    assert f"pod added p{SHOWN + 4} " in text
    assert "more" not in printed(told(entries=entries[:SHOWN]))
