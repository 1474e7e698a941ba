"""A drill, planned: every input checked and every cluster reached before anything is started."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from bundle.rates import expected_between, highest_per_s
from gameday import prometheus
from gameday.autoscaler import check_autoscaler
from gameday.cluster import ApiError, Cluster
from gameday.errors import BadInput
from gameday.experiment import Experiment, load_experiment
from gameday.guards import check_chaos_mesh
from gameday.load.lead import SPARE_S, Led, led
from gameday.load.profile import ProfileFacts, check_profile
from gameday.load.remote import LoadAddress
from gameday.load.schedule import NOTHING_ASKED, Asked
from gameday.observe.standing import check_delays, check_leader
from gameday.phases import PhaseLimits
from gameday.undo import autoscaled
from scorer.targets import Targets

HOST_VARIABLE = "GAMEDAY_HOST"
NAMESPACE_VARIABLE = "GAMEDAY_NAMESPACE"
CONTEXT_VARIABLE = "KUBERNETES_CONTEXT"
"""chaosk8s' own: an action that names no context of its own goes to this one."""
CONTEXTS_VARIABLE = "GAMEDAY_CONTEXTS"
"""All contexts of the drill, separated by commas, the first one first."""
PROMETHEUS_VARIABLE = "GAMEDAY_PROMETHEUS_URL"
"""Set where the first context's Prometheus is known, for chaosprometheus' `prometheus_base_url`."""
ENTRY_LABEL = "gameday.dev/entry"


@dataclass(frozen=True)
class DrillPlan:
    """What is to be run. `clusters` are watched; the first is where the experiment's actions go by default."""

    name: str
    experiment: Experiment
    profile: ProfileFacts | None
    """None: the load comes from elsewhere, and its rows are imported afterwards."""
    targets_path: Path
    targets: Targets
    clusters: tuple[Cluster, ...]
    host: str
    asked: Asked
    seed: int
    workers: int
    load_at: LoadAddress | None
    """Where the load is sent from; None: this machine."""
    limits: PhaseLimits
    runs: Path
    versions: Mapping[str, str] = field(default_factory=dict)
    """Kubernetes version by context, as the clusters said it."""
    prometheus: Mapping[str, str] = field(default_factory=dict)
    """URL by context of each Prometheus that is asked for what the service counted."""

    def asked_per_s(self, from_s: float, to_s: float) -> float | None:
        """The mean arrival rate between two times in seconds since the schedule began; None where nothing is due."""
        if self.profile is None or self.profile.model == "closed":
            return None
        return expected_between(self.profile.curves, max(0.0, from_s), to_s) / (to_s - max(0.0, from_s))

    @property
    def environment(self) -> dict[str, str]:
        """What the experiment and the profile are told by environment variables."""
        own = self.prometheus.get(self.clusters[0].context)
        return {
            **({} if own is None else {PROMETHEUS_VARIABLE: own}),
            HOST_VARIABLE: self.host,
            NAMESPACE_VARIABLE: self.clusters[0].namespace,
            CONTEXT_VARIABLE: self.clusters[0].context,
            CONTEXTS_VARIABLE: ",".join(cluster.context for cluster in self.clusters),
        }


