"""How replicas stand before a drill that takes a leader away or delays one: what must hold, or nothing can be shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gameday.cluster import PATHS, ApiError, Cluster
from gameday.errors import BadInput, GuardRefused
from gameday.observe.asking import Asking, NoAnswer, OutOfReach, asking
from gameday.observe.polling import replicas_of
from gameday.observe.roles import DelayPlan, Role, RolePlan, role_in
from gameday.observe.sighting import Replica


def check_leader(
    clusters: Sequence[Cluster],
    plan: RolePlan,
    make: Callable[[RolePlan, Cluster, Replica], Asking] = asking,
) -> None:
    """Ask every replica once.

    Raises BadInput where there are fewer than two regions or one of them hasn't the deployment, and GuardRefused where
    no replica says that it leads.
    """
    if len(clusters) < 2:
        raise BadInput(
            "a failover needs at least two regions",
            where="--context",
            do="name each region's context, the one that is to fail first",
        )
    for cluster in clusters:
        _check_deployment(cluster, plan.deployment)
    answers = [
        answer
        for cluster in clusters
        for replica in replicas_of(cluster.list("pods")["items"], cluster.context, plan.deployment)
        if (answer := _ask(make(plan, cluster, replica), plan)) is not None
    ]
    if not any(answer.leads for answer in answers):
        raise GuardRefused(
            f"there is no leader to begin with: {len(answers)} replicas told their role, and none of them leads"
            if answers
            else f"no replica told its role at port {plan.port}, {plan.path}, as {plan.field}.role",
            where=f"deployment {plan.deployment} in {', '.join(cluster.context for cluster in clusters)}",
            do="wait for an election, or mend `leaders` in the experiment (reach: proxy asks through the API server)",
        )


def check_delays(
    clusters: Sequence[Cluster],
    plan: DelayPlan,
    make: Callable[[DelayPlan, Cluster, Replica], Asking] = asking,
) -> None:
    """Ask every replica of these contexts once, whose delay is to be measured.

    Raises BadInput where one hasn't the deployment, and GuardRefused where one of its replicas doesn't answer.
    """
    for cluster in clusters:
        _check_deployment(cluster, plan.deployment)
        for replica in replicas_of(cluster.list("pods")["items"], cluster.context, plan.deployment):
            asked = make(plan, cluster, replica)
            try:
                asked.get(plan.path)
            except (NoAnswer, OutOfReach) as error:
                raise GuardRefused(
                    f"pod {replica.name} doesn't answer at port {plan.port}, {plan.path}: {error}",
                    where=f"deployment {plan.deployment} in {cluster.context}",
                    do="mend `delays` in the experiment (reach: proxy asks through the API server)",
                ) from None
            finally:
                asked.close()


def _check_deployment(cluster: Cluster, name: str) -> None:
    try:
        cluster.get(f"{PATHS['deployments'].format(namespace=cluster.namespace)}/{name}")
    except ApiError as error:
        raise BadInput(
            f"no deployment {name}" if error.code == 404 else f"deployment {name}: {error}",
            where=f"context {cluster.context}, namespace {cluster.namespace}",
            do="name the region's context and namespace, or another deployment (GAMEDAY_DEPLOYMENT)",
        ) from None


def _ask(replica: Asking, plan: RolePlan) -> Role | None:
    try:
        return role_in(replica.get(plan.path)[1], plan.field)
    except (NoAnswer, OutOfReach, ValueError):
        return None
    finally:
        replica.close()
