"""Chaos Mesh's resources as an experiment's actions make them: which ones, and what each must be seen to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from bundle.manifest import Effect

Arguments: TypeAlias = Mapping[str, Any]

GROUP, VERSION = "chaos-mesh.org", "v1alpha1"
CREATE = ("chaosk8s.crd.actions", "create_custom_object")
NETWORK = "chaosk8s.chaosmesh.network.actions"
STRESS = "chaosk8s.chaosmesh.stress.actions"
MODULES = {NETWORK: "networkchaos", STRESS: "stresschaos"}
"""chaosk8s' own actions, and what their functions make, but for those that delete."""
WATCHED = ("networkchaos", "podchaos")
"""What the harness watches: when it is injected, and when it has recovered."""

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS_NS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9
}  # fmt: skip


class ChaosResource(BaseModel):
    """A resource of Chaos Mesh that an activity of the experiment makes. resource: its plural, such as networkchaos."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    activity: str
    context: str
    namespace: str
    resource: str = Field(pattern="^[a-z]+$")
    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")

    @property
    def collection(self) -> str:
        """The path of the resources of its kind."""
        return f"/apis/{GROUP}/{VERSION}/namespaces/{self.namespace}/{self.resource}"

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"{self.collection}/{self.name}"

    @property
    def removal(self) -> str:
        """What a person types to remove it."""
        return f"kubectl --context {self.context} -n {self.namespace} delete {self.resource} {self.name}"

    def __str__(self) -> str:
        return f"{self.resource} {self.namespace}/{self.name} in {self.context}"


def kind_made(activity: Mapping[str, Any]) -> str:
    """The plural of Chaos Mesh's resource that an action makes, "" where it makes none."""
    provider = activity.get("provider", {}) if activity.get("type") == "action" else {}
    module, func, arguments = provider.get("module", ""), provider.get("func", ""), provider.get("arguments") or {}
    if (module, func) == CREATE:
        return str(arguments.get("plural", "")) if arguments.get("group") == GROUP else ""
    return MODULES.get(module, "") if not func.startswith("delete") else ""


def resource_of(activity: Mapping[str, Any], context: str, arguments: Arguments) -> ChaosResource:
    """The resource of an action that makes one. arguments: its own, with the configuration filled in.

    Raises ValueError, KeyError and TypeError where they name none.
    """
    created = "resource" in arguments
    return ChaosResource(
        activity=activity["name"],
        context=context,
        namespace=arguments.get("ns", "default"),
        resource=kind_made(activity),
        name=_object(arguments)["metadata"]["name"] if created else arguments["name"],
    )


def effect_of(activity: str, context: str, arguments: Arguments) -> Effect | None:
    """What the object that `create_custom_object` makes must be seen to do: None where that can't be seen.

    Raises ValueError where it asks for what can't be proven: pods of other namespaces, or chosen by more than labels; a
    delay on the way to some targets only, of which nothing is seen from here.
    """
    if arguments.get("group") != GROUP:
        return None
    namespace, spec = arguments.get("ns", "default"), _object(arguments)["spec"]
    kind, action = arguments["plural"], spec.get("action")
    if (kind, action) not in (("networkchaos", "delay"), ("podchaos", "pod-kill")):
        return None
    effect = Effect(
        kind="pods-replaced",
        activity=activity,
        context=context,
        namespace=namespace,
        selector=_selector(spec.get("selector") or {}, namespace),
        count=int(spec["value"]) if spec.get("mode") == "fixed" else 1,
    )
    if kind == "podchaos":
        return effect
    if spec.get("target") or spec.get("externalTargets") or spec.get("direction", "to") != "to":
        raise ValueError("only a delay of all that a pod sends can be measured: leave out target and direction")
    return effect.model_copy(update={"kind": "delay", "latency_ns": duration_ns(spec["delay"]["latency"])})


def injection_of(activity: Mapping[str, Any], context: str, arguments: Arguments) -> Effect:
    """What is to be seen of a resource whose effect can't be: that it was injected. Raises as `resource_of`."""
    made = resource_of(activity, context, arguments)
    return Effect(kind="injected", activity=made.activity, context=context, namespace=made.namespace, name=made.name)


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration as Go writes it (`100ms`, `1m30s`). Raises ValueError."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration such as 100ms or 5m")
    return sum(round(float(figure) * _UNITS_NS[unit]) for figure, unit in _PART.findall(text))


def conditions_of(resource: Mapping[str, Any]) -> set[str]:
    """The conditions that hold of a resource as the API gives it out, such as AllInjected."""
    conditions = (resource.get("status") or {}).get("conditions") or []
    return {each["type"] for each in conditions if each["status"] == "True"}


def watched_in(resources: Iterable[ChaosResource], context: str) -> tuple[str, ...]:
    """The kinds of these resources that are to be watched in a context."""
    kinds = {each.resource for each in resources if each.context == context}
    return tuple(kind for kind in WATCHED if kind in kinds)


def _object(arguments: Arguments) -> Mapping[str, Any]:
    made = arguments.get("resource")
    if not isinstance(made, Mapping):
        raise ValueError("the resource must stand in the experiment itself, under `resource`")
    return made


def _selector(selector: Mapping[str, Any], namespace: str) -> str:
    if selector.keys() - {"namespaces", "labelSelectors"} or selector.get("namespaces", [namespace]) != [namespace]:
        raise ValueError(f"its effect can be seen only on pods of {namespace} that labelSelectors choose")
    return ",".join(f"{key}={value}" for key, value in sorted((selector.get("labelSelectors") or {}).items()))
