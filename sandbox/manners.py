"""The reference service's manifests in one manner, as `kubectl kustomize sandbox/manifests/MANNER` gives them out.

Knows of kustomize what these files use: `resources`, `namespace`, and `patches` by path with a target of `kind` and
`labelSelector`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sandbox.apiserver import schema
from sandbox.apiserver.catalogue import Catalogue
from sandbox.apiserver.patches import strategic_merge
from sandbox.apiserver.selectors import matches, parse_labels
from sandbox.errors import BadManifest

KubeObject = dict[str, Any]
MANNERS = ("hardened", "naive")
MANIFESTS = Path(__file__).parent / "manifests"


def manifests(manner: str) -> list[KubeObject]:
    """All objects of a manner, in the order in which they can be created."""
    return kustomize(MANIFESTS / manner)


def kustomize(directory: Path) -> list[KubeObject]:
    """The objects that a kustomization describes; `BadManifest` where a file of it can't be read."""
    plan = _documents(directory / "kustomization.yaml")[0]
    objects: list[KubeObject] = []
    for resource in plan.get("resources", []):
        path = directory / resource
        objects += kustomize(path) if path.is_dir() else _documents(path)
    for patch in plan.get("patches", []):
        change = _documents(directory / patch["path"])[0]
        # Its name is a placeholder: the target says which objects are meant.
        del change["metadata"]["name"]
        objects = [_patched(obj, change) if _targets(patch["target"], obj) else obj for obj in objects]
    for obj in objects:
        if "namespace" in plan and obj["kind"] != "Namespace":
            obj["metadata"]["namespace"] = plan["namespace"]
    return objects


def _documents(path: Path) -> list[KubeObject]:
    try:
        return [document for document in yaml.safe_load_all(path.read_text()) if document]
    except (OSError, yaml.YAMLError) as error:
        raise BadManifest(f"can't be read: {error}", where=str(path)) from error


def _targets(target: KubeObject, obj: KubeObject) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return obj["kind"] == target["kind"] and matches(parse_labels(target.get("labelSelector", "")), labels)


def _patched(obj: KubeObject, change: KubeObject) -> KubeObject:
    definition = schema.resolve({"$ref": Catalogue().named(obj["kind"]).schema})
    return strategic_merge(obj, change, definition)
