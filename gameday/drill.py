"""The drill: load, fault and observers run together through the phases, recorded, and undone whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bundle.clock import Anchor
from bundle.manifest import Manifest, Phase, PhaseName
from bundle.table import STREAM_SUFFIX
from bundle.timeline import Entry
from bundle.writer import BundleWriter, unwritable
from gameday.errors import Aborted
from gameday.fault import Fault
from gameday.load.errors import LoadFailed
from gameday.load.live import Live
from gameday.load.profile import load_record
from gameday.load.run import LoadRun
from gameday.observe.observers import Observers
from gameday.phases import ORDER, Decision, Situation, Step, decide, left_s
from gameday.plan import DrillPlan
from gameday.progress import Progress
from gameday.readback import read_back
from gameday.samples import SampleSink
from gameday.serviceside import read_service
from gameday.signals import caught
from gameday.versions import tool_versions

TICK_S = 0.2
NO_LOAD = Live(rate_per_s=0.0, errors=0, p95_ns=None, quiet_ns=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run ended, before anything was scored. `remains` is what could not be undone."""

    root: Path
    outcome: str
    reason: str
    remains: tuple[str, ...] = ()


class Drill:
    """One run of a plan. Make it, `run` it once."""

    def __init__(self, plan: DrillPlan, root: Path, tell: Callable[[Progress], None]) -> None:
        """root: the bundle to write, not yet there. tell: called about five times a second with the progress."""
        self._plan = plan
        self._tell = tell
        self._anchor = Anchor.take()
        self._abort = threading.Event()
        self._abort_reason = ""
        self.interrupted = False
        """Whether a signal asked it to end."""
        self._writer = BundleWriter(root, self._manifest(root.name), self._unwritable)
        try:
            self._samples = SampleSink(root / "samples" / f"harness{STREAM_SUFFIX}", self._unwritable)
        except OSError as error:
            raise unwritable(root, error) from None
        self._observers = Observers(plan, root, self._writer.append, self._samples.add, self._anchor.now_ns)
        self._load = (
            None if plan.profile is None else LoadRun(plan, plan.profile, self._writer, self._anchor, self._note)
        )
        self._fault: Fault | None = None
        self._broken = ""
        """Why the bundle cannot be written any more."""
        self._sent_before_recovery = 0
        self._remains: tuple[str, ...] = ()

    def run(self) -> Outcome:
        """Run it to the end, or to an abort. Whatever happens, load is stopped, the fault undone, the bundle closed.

        A load that fails and a bundle that cannot be written abort it. Raises what went wrong in the harness itself,
        once everything is undone; where something could not be undone, the outcome says so instead, for that is what
        a person must hear first.
        """
        outcome, reason, failure = "failed", "", None
        with caught(self._interrupt):
            try:
                self._start()
                reason = self._phases()
                outcome = "aborted" if self._abort.is_set() else "failed" if reason else "completed"
            except Aborted as error:
                outcome, reason = "aborted", error.what
            except OSError as error:
                self._unwritable(error)
            except BaseException as error:  # SystemExit too, which rich raises when nobody reads its output any more
                reason, failure = f"the harness failed: {type(error).__name__}: {error}", error
            try:
                outcome, reason = self._finish(outcome, reason)
            except Exception as error:
                failure = failure or error
        if self._broken:
            outcome, reason = "aborted", self._broken
        if failure is not None and not self._remains:
            raise failure
        return Outcome(self._writer.root, outcome, reason, self._remains)

    def abort(self, reason: str) -> None:
        """Ask the drill to end now. Safe from a signal handler and from other threads; the first reason stays."""
        self._abort_reason = self._abort_reason or reason
        self._abort.set()

    def _interrupt(self, name: str) -> None:
        self.interrupted = True
        self.abort(f"{name} received")

    def _unwritable(self, error: OSError) -> None:
        self._broken = self._broken or f"the bundle cannot be written: {error.strerror or error}"
        self.abort(self._broken)

    def _start(self) -> None:
        plan, keep = self._plan, self._writer.keep_input
        modules = {} if plan.profile is None else plan.profile.modules
        self._writer.update(
            experiment=keep(plan.experiment.path, "experiment" + plan.experiment.path.suffix),
            profile=None if plan.profile is None else keep(plan.profile.path, "profile.py"),
            profile_imports=tuple(keep(file, f"imports/{name}.py") for name, file in sorted(modules.items())),
            targets=keep(plan.targets_path, "targets.yaml"),
        )
        self._observers.start()
        if self._load is not None and not self._load.start(self._abort.wait):
            raise Aborted(self._abort_reason)

    def _phases(self) -> str:
        """Run the phases in order. Returns why the drill ended early, or "" where it ran to its end."""
        for name in ORDER:
            start_ns = self._anchor.now_ns()
            self._writer.update(phases=(*self._writer.manifest.phases, Phase(name=name, start_ns=start_ns)))
            if name is PhaseName.FAULT:
                self._break()
            elif name is PhaseName.RECOVERY:
                self._sent_before_recovery = 0 if self._load is None else self._load.look(start_ns).sent
            decision = self._stay_in(name, start_ns)
            self._end_phase(self._anchor.now_ns())
            if self._abort.is_set():
                return self._abort_reason
            if decision.step is Step.GIVE_UP:
                return decision.why
            if name is PhaseName.WARM_UP and self._load is not None:
                self._load.complain_of_silence(start_ns)
            if name is PhaseName.FAULT and self._fault is not None and (trouble := self._fault.trouble()):
                return trouble
        return ""

    def _break(self) -> None:
        """Note what is there, then let Chaos Toolkit run the experiment, from the copy that the bundle keeps."""
        self._fault = Fault(self._writer, self._plan, self._anchor, self._abort)

    def _stay_in(self, name: PhaseName, start_ns: int) -> Decision:
        while not self._abort.wait(TICK_S):
            try:
                if self._load is not None:
                    self._load.check()
            except LoadFailed:
                self._samples.flush()
                if self._abort.is_set():  # the disk is full, say: then its log is empty, too
                    break
                raise
            now_ns = self._anchor.now_ns()
            live = NO_LOAD if self._load is None else self._load.look(now_ns)
            situation = self._situation(live, now_ns, start_ns)
            self._tell(
                Progress(
                    name,
                    situation.in_phase_s,
                    left_s(name, situation, self._plan.limits),
                    live,
                    self._observers.replicas(),
                )
            )
            self._samples.flush()
            decision = decide(name, situation, self._plan.limits)
            if decision.step is not Step.STAY:
                return decision
        return Decision(Step.GIVE_UP, self._abort_reason)

    def _situation(self, live: Live, now_ns: int, start_ns: int) -> Situation:
        plan, into_s = self._plan, 0.0 if self._load is None else self._load.into_s(now_ns)
        clean_s = 0.0 if live.quiet_ns is None else live.quiet_ns / 1e9
        return Situation(
            in_phase_s=(now_ns - start_ns) / 1e9,
            rate_per_s=live.rate_per_s,
            asked_per_s=plan.asked_per_s(into_s - plan.limits.hold_s, into_s),
            clean_s=None if plan.profile is None else clean_s,
            chaos_running=self._fault is not None and self._fault.running(),
            whole=self._observers.whole(),
            requests=live.sent - self._sent_before_recovery,
        )

    def _finish(self, outcome: str, reason: str) -> tuple[str, str]:
        """Stop the load, undo the fault, end the observers, close the bundle; returns the outcome and its reason.

        Each step is taken whatever the one before it ran into, and nothing is written before the fault is undone.
        """
        with ExitStack() as closing:  # unwound from the last line to the first
            closing.callback(self._writer.close)
            closing.callback(self._samples.close)
            if self._load is not None:
                closing.callback(self._load.close)
            closing.callback(self._observers.stop)
            ended_ns = self._anchor.now_ns()
            try:
                if outcome != "completed" and self._fault is not None:  # nothing is worth waiting for while it is there
                    self._fault.roll_back()
            finally:
                try:
                    stopped = self._load is None or self._load.stop()
                finally:
                    if self._fault is not None:
                        self._remains = self._fault.undo(healed=outcome == "completed", unwritable=self._unwritable)
            if outcome == "completed":
                self._read_back()
                self._read_service()
            if not stopped and outcome == "completed":
                outcome, reason = "failed", "the load had to be killed, and its last rows are lost"
            self._end_phase(ended_ns)
            if self._load is not None:
                self._load.keep()
            self._writer.update(outcome=outcome, reason=reason, clock_drift_ns=self._anchor.drift_ns())
        return outcome, reason

    def _read_back(self) -> None:
        """Look for every acknowledged write in every region, where the experiment says how."""
        plan = self._plan.experiment.ledger
        if plan is None or self._load is None:
            return
        try:
            read_back(self._writer.root, plan, self._plan.clusters)
        except OSError as error:
            self._unwritable(error)

    def _read_service(self) -> None:
        """Ask each Prometheus that is named for what the service counted. The fault is undone by now."""
        plan = self._plan
        read_service(
            plan.prometheus,
            plan.experiment.service.of(plan.clusters[0].namespace),
            self._anchor.wall_ns,
            self._anchor.now_ns,
            self._samples.add,
            self._writer.append,
        )

    def _end_phase(self, end_ns: int) -> None:
        phases = self._writer.manifest.phases
        if phases and phases[-1].end_ns is None:
            ended = phases[-1].model_copy(update={"end_ns": end_ns})
            self._writer.update(phases=(*phases[:-1], ended))

    def _note(self, kind: str, event: str, **attributes: str) -> None:
        now = self._anchor.now_ns()
        self._writer.append(Entry(kind, event, earliest_ns=now, latest_ns=now, source="harness", attributes=attributes))

    def _manifest(self, run_id: str) -> Manifest:
        plan = self._plan
        contexts = tuple(cluster.context for cluster in plan.clusters)
        return Manifest(
            id=run_id,
            drill=plan.name,
            title=plan.experiment.title,
            contexts=contexts,
            namespace=plan.clusters[0].namespace,
            seed=plan.seed,
            effects=plan.experiment.effects,
            watched=contexts,
            tools={**tool_versions(), **{f"kubernetes in {c}": v for c, v in plan.versions.items()}},
            clock_wall_ns=self._anchor.wall_ns,
            clock_mono_ns=self._anchor.mono_ns,
            load=None
            if plan.profile is None
            else load_record(plan.profile, plan.host, plan.workers if plan.load_at is None else 0),
        )
