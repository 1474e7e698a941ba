"""The control inside a real `chaos` process: what reaches the timeline, and what an abort stops."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.timeline import Entry, TimelineWriter, read_timeline
from gameday.chaos import ChaosProcess
from gameday.control import Recorder


def python(name: str, kind: str, module: str, func: str, **arguments: object) -> dict[str, Any]:
    """An activity that calls a function."""
    return {
        "name": name,
        "type": kind,
        "provider": {"type": "python", "module": module, "func": func, "arguments": arguments},
    }


def experiment(tmp_path: Path, method: list[dict[str, Any]], **more: object) -> Path:
    """An experiment file with this method."""
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps({"title": "t", "description": "d", "method": method, **more}))
    return path


def start(tmp_path: Path, path: Path) -> ChaosProcess:
    """A chaos process that records into tmp_path/bundle."""
    root = tmp_path / "bundle"
    root.mkdir()
    return ChaosProcess(path, root, {ENVIRONMENT_VARIABLE: Anchor.take().text()})


def finished(chaos: ChaosProcess, tmp_path: Path) -> list[Entry]:
    """The timeline once it has ended."""
    assert chaos.child.wait(60) is not None
    return read_timeline(tmp_path / "bundle" / "timeline.jsonl")[0]


def gone(activity: str, after: bool) -> dict[str, Any]:
    """A probe that succeeds where the file is (after) or isn't (not after) there."""
    return {
        "name": activity,
        "type": "probe",
        "tolerance": after,
        "provider": {"type": "python", "module": "os.path", "func": "exists", "arguments": {"path": "/nonexistent"}},
    }


KILL = python("kill", "action", "os", "getcwd")


def test_the_fault_spans_the_call_of_the_action_and_not_its_pauses(tmp_path: Path) -> None:
    method = [{**KILL, "pauses": {"before": 1, "after": 1}}]
    entries = finished(start(tmp_path, experiment(tmp_path, method)), tmp_path)
    (begin,) = [e for e in entries if (e.kind, e.event) == ("fault", "begin")]
    assert begin.attributes["activity"] == "kill"
    assert begin.attributes["status"] == "succeeded"
    assert 0 <= begin.latest_ns - begin.earliest_ns < 500_000_000


def test_a_probe_is_no_fault_and_neither_is_a_rollback(tmp_path: Path) -> None:
    method = [python("look", "probe", "os", "getcwd")]
    path = experiment(tmp_path, method, rollbacks=[python("undo", "action", "os", "getcwd")])
    entries = finished(start(tmp_path, path), tmp_path)
    assert [e for e in entries if e.kind == "fault" and e.event != "end"] == []
    assert [(e.event, e.attributes.get("status")) for e in entries if e.kind == "rollback"] == [
        ("begin", None),
        ("end", "succeeded"),
    ]


def test_an_action_that_breaks_nothing_is_no_fault(tmp_path: Path) -> None:
    """One that brings the leader to where it will be lost: here it ends the experiment, for nobody leads."""
    prepare = python(
        "prepare", "action", "gameday.actions", "lead_from", region="r", entry="http://127.0.0.1:1", timeout=0
    )
    entries = finished(start(tmp_path, experiment(tmp_path, [prepare, KILL])), tmp_path)
    assert [e for e in entries if e.kind == "fault"] == []


def test_a_fault_with_rollbacks_ends_after_them(tmp_path: Path) -> None:
    path = experiment(tmp_path, [KILL], rollbacks=[python("undo", "action", "os", "getcwd")])
    told = [(e.kind, e.event, e.attributes.get("activity")) for e in finished(start(tmp_path, path), tmp_path)]
    assert told.count(("fault", "end", "kill")) == 1
    assert told.index(("fault", "end", "kill")) > told.index(("rollback", "end", None))


