"""The Chaos Toolkit control: it runs inside the `chaos` process and writes what happens there into the timeline.

`gameday run` brings it by `--control-file`, so that experiments stay ordinary files. An experiment may also name it
itself (`provider: {type: python, module: gameday.control}`): outside a gameday run it does nothing.

The times come from the event registry, not from the controls around an activity: those include an activity's pauses.
Chaos Toolkit swallows what a handler raises; that is safe here, because a fault without its timeline entry is not
proven, and the drill then invalid.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaoslib.exceptions import InterruptExecution
from chaoslib.run import EventHandlerRegistry, RunEventHandler

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.timeline import Attribute, Entry, TimelineWriter
from gameday.chaosmesh import WATCHED, kind_made
from gameday.child import HARNESS_VARIABLE

BUNDLE_VARIABLE = "GAMEDAY_BUNDLE"
"""Names the bundle that is being recorded."""
ABORT_FILE = "abort"
"""When this file is in the bundle, no further activity of the method is begun. Chaos Toolkit on Python 3.11 loses a
SIGTERM that arrives inside a Python action; this doesn't get lost."""
ACTIONS = "gameday.actions"
"""The module of actions that are no faults."""
CONFLICT = 409
OUTPUT_LIMIT = 2000
"""Characters of an activity's output that are kept."""


class Recorder(RunEventHandler):  # type: ignore[misc]  # chaoslib carries no types
    """Writes a timeline entry for each hypothesis, each action of the method and the rollbacks."""

    def __init__(self, timeline: TimelineWriter, anchor: Anchor, *, has_rollbacks: bool) -> None:
        self._timeline = timeline
        self._anchor = anchor
        self._has_rollbacks = has_rollbacks
        self._in_method = False
        self._began_ns: dict[str, int] = {}
        self._lasting: list[str] = []

    def start_hypothesis_before(self, experiment: Mapping[str, Any]) -> None:
        self._write("hypothesis", "begin", when="before")

    def hypothesis_before_completed(
        self,
        experiment: Mapping[str, Any],
        state: Mapping[str, Any],
        journal: Mapping[str, Any],
    ) -> None:
        self._hypothesis("before", state)

    def start_hypothesis_after(self, experiment: Mapping[str, Any]) -> None:
        self._write("hypothesis", "begin", when="after")

    def hypothesis_after_completed(
        self,
        experiment: Mapping[str, Any],
        state: Mapping[str, Any],
        journal: Mapping[str, Any],
    ) -> None:
        self._hypothesis("after", state)

    def continuous_hypothesis_iteration(self, iteration_index: int, state: Mapping[str, Any]) -> None:
        self._hypothesis("during", state)

    def start_method(self, experiment: Mapping[str, Any]) -> None:
        self._in_method = True

    def method_completed(self, experiment: Mapping[str, Any], state: Any = None) -> None:
        self._in_method = False

    def start_activity(self, activity: Mapping[str, Any]) -> None:
        if self._is_fault(activity):
            self._began_ns[activity["name"]] = self._anchor.now_ns()
            self._write("fault", "injecting", activity=activity["name"])

    def activity_completed(self, activity: Mapping[str, Any], run: Mapping[str, Any]) -> None:
        began_ns = self._began_ns.pop(activity.get("name", ""), None)
        if began_ns is None:
            return
        status = run.get("status", "")
        if kind_made(activity) and status == "succeeded":
            uid = _uid(run.get("output"))
            if uid is not None:
                self._write("creation", "made" if uid else "refused", uid=uid, activity=activity["name"])
            if uid == "":
                status = "failed"
            elif kind_made(activity) in WATCHED:
                return  # made, and not yet at work: the harness watches when it is, and until when
        output = json.dumps(run.get("output"), default=str)[:OUTPUT_LIMIT]
        self._write("fault", "begin", since_ns=began_ns, activity=activity["name"], status=status, output=output)
        self._lasting.append(activity["name"])
        if not self._has_rollbacks:
            self._end_faults()

    def start_rollbacks(self, experiment: Mapping[str, Any]) -> None:
        # a SIGTERM from here on would interrupt the rollback under way and skip those after it
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._write("rollback", "begin")

    def rollbacks_completed(self, experiment: Mapping[str, Any], journal: Mapping[str, Any]) -> None:
        runs = journal.get("rollbacks") or []
        done = {r["activity"]["name"] for r in runs if r.get("status") == "succeeded"}
        # judged by what is declared: one that was skipped has left no run
        declared = [str(r.get("name") or r.get("ref")) for r in experiment.get("rollbacks") or []]
        failed = [name for name in declared if name not in done]
        self._write("rollback", "end", status="failed" if failed else "succeeded", failed=failed)
        self._end_faults()

    def _end_faults(self) -> None:
        for activity in self._lasting:
            self._write("fault", "end", activity=activity)
        self._lasting.clear()

    def _is_fault(self, activity: Mapping[str, Any]) -> bool:
        # our own actions bring about what a drill begins with, or put back what it changed: nothing breaks by them
        ours = activity.get("provider", {}).get("module") == ACTIONS
        return self._in_method and activity.get("type") == "action" and not ours

    def _hypothesis(self, when: str, state: Mapping[str, Any] | None) -> None:
        probes = (state or {}).get("probes") or []
        failed = [p["activity"]["name"] for p in probes if not p.get("tolerance_met", False)]
        met = bool(state) and bool((state or {}).get("steady_state_met"))
        self._write("hypothesis", "end", when=when, met=met, failed=failed, probes=len(probes))

    def _write(
        self, kind: str, event: str, since_ns: int | None = None, uid: str = "", **attributes: Attribute
    ) -> None:
        now_ns = self._anchor.now_ns()
        self._timeline.append(
            Entry(
                kind=kind,
                event=event,
                earliest_ns=now_ns if since_ns is None else since_ns,
                latest_ns=now_ns,
                uid=uid,
                source="control",
                attributes=attributes,
            )
        )


