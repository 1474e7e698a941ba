"""A drill of a game day as a plan that can be run, checked as `gameday run` checks it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bundle.errors import ExplainedError
from gameday.agenda import Agenda, Item
from gameday.load.arrivals import Spacing
from gameday.load.remote import address_of
from gameday.load.schedule import Asked
from gameday.phases import PhaseLimits
from gameday.plan import (
    CONTEXT_VARIABLE,
    HOST_VARIABLE,
    NAMESPACE_VARIABLE,
    PROMETHEUS_VARIABLE,
    DrillPlan,
    make_plan,
)


def limits_of(warm_up_s: float, baseline_s: float, recovery_max_s: float, cool_down_s: float) -> PhaseLimits:
    """How long the phases last, in seconds, before the plan adds what the targets ask for."""
    return PhaseLimits(
        warm_up_s=warm_up_s,
        baseline_s=baseline_s,
        baseline_max_s=max(60.0, 2 * baseline_s),
        recovery_max_s=recovery_max_s,
        cool_down_s=cool_down_s,
    )


def plan_of(agenda: Agenda, item: Item, runs: Path) -> DrillPlan:
    """Check everything of one drill and reach its clusters. Raises ExplainedError that names the drill and its line.

    What the experiment is told by the environment is in the environment afterwards: see `environment_kept`.
    """
    try:
        return make_plan(
            experiment=Path(item.experiment),
            profile=Path(item.profile),
            targets=Path(item.targets or agenda.targets),
            contexts=item.contexts or agenda.contexts,
            namespace=item.namespace or agenda.namespace,
            host=item.host or agenda.host,
            drill=item.drill,
            asked=Asked(
                item.rate_per_s, item.duration_s, None if item.spacing is None else Spacing(item.spacing), item.users
            ),
            seed=item.seed,
            workers=item.workers,
            load_at=address_of(None, item.workers),
            limits=limits_of(item.warm_up_s, item.baseline_s, item.recovery_max_s, item.cool_down_s),
            runs=runs,
        )
    except ExplainedError as error:
        where = f"{agenda.where(item)}: {error.where}" if error.where else agenda.where(item)
        raise type(error)(error.what, where=where, do=error.do) from None


@contextmanager
def environment_kept() -> Iterator[None]:
    """Put back, at the end, what a plan sets for its experiment: the next drill must not take it for the caller's."""
    names = (HOST_VARIABLE, NAMESPACE_VARIABLE, CONTEXT_VARIABLE, PROMETHEUS_VARIABLE)
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