def test_a_fault_without_rollbacks_ends_as_soon_as_it_has_begun(tmp_path: Path) -> None:
    told = [(e.kind, e.event) for e in finished(start(tmp_path, experiment(tmp_path, [KILL])), tmp_path)]
    assert [event for kind, event in told if kind == "fault"] == ["injecting", "begin", "end"]
    assert told.index(("fault", "end")) == told.index(("fault", "begin")) + 1


@pytest.mark.parametrize("met", [True, False])
def test_a_hypothesis_is_told_as_met_or_not_with_the_probes_that_failed(tmp_path: Path, met: bool) -> None:
    hypothesis = {"title": "h", "probes": [gone("nothing-there", after=not met)]}
    path = experiment(tmp_path, [KILL], **{"steady-state-hypothesis": hypothesis})
    entries = finished(start(tmp_path, path), tmp_path)
    ends = [e for e in entries if (e.kind, e.event) == ("hypothesis", "end")]
    assert ends[0].attributes == {"when": "before", "met": met, "failed": [] if met else ["nothing-there"], "probes": 1}
    # where the steady state isn't there beforehand nothing is injected
    assert ("fault", "begin") in [(e.kind, e.event) for e in entries] or not met


def test_a_failed_action_is_told_as_failed(tmp_path: Path) -> None:
    method = [python("fall", "action", "os", "chdir", path="/nonexistent/folder")]
    entries = finished(start(tmp_path, experiment(tmp_path, method)), tmp_path)
    (begin,) = [e for e in entries if (e.kind, e.event) == ("fault", "begin")]
    assert begin.attributes["status"] == "failed"


def test_an_abort_stops_the_method_and_lets_the_rollbacks_run(tmp_path: Path) -> None:
    """The method is inside a long Python action when the abort comes: what follows must not begin, the undo must."""
    wait = python("wait", "action", "gameday_test_actions", "wait")
    (tmp_path / "gameday_test_actions.py").write_text("import time\ndef wait():\n    time.sleep(3)\n")
    path = experiment(tmp_path, [wait, KILL], rollbacks=[python("undo", "action", "os", "getcwd")])
    root = tmp_path / "bundle"
    root.mkdir()
    chaos = ChaosProcess(path, root, {ENVIRONMENT_VARIABLE: Anchor.take().text(), "PYTHONPATH": str(tmp_path)})
    deadline = time.monotonic() + 60
    while not any(e.event == "injecting" for e in read_timeline(root / "timeline.jsonl")[0]):
        assert time.monotonic() < deadline, chaos.child.log_lines()
        time.sleep(0.02)
    assert chaos.abort(30) is True
    entries = read_timeline(root / "timeline.jsonl")[0]
    assert "kill" not in [e.attributes.get("activity") for e in entries]
    assert [e.attributes["status"] for e in entries if (e.kind, e.event) == ("rollback", "end")] == ["succeeded"]
    assert not (root / "abort").exists()


def test_the_journal_and_the_log_lie_in_the_bundle_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = experiment(tmp_path, [KILL])
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    finished(start(tmp_path, path), tmp_path)
    assert json.loads((tmp_path / "bundle" / "journal.json").read_text())["status"] == "completed"
    assert list(elsewhere.iterdir()) == []


def slow(tmp_path: Path, name: str, kind: str = "action", seconds: float = 1.5) -> dict[str, Any]:
    """An activity that takes its time in Python, and leaves a file when it is through."""
    (tmp_path / "gameday_test_actions.py").write_text(
        "import pathlib, time\ndef wait(seconds, done):\n    time.sleep(seconds)\n    pathlib.Path(done).touch()\n"
    )
    return python(name, kind, "gameday_test_actions", "wait", seconds=seconds, done=str(tmp_path / name))


