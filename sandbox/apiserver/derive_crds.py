"""Derive `crds.json` from the CustomResourceDefinitions of Chaos Mesh.

    python -m sandbox.apiserver.derive_crds chaos-mesh.org_networkchaos.yaml chaos-mesh.org_podchaos.yaml > crds.json

They lie in `config/crd/bases` of its source. Of each only the names and the structure are kept, as `derive_schema` does
with Kubernetes' own kinds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

KEPT = ("type", "format", "required", "enum", "pattern", "minimum", "default")

Definition = dict[str, Any]


def structure(definition: Definition) -> Definition:
    """Return what is kept of a structural schema."""
    kept = {key: definition[key] for key in KEPT if key in definition}
    for key in ("items", "additionalProperties"):
        if isinstance(definition.get(key), dict):
            kept[key] = structure(definition[key])
    if "properties" in definition:
        kept["properties"] = {name: structure(each) for name, each in definition["properties"].items()}
    return kept


def derive(manifest: Definition) -> Definition:
    """Return a CustomResourceDefinition without its prose."""
    spec = manifest["spec"]
    versions = [
        each | {"schema": {"openAPIV3Schema": structure(each["schema"]["openAPIV3Schema"])}}
        for each in spec["versions"]
    ]
    return {"metadata": {"name": manifest["metadata"]["name"]}, "spec": {**spec, "versions": versions}}


def main() -> None:
    """Read the manifests named on the command line and print them, one a line."""
    found = [derive(yaml.safe_load(Path(name).read_text())) for name in sys.argv[1:]]
    lines = [json.dumps(each, sort_keys=True, separators=(",", ":")) for each in found]
    print("[\n" + ",\n".join(lines) + "\n]")


if __name__ == "__main__":
    main()
