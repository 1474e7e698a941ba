"""The drill: load, fault and observers run together through the phases, recorded, and undone whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from bundle.manifest import Manifest, Phase, PhaseName
from bundle.table import STREAM_SUFFIX
from bundle.tail import StreamTail
from bundle.timeline import Entry
from bundle.writer import BundleWriter, unwritable
from gameday.chaos import ChaosProcess
from gameday.errors import Aborted
from gameday.healing import not_whole, rollbacks_owed
from gameday.load.live import Live, LiveView
from gameday.load.process import LoadPlan, LoadProcess
from gameday.load.profile import ProfileFacts, load_record
from gameday.load.remote import RemoteLoad, RemotePlan
from gameday.load.running import Load
from gameday.load.sources import digest
from gameday.observe.asking import asking
from gameday.observe.leaders import LeaderPoll
from gameday.observe.watcher import Watcher
from gameday.phases import ORDER, Decision, PhaseLimits, Situation, Step, decide, left_s
from gameday.plan import DrillPlan
from gameday.readback import read_back
from gameday.samples import SampleSink
from gameday.signals import caught
from gameday.undo import Undo
from gameday.versions import tool_versions

TICK_S = 0.2
START_TIMEOUT_S = 20.0
WORKER_START_S = 2.0
"""So much longer for each process of ours, which take a second of a core each to start."""
REMOTE_START_S = 40.0
"""So much longer where the load comes from elsewhere: it may have to end another one first."""
ROLLBACK_TIMEOUT_S = 60.0
WHOLE_TIMEOUT_S = 60.0
"""How long after an abort the deployments may take to come back before the undo counts as incomplete."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person sees while it runs."""

    phase: PhaseName
    in_phase_s: float
    left_s: float | None
    live: Live
    whole: str
    """Ready of desired replicas, such as `7/7`."""


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
        self._watchers = [
            Watcher(cluster, self._writer.append, self._samples.add, self._anchor.now_ns) for cluster in plan.clusters
        ]
        self._polls: list[LeaderPoll] = []
        self._tails: list[StreamTail] = []
        self._view = LiveView(window_s=plan.limits.hold_s)
        self._load: Load | None = None
        self._chaos: ChaosProcess | None = None
        self._undo: Undo | None = None
        self._broken = ""
        """Why the bundle cannot be written any more."""
        self._began_ns = 0
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
        for watcher in self._watchers:
            if not watcher.start(START_TIMEOUT_S):
                raise Aborted(
                    f"could not watch the cluster within {START_TIMEOUT_S:g} s",
                    where=f"context {watcher.context}",
                    do="see timeline.jsonl for the reason",
                )
        self._poll_leaders()
        if plan.profile is not None:
            self._start_load(plan.profile)

    def _poll_leaders(self) -> None:
        """Poll for who leads, where the experiment asks for that."""
        roles = self._plan.experiment.leaders
        if roles is None:
            return
        for cluster, watcher in zip(self._plan.clusters, self._watchers, strict=True):
            poll = LeaderPoll(
                cluster, roles, watcher.pods, asking, self._writer.append, self._samples.add, self._anchor.now_ns
            )
            self._polls.append(poll)
            poll.start()

    def _start_load(self, profile: ProfileFacts) -> None:
        plan, root = self._plan, self._writer.root
        limit_s = longest_s(plan.limits)
        if plan.load_at is None:
            self._load = LoadProcess(
                LoadPlan(
                    profile.path, plan.host, root, self._anchor, limit_s, plan.asked, plan.seed, workers=plan.workers
                )
            )
        else:
            sha256 = digest(profile.path, profile.modules)
            self._load = RemoteLoad(
                RemotePlan(plan.load_at, sha256, plan.host, root, self._anchor, limit_s, plan.asked, plan.seed)
            )
        each_s = WORKER_START_S * plan.workers if plan.load_at is None else REMOTE_START_S
        began_ns = self._load.wait_started(START_TIMEOUT_S + each_s, self._abort.wait)
        if began_ns is None:
            raise Aborted(self._abort_reason)
        self._began_ns = began_ns
        workers = self._load.workers()
        self._keep_load(began_ns=self._began_ns, workers=workers)
        self._tails = [StreamTail(root / "requests" / f"{worker.name}{STREAM_SUFFIX}") for worker in workers]
        self._note("load", "started")

    def _keep_load(self, **changes: object) -> None:
        load = self._writer.manifest.load
        assert load is not None  # there is a profile
        self._writer.update(load=load.model_copy(update=changes))

    def _phases(self) -> str:
        """Run the phases in order. Returns why the drill ended early, or "" where it ran to its end."""
        for name in ORDER:
            start_ns = self._anchor.now_ns()
            self._writer.update(phases=(*self._writer.manifest.phases, Phase(name=name, start_ns=start_ns)))
            if name is PhaseName.FAULT:
                self._break()
            elif name is PhaseName.RECOVERY:
                self._sent_before_recovery = self._look(start_ns).sent
            decision = self._stay_in(name, start_ns)
            self._end_phase(self._anchor.now_ns())
            if self._abort.is_set():
                return self._abort_reason
            if decision.step is Step.GIVE_UP:
                return decision.why
            if name is PhaseName.WARM_UP and self._load is not None and not self._look(start_ns).sent:
                self._load.complain_of_errors("the load sent nothing in the warm-up")
            if name is PhaseName.FAULT and self._chaos is not None and (trouble := self._chaos.trouble()):
                return trouble
        return ""

    def _break(self) -> None:
        """Note what is there, then let Chaos Toolkit run the experiment, from the copy that the bundle keeps."""
        self._undo = Undo.arm(self._writer.root, self._plan.clusters)
        kept = self._writer.manifest.experiment
        assert kept is not None  # _start kept it
        self._chaos = ChaosProcess(
            self._writer.root / kept.copy_as,
            self._writer.root,
            {ENVIRONMENT_VARIABLE: self._anchor.text(), **self._plan.environment},
        )

    def _stay_in(self, name: PhaseName, start_ns: int) -> Decision:
        while not self._abort.wait(TICK_S):
            if self._load is not None and (code := self._load.poll()) is not None:
                self._samples.flush()
                if self._abort.is_set():  # the disk is full, say: then its log is empty, too
                    break
                raise self._load.failure(f"Locust ended in mid-drill with code {code}")
            for lost in self._load.newly_lost() if self._load is not None else ():
                self._note("load", "worker-lost", worker=lost.name, error=lost.error)
            now_ns = self._anchor.now_ns()
            live = self._look(now_ns)
            situation = self._situation(live, now_ns, start_ns)
            self._tell(
                Progress(
                    name,
                    situation.in_phase_s,
                    left_s(name, situation, self._plan.limits),
                    live,
                    self._replicas(),
                )
            )
            self._samples.flush()
            decision = decide(name, situation, self._plan.limits)
            if decision.step is not Step.STAY:
                return decision
        return Decision(Step.GIVE_UP, self._abort_reason)

    def _look(self, now_ns: int) -> Live:
        for tail in self._tails:
            for batch in tail.batches():
                self._view.add(batch)
        return self._view.at(now_ns)

    def _situation(self, live: Live, now_ns: int, start_ns: int) -> Situation:
        plan, into_s = self._plan, (now_ns - self._began_ns) / 1e9
        clean_s = 0.0 if live.quiet_ns is None else live.quiet_ns / 1e9
        return Situation(
            in_phase_s=(now_ns - start_ns) / 1e9,
            rate_per_s=live.rate_per_s,
            asked_per_s=plan.asked_per_s(into_s - plan.limits.hold_s, into_s),
            clean_s=None if plan.profile is None else clean_s,
            chaos_running=self._chaos is not None and self._chaos.running(),
            whole=self._whole(),
            requests=live.sent - self._sent_before_recovery,
        )

    def _whole(self) -> bool:
        return all(deployment.settled for watcher in self._watchers for deployment in watcher.deployments())

    def _replicas(self) -> str:
        states = [deployment for watcher in self._watchers for deployment in watcher.deployments()]
        return f"{sum(s.ready for s in states)}/{sum(s.desired for s in states)}"

    def _finish(self, outcome: str, reason: str) -> tuple[str, str]:
        """Stop the load, undo the fault, end the observers, close the bundle; returns the outcome and its reason.

        Each step is taken whatever the one before it ran into, and nothing is written before the fault is undone.
        """
        with ExitStack() as closing:  # unwound from the last line to the first
            closing.callback(self._writer.close)
            closing.callback(self._samples.close)
            for tail in self._tails:
                closing.callback(tail.close)
            for watcher in self._watchers:
                closing.callback(watcher.stop)
            for poll in self._polls:
                closing.callback(poll.stop)
            ended_ns = self._anchor.now_ns()
            try:
                if outcome != "completed":  # nothing is worth waiting for while the fault is in place
                    self._roll_back()
            finally:
                try:
                    stopped = self._load is None or self._load.stop()
                finally:
                    self._undo_fault(outcome)
            if outcome == "completed":
                self._read_back()
            for lost in self._load.newly_lost() if self._load is not None else ():
                self._note("load", "worker-lost", worker=lost.name, error=lost.error)
            if not stopped and outcome == "completed":
                outcome, reason = "failed", "the load had to be killed, and its last rows are lost"
            self._end_phase(ended_ns)
            if self._load is not None:
                self._keep_load(workers=self._load.workers())
                self._note("load", "stopped")
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

    def _roll_back(self) -> None:
        """End the experiment, which runs its rollbacks, and put back what it left. Harmless when called again."""
        if self._chaos is not None and self._undo is not None:
            self._chaos.abort(ROLLBACK_TIMEOUT_S)
            self._undo.restore({cluster.context: cluster for cluster in self._plan.clusters})

    def _undo_fault(self, outcome: str) -> None:
        """The experiment's rollbacks, then our own undo; what neither could do is in `_remains` afterwards."""
        if self._chaos is None or self._undo is None:
            return
        self._roll_back()
        remains = self._undo.restore({cluster.context: cluster for cluster in self._plan.clusters})
        if outcome != "completed" and not remains:
            self._abort.clear()  # whoever asks again now doesn't want to wait for the cluster to heal
            remains = not_whole(self._plan.clusters, WHOLE_TIMEOUT_S, self._abort.wait)
        remains += rollbacks_owed(self._writer.root, self._plan.experiment.rollbacks)
        self._remains = remains
        try:
            self._undo.finish(remains)
        except OSError as error:  # it stays `armed`, so that the next run is refused until `gameday recover` was here
            self._unwritable(error)

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


def longest_s(limits: PhaseLimits) -> float:
    """How long a drill with these limits may last in all, in seconds; the load ends by itself after that."""
    phases = limits.warm_up_s + limits.baseline_max_s + limits.fault_max_s + limits.recovery_max_s + limits.cool_down_s
    return phases + ROLLBACK_TIMEOUT_S
