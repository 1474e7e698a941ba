from __future__ import annotations

from pathlib import Path

from bundle.timeline import Entry, TimelineWriter
from report.moments import MAX_MOMENTS, Moment, moments
from report.recovery import recoveries
from report.series import read_series


def test_a_drill_is_told_in_the_order_in_which_it_happened(failed) -> None:
    series = read_series(failed.bundle)
    told = moments(failed.bundle, series, recoveries(failed.verdict))
    words = [one.what for one in told]
    assert words[:6] == [
        "phase warm-up begins",
        "phase baseline begins",
        "phase fault begins",
        "steady-state hypothesis before the fault: met",
        "fault begins: kill-a-pod",
        f"from the first bad request to the last: {series.requests.failed} failed, {series.requests.unsent} never sent",
    ]
    assert "orchestration-agent in us-east-1 falls to 1 of 2 ready" in words
    assert "orchestration-agent in us-east-1 is back at 2 of 2 ready" in words
    assert words[-1] == "users well again: not seen within 20 s"


def test_a_time_says_how_uncertain_it_is() -> None:
    assert Moment(-0.6, -0.6, "").when == "−0.60 s"
    assert Moment(0.0, 0.18, "").when == "+0.00 s … +0.18 s"
    assert Moment(20.0, None, "").when == "after +20.00 s"


def test_blind_observers_and_lost_workers_are_told_but_never_bury_the_rest(build, tmp_path: Path) -> None:
    bundle = build.bundle(tmp_path / "run")
    writer = TimelineWriter(tmp_path / "run" / "timeline.jsonl")
    at_ns = bundle.manifest.phases[-1].start_ns
    writer.append(Entry("load", "worker-lost", at_ns, at_ns, attributes={"worker": "w1", "error": "no heartbeat"}))
    writer.append(Entry("rollback", "end", at_ns, at_ns, attributes={"status": "succeeded"}))
    for index in range(100):
        attributes = {"watches": "pods", "error": "reset"}
        writer.append(Entry("observer", "lost", at_ns + index, at_ns + index, "us-east-1", attributes=attributes))
    writer.close()
    words = [one.what for one in moments(bundle, read_series(bundle), [])]
    assert len(words) == MAX_MOMENTS
    assert {
        "load worker lost: w1 no heartbeat",
        "rollback ended (succeeded)",
        "observer of pods in us-east-1 lost: reset",
    } <= set(words)