def _uid(answer: object) -> str | None:
    """The UID of what an action has made, by the API server's answer. "" where one of that name was there already,
    which chaosk8s takes for success; None where the answer is neither."""
    if not isinstance(answer, Mapping):
        return None
    if answer.get("code") == CONFLICT:
        return ""
    return (answer.get("metadata") or {}).get("uid") or None


_recorder: Recorder | None = None
_method_may_be_stopped = True


def configure_control(experiment: Mapping[str, Any], event_registry: EventHandlerRegistry) -> None:
    """Called by Chaos Toolkit before the experiment starts: register the recorder, once."""
    global _recorder
    bundle, anchor = os.environ.get(BUNDLE_VARIABLE), os.environ.get(ENVIRONMENT_VARIABLE)
    if _recorder is not None or not bundle or not anchor:
        return
    _recorder = Recorder(
        TimelineWriter(Path(bundle) / "timeline.jsonl"),
        Anchor.parse(anchor),
        has_rollbacks=bool(experiment.get("rollbacks")),
    )
    event_registry.register(_recorder)


def before_activity_control(context: Mapping[str, Any]) -> None:
    """Called before each activity: stops the method where the harness has asked for an abort, or has died."""
    if _method_may_be_stopped and (reason := why_to_stop()):
        raise InterruptExecution(reason)


def why_to_stop() -> str:
    """Why the method is to go no further, "" where it may: what waits for long asks from time to time."""
    bundle, harness = os.environ.get(BUNDLE_VARIABLE), os.environ.get(HARNESS_VARIABLE)
    if bundle and (Path(bundle) / ABORT_FILE).exists():
        return "gameday asked for an abort"
    if bundle and harness and os.getppid() != int(harness):
        return "gameday is gone: nobody would see what a further fault does"
    return ""


def after_activity_control(context: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Called after each activity: where one of ours has failed, what the faults after it need isn't there."""
    ours = context.get("provider", {}).get("module") == ACTIONS
    if ours and state.get("status") == "failed" and _method_may_be_stopped and os.environ.get(BUNDLE_VARIABLE):
        raise InterruptExecution(f"{context['name']} failed: what comes after it would show nothing")


def before_rollback_control(context: Mapping[str, Any]) -> None:
    """Called before the rollbacks: an abort never stops these."""
    global _method_may_be_stopped
    _method_may_be_stopped = False