def make_plan(
    *,
    experiment: Path,
    profile: Path | None,
    targets: Path,
    contexts: tuple[str, ...],
    namespace: str | None,
    host: str | None,
    drill: str | None,
    asked: Asked,
    seed: int,
    workers: int,
    load_at: LoadAddress | None,
    limits: PhaseLimits,
    runs: Path,
) -> DrillPlan:
    """Check everything that can be checked beforehand. Raises ExplainedError; nothing has been started then.

    profile: None where the load comes from elsewhere. asked: what replaces what the profile says; where there is no
    profile its rate is what the other generator sends, and says how long the drill must last.

    The cheap checks come first, so that a misspelt file name is told at once and not after ten seconds of connecting.
    The recovery phase lasts until there are as many requests as the targets need, and the hold time is their own.
    """
    for path, what in ((experiment, "experiment"), (profile, "load profile"), (targets, "targets file")):
        if path is not None and not path.is_file():
            raise BadInput(f"no such {what}", where=str(path), do=f"give the path of the {what}")
    promised = Targets.load(targets)
    scraped = prometheus.addresses(os.environ.get(prometheus.VARIABLE, ""))
    name = drill or experiment.stem
    promised.of_drill(name)
    clusters = tuple(Cluster.from_kubeconfig(context, namespace) for context in dict.fromkeys(contexts or (None,)))
    _check_kubeconfig_for_chaosk8s()
    given = host or os.environ.get(HOST_VARIABLE)
    if given:
        check_host(given, resolve=load_at is None)
    if profile is None and load_at is not None:
        raise BadInput("--load none sends nothing", where="--load-at", do="name the profile that lies there")
    facts = None if profile is None else check_profile(profile, asked)
    if profile is None and (asked.duration_s is not None or asked.spacing is not None or workers > 1):
        raise BadInput(
            "--duration, --spacing and --workers say nothing of a load that comes from elsewhere",
            where="--load none",
            do="leave them out; --rate says how much is sent",
        )
    if (
        facts is not None
        and facts.model == "closed"
        and not facts.mixed
        and asked != replace(NOTHING_ASKED, users=asked.users)
    ):
        raise BadInput(
            "--rate, --duration and --spacing say nothing of a closed loop, whose users wait for answers",
            where=str(profile),
            do="set how many users there are with --users",
        )
    if asked.users is not None and (facts is None or facts.model == "open"):
        raise BadInput(
            "--users says nothing of a load that comes by a schedule",
            where=str(profile or "--load none"),
            do="set how much is sent with --rate",
        )
    if facts is not None and facts.mixed and (workers > 1 or load_at is not None):
        raise BadInput(
            "has ArrivalUsers and other users, which cannot share several processes",
            where=str(profile),
            do="run it with --workers 1, or put them into two files",
        )
    # chaosk8s and the experiment's configuration read the environment, here as later in the `chaos` process
    os.environ.update({CONTEXT_VARIABLE: clusters[0].context, NAMESPACE_VARIABLE: clusters[0].namespace})
    if given:
        os.environ[HOST_VARIABLE] = given
    if clusters[0].context in scraped:
        os.environ[PROMETHEUS_VARIABLE] = scraped[clusters[0].context]
    checked = load_experiment(experiment, clusters[0].context)
    watched = {(cluster.context, cluster.namespace) for cluster in clusters}
    touched = [(each.activity, each.context, each.namespace) for each in checked.effects]
    touched += [(each.activity, each.context, each.namespace) for each in checked.chaos]
    for activity, context, touches in touched:
        if (context, touches) not in watched:
            raise BadInput(
                f"{activity} acts on namespace {touches} of {context}, which is not watched",
                where=str(experiment),
                do="name both with --context and --namespace, or mend the experiment",
            )
    steps = [effect for effect in checked.effects if effect.kind == "load-step"]
    peak: Led | None = None
    if steps:
        peak = led(facts, limits.warm_up_s + limits.baseline_s + SPARE_S)
        facts = peak.profile
    versions = {cluster.context: cluster.check() for cluster in clusters}
    for cluster in clusters:
        autoscaled(cluster)  # what can't be told now can't be undone later
    for effect in steps:
        for cluster in clusters:
            if (cluster.context, cluster.namespace) == (effect.context, effect.namespace):
                check_autoscaler(cluster, effect.name)
    if checked.leaders is not None:
        check_leader(clusters, checked.leaders)
    check_chaos_mesh(checked.chaos, {cluster.context: cluster for cluster in clusters})
    if checked.delays is not None:
        delayed = {effect.context for effect in checked.effects if effect.kind == "delay"}
        check_delays([cluster for cluster in clusters if cluster.context in delayed], checked.delays)
    where = given or find_entry(clusters[0])
    if not given:
        check_host(where, resolve=load_at is None)
    os.environ[HOST_VARIABLE] = where
    needed = requests_needed(promised, name)
    return DrillPlan(
        name=name,
        experiment=checked,
        profile=facts,
        targets_path=targets,
        targets=promised,
        clusters=clusters,
        host=where,
        asked=asked if peak is None else replace(asked, lead_s=peak.lead_s),
        seed=seed,
        workers=workers,
        load_at=load_at,
        limits=replace(
            limits,
            hold_s=promised.recovery.hold_s,
            # what the peak sends is sent after the load's step, which is the fault
            requests=needed if peak is None else max(0, needed - math.floor(peak.at_peak)),
            fault_max_s=limits.fault_max_s + (0.0 if peak is None else peak.fall_s),
            unseen_s=needed / asked.rate_per_s if facts is None and asked.rate_per_s else limits.unseen_s,
            highest_per_s=None if facts is None or facts.model == "closed" else highest_per_s(facts.curves),
        ),
        runs=runs,
        versions=versions,
        prometheus=scraped,
    )