def test_an_abort_while_the_rollbacks_run_lets_every_one_of_them_finish(tmp_path: Path) -> None:
    rollbacks = [slow(tmp_path, "first"), slow(tmp_path, "second")]
    path = experiment(tmp_path, [KILL], rollbacks=rollbacks)
    root = tmp_path / "bundle"
    root.mkdir()
    chaos = ChaosProcess(path, root, {ENVIRONMENT_VARIABLE: Anchor.take().text(), "PYTHONPATH": str(tmp_path)})
    wait_for(chaos, root, "rollback", "begin")
    assert chaos.abort(30) is True
    assert (tmp_path / "first").exists()
    assert (tmp_path / "second").exists()
    entries = read_timeline(root / "timeline.jsonl")[0]
    assert [e.attributes["status"] for e in entries if (e.kind, e.event) == ("rollback", "end")] == ["succeeded"]


def test_when_the_harness_has_died_no_further_action_begins_and_the_rollbacks_run(tmp_path: Path) -> None:
    path = experiment(tmp_path, [slow(tmp_path, "first"), KILL], rollbacks=[slow(tmp_path, "undo", seconds=0)])
    root = tmp_path / "bundle"
    root.mkdir()
    program = (
        "import sys, time; from pathlib import Path; from gameday.chaos import ChaosProcess\n"
        f"ChaosProcess(Path(sys.argv[1]), Path(sys.argv[2]), {{'PYTHONPATH': {str(tmp_path)!r}, "
        f"{ENVIRONMENT_VARIABLE!r}: {Anchor.take().text()!r}}})\ntime.sleep(60)\n"
    )
    harness = subprocess.Popen([sys.executable, "-c", program, str(path), str(root)])
    wait_for(None, root, "fault", "injecting")
    harness.kill()
    harness.wait()
    wait_for(None, root, "rollback", "end")
    assert (tmp_path / "undo").exists()
    begun = [e.attributes["activity"] for e in read_timeline(root / "timeline.jsonl")[0] if e.event == "injecting"]
    assert begun == ["first"]


def wait_for(chaos: ChaosProcess | None, root: Path, kind: str, event: str) -> None:
    """Wait until the timeline holds such an entry."""
    deadline = time.monotonic() + 60
    while not any((e.kind, e.event) == (kind, event) for e in read_timeline(root / "timeline.jsonl")[0]):
        assert time.monotonic() < deadline, chaos.child.log_lines() if chaos else "it never came"
        time.sleep(0.02)


MADE = {"kind": "NetworkChaos", "metadata": {"uid": "uid-1"}}
THERE = {"kind": "Status", "reason": "AlreadyExists", "code": 409, "metadata": {}}


@pytest.mark.parametrize(
    ("status", "output", "creation", "begins"),
    [
        ("succeeded", MADE, [("made", "uid-1")], []),
        ("failed", None, [], ["failed"]),
        ("succeeded", THERE, [("refused", "")], ["failed"]),  # chaosk8s takes it for success
    ],
)
def test_a_chaos_resource_is_not_at_work_because_it_was_made(
    tmp_path: Path, status: str, output: object, creation: list[tuple[str, str]], begins: list[str]
) -> None:
    """When it is, the harness watches; one that couldn't be made is told at once."""
    timeline = TimelineWriter(tmp_path / "timeline.jsonl")
    recorder = Recorder(timeline, Anchor.take(), has_rollbacks=True)
    made = {"group": "chaos-mesh.org", "plural": "networkchaos"}
    slow = python("slow", "action", "chaosk8s.crd.actions", "create_custom_object", **made)
    recorder.start_method({})
    recorder.start_activity(slow)
    recorder.activity_completed(slow, {"status": status, "output": output})
    recorder.rollbacks_completed({}, {})
    timeline.close()
    entries = read_timeline(tmp_path / "timeline.jsonl")[0]
    assert [e.event for e in entries if e.kind == "fault"] == ["injecting", *["begin", "end"] * len(begins)]
    assert [e.attributes["status"] for e in entries if e.event == "begin"] == begins
    assert [(e.event, e.uid) for e in entries if e.kind == "creation"] == creation
