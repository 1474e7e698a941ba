"""Every kind the server knows. To serve another one, add its line to `KINDS`.

A kind whose `schema` is empty takes any field, and no strategic merge patch.
One with a schema names its definition in `schema.json` (see `schema.py` for how that file is derived), a custom one in
`crds.json` (see `crds.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What the server has to know of a kind: names, subresources, and which rules of the real registry apply."""

    group: str
    version: str
    kind: str
    plural: str
    schema: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    in_all: bool = False
    """Whether `kubectl get all` includes it."""
    selectable: tuple[str, ...] = ()
    """Fields that a field selector may name, besides `metadata.name` and `metadata.namespace`."""
    counts_generation: bool = False
    """Whether `metadata.generation` counts the changes of the spec."""
    returns_deleted: bool = False
    """Whether delete answers with the object rather than with a Status."""
    update_needs_version: bool = False
    """Whether an update without `metadata.resourceVersion` is refused."""
    custom: bool = False
    """Whether a CustomResourceDefinition defines it: the rules of structural schemas apply."""
    read_only: bool = False
    """Whether it can only be looked at."""
    computed: bool = False
    """Whether its objects are made when they are asked for, so that they can only be read."""

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The plural as messages show it, such as `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def verbs(self) -> tuple[str, ...]:
        if self.read_only:
            return ("get", "list", "watch")
        if self.computed:
            return ("get", "list")
        every = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
        return tuple(verb for verb in every if self.plural != "namespaces" or verb != "deletecollection")


_EVENT_FIELDS = (
    *(f"involvedObject.{name}" for name in
      ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")),
    "reason", "reportingComponent", "source", "type",
)  # fmt: skip
_POD_FIELDS = (
    *(f"spec.{name}" for name in
      ("nodeName", "restartPolicy", "schedulerName", "serviceAccountName", "hostNetwork")),
    "status.phase", "status.podIP", "status.nominatedNodeName",
)  # fmt: skip

KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "Namespace", "namespaces", "core.v1.Namespace", namespaced=False, short_names=("ns",),
         subresources=("status", "finalize"), selectable=("status.phase",), returns_deleted=True),
    Kind("", "v1", "Node", "nodes", "core.v1.Node", namespaced=False, short_names=("no",),
         subresources=("status",), selectable=("spec.unschedulable",)),
    Kind("", "v1", "Pod", "pods", "core.v1.Pod", short_names=("po",), in_all=True, selectable=_POD_FIELDS,
         subresources=("status", "binding", "eviction", "log"), counts_generation=True, returns_deleted=True),
    Kind("", "v1", "Service", "services", "core.v1.Service", short_names=("svc",), in_all=True,
         subresources=("status",), selectable=("spec.clusterIP", "spec.type"), returns_deleted=True),
    Kind("", "v1", "Event", "events", "core.v1.Event", short_names=("ev",), selectable=_EVENT_FIELDS),
    Kind("", "v1", "ConfigMap", "configmaps", "core.v1.ConfigMap", short_names=("cm",)),
    Kind("", "v1", "Secret", "secrets", "core.v1.Secret", selectable=("type",)),
    Kind("", "v1", "ServiceAccount", "serviceaccounts", "core.v1.ServiceAccount", short_names=("sa",),
         returns_deleted=True),
    Kind("apps", "v1", "Deployment", "deployments", "apps.v1.Deployment", short_names=("deploy",), in_all=True,
         subresources=("status", "scale"), counts_generation=True),
    Kind("apps", "v1", "ReplicaSet", "replicasets", "apps.v1.ReplicaSet", short_names=("rs",), in_all=True,
         subresources=("status", "scale"), counts_generation=True),
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
         "autoscaling.v2.HorizontalPodAutoscaler", short_names=("hpa",), subresources=("status",), in_all=True),
    Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "discovery.v1.EndpointSlice",
         counts_generation=True),
    Kind("coordination.k8s.io", "v1", "Lease", "leases", "coordination.v1.Lease", update_needs_version=True),
    Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False,
         short_names=("crd", "crds"), read_only=True),
    Kind("chaos-mesh.org", "v1alpha1", "NetworkChaos", "networkchaos", "chaos-mesh.org.v1alpha1.NetworkChaos",
         counts_generation=True, update_needs_version=True, custom=True),
    Kind("chaos-mesh.org", "v1alpha1", "PodChaos", "podchaos", "chaos-mesh.org.v1alpha1.PodChaos",
         counts_generation=True, update_needs_version=True, custom=True),
    Kind("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", namespaced=False, computed=True),
    Kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", computed=True),
)  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """The kinds of a server, looked up by the path segments of a request."""

    kinds: tuple[Kind, ...] = KINDS
    _by_path: dict[tuple[str, str, str], Kind] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_path = {(kind.group, kind.version, kind.plural): kind for kind in self.kinds}
        object.__setattr__(self, "_by_path", by_path)

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """Return the kind served under this group, version and plural, if there is one."""
        return self._by_path.get((group, version, plural))

    def named(self, kind: str) -> Kind:
        """Return the kind with this CamelCase name; raises KeyError for one that is not served."""
        return next((each for each in self.kinds if each.kind == kind), None) or _unknown(kind)

    def group_versions(self) -> dict[str, list[Kind]]:
        """Return the kinds by group version (`v1`, `apps/v1`, ...), in the order of the catalogue."""
        found: dict[str, list[Kind]] = {}
        for kind in self.kinds:
            found.setdefault(kind.group_version, []).append(kind)
        return found


def _unknown(kind: str) -> Kind:
    raise KeyError(f"no kind {kind} in the catalogue")