def check_host(host: str, *, resolve: bool = True) -> None:
    """Raise BadInput where `host` is no URL that load can be sent to, or its name has no address.

    A password in it would end up in the record.
    """
    try:
        parts = urlsplit(host)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password:
        raise BadInput(f"{host.rpartition('@')[2]!r} is no URL for load", where="--host", do="give http://ADDRESS:PORT")
    if not resolve:  # the load is sent from elsewhere, where the name may have another address, or one at all
        return
    try:
        socket.getaddrinfo(parts.hostname, parts.port or parts.scheme)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what = f"{parts.hostname} does not resolve ({reason}), so that every request would fail"
        raise BadInput(what, where="--host", do="give a name or an address that does") from None


def _check_kubeconfig_for_chaosk8s() -> None:
    """Raise BadInput where KUBECONFIG is something that kubectl understands and chaosk8s silently doesn't."""
    kubeconfig = os.environ.get("KUBECONFIG")
    if kubeconfig == "":
        del os.environ["KUBECONFIG"]  # kubectl takes it for unset, chaosk8s for a file that isn't there
    elif kubeconfig and os.pathsep in kubeconfig:
        raise BadInput(
            "KUBECONFIG names several files, and chaosk8s reads only one",
            where=kubeconfig,
            do="merge them: kubectl config view --flatten > merged",
        )


def requests_needed(targets: Targets, drill: str) -> int:
    """How many requests must be sent after the fault for the drill's promises to be claimed, were all of them good.

    As many as the strictest promised share takes, with a fifth to spare: a few come before or after the window.
    """
    from scorer.objective import clean_requests_needed

    promises = targets.of_drill(drill).values()
    return math.ceil(1.2 * clean_requests_needed(promises, targets.validity.confidence, of="target"))


def find_entry(cluster: Cluster) -> str:
    """The URL where load enters: the LoadBalancer Service labelled `gameday.dev/entry=true` in the namespace.

    Raises BadInput where there is none, or where it has no address yet.
    """
    try:
        services = cluster.list("services")["items"]
    except ApiError as error:
        raise BadInput(
            f"its Services cannot be listed: {error}",
            where=f"context {cluster.context}, namespace {cluster.namespace}",
            do="say where the load goes with --host http://ADDRESS:PORT",
        ) from None
    entries = [s for s in services if s["metadata"].get("labels", {}).get(ENTRY_LABEL) == "true"]
    where = f"context {cluster.context}, namespace {cluster.namespace}"
    if not entries:
        raise BadInput(
            f"no Service is labelled {ENTRY_LABEL}=true",
            where=where,
            do="say where the load goes with --host http://ADDRESS:PORT",
        )
    ingress = entries[0].get("status", {}).get("loadBalancer", {}).get("ingress") or []
    address = (ingress[0].get("ip") or ingress[0].get("hostname")) if ingress else None
    if not address:
        raise BadInput(
            f"Service {entries[0]['metadata']['name']} has no address yet",
            where=where,
            do="wait for it, or give --host http://ADDRESS:PORT",
        )
    return f"http://{address}:{entries[0]['spec']['ports'][0]['port']}"
