from __future__ import annotations

import subprocess

import pytest
import yaml

from sandbox.manners import MANIFESTS, MANNERS, KubeObject, kustomize, manifests


def by_name(objects: list[KubeObject]) -> dict[tuple[str, str], KubeObject]:
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}


@pytest.mark.parametrize("manner", MANNERS)
def test_a_manner_is_what_kubectl_kustomize_makes_of_it(manner: str) -> None:
    """So that `kubectl apply -k` brings the same service to a real cluster."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(MANIFESTS / manner)], capture_output=True, check=True, timeout=30
    )
    assert by_name(kustomize(MANIFESTS / manner)) == by_name(list(yaml.safe_load_all(done.stdout)))


def test_the_namespace_comes_first_so_that_the_others_can_be_created() -> None:
    assert manifests("naive")[0]["kind"] == "Namespace"


def test_naive_has_none_of_what_hardened_adds() -> None:
    container = by_name(manifests("naive"))["Deployment", "eval-engine"]["spec"]["template"]["spec"]["containers"][0]
    assert not {"readinessProbe", "livenessProbe", "startupProbe"} & container.keys()
    assert "DRAIN_S" not in {entry["name"] for entry in container["env"]}


def test_both_manners_scale_eval_engine_by_its_cpu_and_naive_takes_five_minutes_to_begin() -> None:
    hardened, naive = (
        by_name(manifests(manner))["HorizontalPodAutoscaler", "eval-engine"]["spec"] for manner in MANNERS
    )
    up = naive.pop("behavior")["scaleUp"]
    assert up == {"stabilizationWindowSeconds": 300}
    assert hardened == naive


def test_the_entry_takes_no_annotations_of_the_services_behind_it() -> None:
    assert "annotations" not in by_name(manifests("hardened"))["Service", "entry"]["metadata"]
