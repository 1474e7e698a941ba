"""What each verb does to the objects of one region: the rules between a request and the store."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.apiserver import crds, defaults, deletion, patches, schema, selectors, subresources, validation
from sandbox.apiserver.addresses import AddressPool
from sandbox.apiserver.catalogue import Catalogue, Kind
from sandbox.apiserver.deletion import DeleteOptions, Fate
from sandbox.apiserver.objects import KubeObject, dig
from sandbox.apiserver.status import (
    AlreadyExists,
    BadRequest,
    Cause,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    StatusError,
    Timeout,
    Unprocessable,
    UnsupportedMediaType,
    invalid_value,
)
from sandbox.apiserver.store import Key, Store
from sandbox.clock import timestamp

INITIAL_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_KEPT_METADATA = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


@dataclass(slots=True)
class Write:
    """The options of a writing request, and the warnings that go with its answer."""

    dry_run: bool = False
    field_validation: str = "Warn"
    warnings: list[str] = field(default_factory=list)


class Registry:
    """The verbs of one region. Synchronous throughout, so each is atomic on the event loop."""

    def __init__(
        self,
        region: str,
        catalogue: Catalogue,
        store: Store,
        addresses: AddressPool,
        clock_ns: Callable[[], int],
        rng: Random,
    ) -> None:
        self.region = region
        self.catalogue = catalogue
        self.store = store
        self.clock_ns = clock_ns
        self._addresses = addresses
        self._rng = rng
        self._computed: dict[Kind, Callable[[str], list[KubeObject]]] = {}
        for name in INITIAL_NAMESPACES:
            self.create(catalogue.named("Namespace"), "", {"metadata": {"name": name}}, Write())
        for manifest in crds.manifests():
            definition = crds.established(manifest, timestamp(clock_ns()))
            self.create(catalogue.named("CustomResourceDefinition"), "", definition, Write())

    def compute(self, kind: Kind, make: Callable[[str], list[KubeObject]]) -> None:
        """Let `make`, which is given a namespace (empty for all), answer for the objects of a computed kind."""
        self._computed[kind] = make

    def _all(self, kind: Kind, namespace: str) -> list[KubeObject]:
        make = self._computed.get(kind)
        return make(namespace) if make else self.store.list(kind, namespace)

    def get(self, kind: Kind, key: Key) -> KubeObject:
        """Return one object; raises NotFound."""
        if kind.computed:
            found = next((each for each in self._all(kind, key[0]) if each["metadata"]["name"] == key[1]), None)
        else:
            found = self.store.get(kind, key)
        if found is None:
            raise NotFound(kind, key[1])
        return found

    def list(
        self, kind: Kind, namespace: str, matching: selectors.Predicate | None, version: str = "", match: str = ""
    ) -> list[KubeObject]:
        """Return the objects that a selector picks, at the newest version.

        Raises Timeout on a version that is not reached yet and Expired on an exact one that has passed, since
        older states are not kept.
        """
        asked = parse_version(version)
        if asked > self.store.version:
            cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            says = f"Timeout: Too large resource version: {asked}, current: {self.store.version}"
            raise Timeout(says, {"causes": [cause], "retryAfterSeconds": 1})
        if match == "Exact" and asked != self.store.version:
            raise Expired(f"The provided resource version {asked} is no longer kept")
        found = self._all(kind, namespace)
        return found if matching is None else [obj for obj in found if matching(obj)]

    def create(self, kind: Kind, namespace: str, body: KubeObject, write: Write) -> KubeObject:
        """Store a new object and return it as stored."""
        obj = self._decode(kind, body, namespace, "", write)
        metadata = obj["metadata"]
        if metadata.get("resourceVersion"):
            raise StatusError("resourceVersion should not be set on objects to be created")
        if not metadata.get("name") and metadata.get("generateName"):
            suffix = "".join(self._rng.choice(_NAME_LETTERS) for _ in range(5))
            metadata["name"] = metadata["generateName"][:58] + suffix
        self._check_namespace(kind, namespace, metadata.get("name", ""))
        for name in _KEPT_METADATA:
            metadata.pop(name, None)
        metadata["uid"] = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        metadata["creationTimestamp"] = timestamp(self.clock_ns())
        if kind.counts_generation:
            metadata["generation"] = 1
        defaults.fill_in(kind, obj)
        validation.validate(kind, obj, None)
        defaults.fill_in_new(kind, obj)
        if kind.kind == "Service":
            self._give_address(kind, obj)
        key = (namespace, metadata["name"])
        if self.store.get(kind, key) is not None:
            raise AlreadyExists(kind, metadata["name"])
        return obj if write.dry_run else self.store.put(kind, key, obj)

    def update(self, kind: Kind, key: Key, body: KubeObject, subresource: str, write: Write) -> KubeObject:
        """Replace an object, or the part of it that a subresource stands for."""
        old = self.get(kind, key)
        if subresource == "scale":
            return subresources.scale_of(self._replace(kind, old, subresources.scaled(kind, old, body), write))
        new = self._decode(kind, body, key[0], key[1], write)
        if not new["metadata"].get("resourceVersion") and kind.update_needs_version:
            fault = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise Invalid(kind, key[1], [fault])
        return self._replace(kind, old, subresources.part_of(subresource, old, new), write, subresource)

    def patch(self, kind: Kind, key: Key, patch: Any, patch_type: str, subresource: str, write: Write) -> KubeObject:
        """Change an object, or a subresource of it, by a patch of one of the three types."""
        old = self.get(kind, key)
        if subresource == "scale":
            current, schema_name = subresources.scale_of(old), "autoscaling.v1.Scale"
        else:
            current, schema_name = old, kind.schema
        accepted = patches.PATCH_TYPES if schema_name and not kind.custom else patches.PATCH_TYPES[:2]
        if patch_type not in accepted:
            raise UnsupportedMediaType.expecting(accepted)
        try:
            body = patches.apply(current, patch, patch_type, schema_name)
        except patches.MalformedPatch as error:
            raise BadRequest(f"error decoding patch: {error}") from error
        except patches.PatchMismatch as error:
            raise Unprocessable(f"the patch does not fit {kind.qualified} {key[1]}: {error}") from error
        return self.update(kind, key, body, subresource, write)

    def delete(self, kind: Kind, key: Key, options: DeleteOptions) -> tuple[Fate, KubeObject]:
        """Delete an object, or mark it as being deleted, and return what became of it."""
        old = self.get(kind, key)
        if kind.kind == "Namespace" and key[1] in INITIAL_NAMESPACES:
            details = {"name": key[1], "kind": kind.plural}
            raise Forbidden(f'namespaces "{key[1]}" is forbidden: this namespace may not be deleted', details)
        deletion.check_preconditions(kind, old, options)
        fate, new = deletion.begin(kind, old, options, self.clock_ns())
        if options.dry_run or fate is Fate.UNCHANGED:
            return fate, new
        if fate is Fate.MARKED:
            return fate, self.store.put(kind, key, new)
        if kind.kind == "Pod" and new != old:
            self.store.put(kind, key, new)
        return fate, self.store.remove(kind, key)

    def bind(self, kind: Kind, key: Key, body: KubeObject, write: Write) -> None:
        """Assign a pod to a node, as the scheduler asks; raises Conflict on one that is assigned already."""
        old = self.get(kind, key)
        if (body.get("metadata") or {}).get("name") != key[1]:
            raise BadRequest("name in URL does not match name in Binding object")
        refusal = subresources.binding_refusal(old)
        if refusal:
            raise Conflict(kind, key[1], refusal, "binding")
        node = subresources.node_of(body)
        known = self.store.get(self.catalogue.named("Node"), ("", node))
        labels = known["metadata"].get("labels", {}) if known is not None else {}
        if not write.dry_run:
            self.store.put(kind, key, subresources.bound(old, node, labels, timestamp(self.clock_ns())))

    def forget_events_before(self, oldest: str) -> None:
        """Remove the events last seen before a timestamp, as a real server's time to live does."""
        kind = self.catalogue.named("Event")
        for obj in self.store.list(kind):
            metadata = obj["metadata"]
            if (obj.get("lastTimestamp") or metadata["creationTimestamp"]) < oldest:
                self.store.remove(kind, (metadata["namespace"], metadata["name"]))

    def _decode(self, kind: Kind, body: Any, namespace: str, name: str, write: Write) -> KubeObject:
        """Return a copy of a request's object that may be altered, once it is known to be of this kind and place."""
        if not isinstance(body, dict) or not isinstance(body.get("metadata") or {}, dict):
            raise BadRequest("the body of the request is no Kubernetes object")
        given = (body.get("apiVersion") or kind.group_version, body.get("kind") or kind.kind)
        if given != (kind.group_version, kind.kind):
            expected = f"{kind.group_version}, Kind={kind.kind}"
            raise BadRequest(f"{given[0]}, Kind={given[1]} in the data does not match the expected {expected}")
        obj = self._conform(kind, body, write)
        obj |= {"apiVersion": kind.group_version, "kind": kind.kind}
        metadata = obj.setdefault("metadata", {})
        metadata.pop("managedFields", None)
        if name and metadata.setdefault("name", name) != name:
            says = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            raise BadRequest(says)
        if namespace and metadata.setdefault("namespace", namespace) != namespace:
            raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
        return obj

    def _conform(self, kind: Kind, body: KubeObject, write: Write) -> KubeObject:
        if not kind.schema:
            return copy.deepcopy(body)
        try:
            obj, unknown = schema.conform(body, kind.schema, zeros=not kind.custom)
        except schema.SchemaError as error:
            if kind.custom:
                fault = invalid_value(error.path, error.found, f"{error.path} in body must be of type {error.wanted}")
                raise Invalid(kind, dig(body, "metadata.name", ""), [fault]) from error
            says = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
            raise BadRequest(says) from error
        faults = [f'unknown field "{path}"' for path in unknown]
        if faults and write.field_validation == "Strict":
            handled = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
            raise BadRequest(f"{handled}: strict decoding error: {', '.join(faults)}")
        if write.field_validation == "Warn":
            write.warnings += faults
        return obj

    def _replace(self, kind: Kind, old: KubeObject, new: KubeObject, write: Write, subresource: str = "") -> KubeObject:
        """Store `new`, which may be altered, in place of `old`, unless nothing has changed."""
        before, metadata = old["metadata"], new["metadata"]
        name = before["name"]
        if metadata.get("uid", before["uid"]) != before["uid"]:
            why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {before['uid']}"
            raise Conflict(kind, name, why)
        if metadata.get("resourceVersion", before["resourceVersion"]) != before["resourceVersion"]:
            raise Conflict.stale(kind, name)
        metadata["resourceVersion"] = before["resourceVersion"]
        for each in _KEPT_METADATA:
            metadata.pop(each, None)
            if each in before:
                metadata[each] = before[each]
        if not subresource:
            if "status" in kind.subresources and "status" in old:
                new["status"] = old["status"]
            if kind.kind == "Service":
                _keep_address(new, old)
        defaults.fill_in(kind, new)
        if subresource != "status":
            validation.validate(kind, new, old)
        if kind.counts_generation and _counted(kind, new) != _counted(kind, old):
            metadata["generation"] = before["generation"] + 1
        if new == old or write.dry_run:
            return new
        key = (before.get("namespace", ""), name)
        if deletion.is_finished(new):
            self.store.remove(kind, key)
            return new
        return self.store.put(kind, key, new)

    def _check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        namespaces = self.catalogue.named("Namespace")
        found = self.store.get(namespaces, ("", namespace))
        if found is None:
            raise NotFound(namespaces, namespace)
        if "deletionTimestamp" in found["metadata"]:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = Cause("metadata.namespace", "NamespaceTerminating", f"namespace {namespace} is being terminated")
            details = {"name": name, "kind": kind.plural, "causes": [cause.json()]}
            raise Forbidden(f'{kind.qualified} "{name}" is forbidden: {why}', details)

    def _give_address(self, kind: Kind, service: KubeObject) -> None:
        spec, name = service["spec"], service["metadata"]["name"]
        asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs", [])), None)
        taken = {each["spec"]["clusterIP"] for each in self.store.list(kind)}
        if asked and asked != "None" and (why := self._addresses.refusal(asked, taken)):
            raise Invalid(kind, name, [invalid_value("spec.clusterIPs", [asked], why)])
        address = asked or self._addresses.allocate(taken)
        if address is None:
            raise StatusError(f"{self.region}: no address of {self._addresses.network} is free for service {name}")
        spec |= {"clusterIP": address, "clusterIPs": [address]}
        spec |= {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}


def parse_version(text: str) -> int:
    """Return a `resourceVersion` parameter as a number, 0 where it is empty; raises BadRequest."""
    if text and not text.isdecimal():
        raise BadRequest(f'Invalid value: "{text}": resourceVersion must be a whole number')
    return int(text or 0)


def _counted(kind: Kind, obj: KubeObject) -> KubeObject:
    """The part of an object whose changes its generation counts: a status only where it is no part of its own."""
    left_out = ("metadata", "status") if not kind.custom or "status" in kind.subresources else ("metadata",)
    return {name: value for name, value in obj.items() if name not in left_out}


def _keep_address(new: KubeObject, old: KubeObject) -> None:
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if not new["spec"].get(name):
            new["spec"][name] = old["spec"][name]
