"""What an experiment's actions must be seen to do, read from the actions themselves.

This is where a drill's proof comes from: the manifest says which pods must lose their UID or which deployment must
reach which replicas, and the scorer looks for exactly that in the timeline. Of a resource of Chaos Mesh whose effect
can't be seen it is looked for that it was injected, which must be so and proves nothing. Another action that isn't in
the table below gives no effect; an experiment without any that proves something makes its drill invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bundle.manifest import Effect
from gameday import chaosmesh
from gameday.chaosmesh import Arguments


def _pods_replaced(activity: str, context: str, arguments: Arguments) -> Effect:
    fixed = arguments.get("mode", "fixed") == "fixed" and not arguments.get("all", False)
    return Effect(
        kind="pods-replaced",
        activity=activity,
        context=context,
        namespace=arguments.get("ns", "default"),
        selector=arguments.get("label_selector") or "",
        name=arguments.get("name_pattern") or "",
        count=max(1, int(arguments.get("qty", 1))) if fixed else 1,
    )


def _replicas(activity: str, context: str, arguments: Arguments) -> Effect:
    return Effect(
        kind="replicas",
        activity=activity,
        context=context,
        namespace=arguments.get("ns", "default"),
        name=str(arguments["name"]),
        count=int(arguments["replicas"]),
    )


def _load_step(activity: str, context: str, arguments: Arguments) -> Effect:
    return Effect(
        kind="load-step",
        activity=activity,
        context=context,
        namespace=arguments.get("ns", "default"),
        name=str(arguments["deployment"]),
    )


EFFECTS: Mapping[tuple[str, str], Callable[[str, str, Arguments], Effect | None]] = {
    ("chaosk8s.pod.actions", "terminate_pods"): _pods_replaced,
    ("chaosk8s.deployment.actions", "scale_deployment"): _replicas,
    ("gameday.peak", "load_rises"): _load_step,
    chaosmesh.CREATE: chaosmesh.effect_of,
}
"""By module and function of a python action. A new kind of fault that can be proven is one entry here."""


def effects_of(
    method: Sequence[Mapping[str, Any]],
    context: str,
    resolve: Callable[[Mapping[str, Any]], tuple[Arguments, str | None]],
) -> tuple[Effect, ...]:
    """The effects that the actions of `method` must have.

    context: where an action takes place that names no context of its own. resolve: gives an activity's arguments with
    the experiment's configuration filled in, and the context that its secrets name.
    """
    effects = []
    for activity in method:
        provider = activity.get("provider", {})
        make = EFFECTS.get((provider.get("module", ""), provider.get("func", "")))
        made = chaosmesh.kind_made(activity)
        if activity.get("type") == "action" and (make is not None or made):
            arguments, own_context = resolve(activity)
            where = own_context or context
            effect = None if make is None else make(activity["name"], where, arguments)
            if effect is None and made:
                effect = chaosmesh.injection_of(activity, where, arguments)
            effects.append(effect)
    return tuple(effect for effect in effects if effect is not None)
