from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import report
from report.figure import numbers, timeline_figure
from report.recovery import recoveries
from report.series import MAX_BINS, read_series


def drawn(drill: Any) -> dict[str, Any]:
    """The figure of a drill, through JSON as the page gets it."""
    series = read_series(drill.bundle)
    figure = timeline_figure(series, drill.verdict, recoveries(drill.verdict))
    return json.loads(json.dumps(figure, allow_nan=False))


def labels(figure: dict[str, Any]) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def test_latency_errors_and_replicas_share_one_time_axis(passed) -> None:
    figure = drawn(passed)
    assert {trace.get("yaxis", "y") for trace in figure["data"]} == {"y", "y2", "y3"}
    assert all("xaxis" not in trace for trace in figure["data"])
    assert figure["layout"]["xaxis"]["anchor"] == "y3"
    domains = [figure["layout"][axis]["domain"] for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert [round(edge, 9) for edge in (domains[0][1], domains[2][0])] == [1, 0]
    assert domains[0][0] > domains[1][1] > domains[1][0] > domains[2][1]


def test_phases_the_fault_and_the_recovery_are_marked_and_named(passed) -> None:
    figure = drawn(passed)
    texts = labels(figure)
    phases = ["warm-up", "baseline", "fault", "recovery", "cool-down"]
    assert [text for text in texts if text in phases] == phases
    assert "<b>▼ fault: kill-a-pod</b>" in texts
    assert "▒ all ready again after 2.22 s [2.2, 2.4]" in texts
    assert "p95 target 150 ms" in texts
    fault = next(shape for shape in figure["layout"]["shapes"] if shape["line"]["color"] == "var(--fault)")
    assert (fault["x0"], fault["x1"]) == (0, 0.25)
    well = [shape for shape in figure["layout"]["shapes"] if shape["line"]["color"] == "var(--good)"]
    users, replicas = (0, 0.18), (2.2, 2.4)
    assert [(shape["x0"], shape["x1"]) for shape in well] == [replicas, users, users]


def test_a_recovery_that_was_not_seen_is_marked_to_the_end_and_not_as_good(failed) -> None:
    shapes = [shape for shape in drawn(failed)["layout"]["shapes"] if shape["line"]["color"] == "var(--bad)"]
    assert {(shape["x0"], shape["x1"]) for shape in shapes} == {(20, 24)}


def test_lines_and_bars_differ_in_more_than_colour(failed) -> None:
    traces = {trace["name"]: trace for trace in drawn(failed)["data"] if "name" in trace}
    dashes = [traces[name]["line"].get("dash", "solid") for name in ("maximum", "p95", "p50")]
    assert len(set(dashes)) == 3
    assert traces["ready"]["line"].get("dash", "solid") != traces["desired"]["line"]["dash"]
    assert traces["failed"]["marker"]["pattern"] != traces["never sent"]["marker"]["pattern"]


def test_a_drill_without_errors_says_so_in_their_panel(passed, failed) -> None:
    assert "none" in labels(drawn(passed))
    assert "none" not in labels(drawn(failed))


def test_no_line_has_more_points_than_a_screen_can_show(passed) -> None:
    assert max(len(trace["x"]) for trace in drawn(passed)["data"] if trace.get("fill") != "toself") <= MAX_BINS


def test_an_outage_without_a_good_answer_is_a_gap_in_lines_and_band() -> None:
    assert numbers(np.array([1.23456789, np.nan, 3.0])) == [1.23457, None, 3.0]


def test_every_colour_is_a_name_of_the_style_sheet(failed) -> None:
    """Or it would be legible in only one of light and dark."""
    style = Path(report.__file__).with_name("style.css").read_text(encoding="utf-8")
    light, dark = style.split("@media screen")[:2]
    text = json.dumps(drawn(failed))
    used = {part.split(")")[0] for part in text.split("var(")[1:]}
    assert len(used) > 8
    for name in used:
        assert f"{name}: #" in light
        assert f"{name}: #" in dark
    assert '"#' not in text
