"""What Chaos Mesh's two admission webhooks do to its objects: fill in, and refuse.

What the sandbox does not implement is refused here too, so that nothing that is asked for is silently left out.

Facts from Chaos Mesh api/v1alpha1 (networkchaos_webhook.go, podchaos_webhook.go, common_webhook.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject, dig
from sandbox.apiserver.status import Cause, Forbidden, forbidden_change, invalid_value
from sandbox.durations import duration_ns

GROUP = "chaos-mesh.org"
_NOT_HERE = "the sandbox does not implement it"
_ACTIONS = {"NetworkChaos": ("delay", "loss", "netem", "partition"), "PodChaos": ("pod-kill",)}
_LEFT_OUT = {
    "NetworkChaos": ("bandwidth", "corrupt", "delay.reorder", "duplicate", "rate", "remoteCluster"),
    "PodChaos": ("containerNames", "remoteCluster"),
}
_DEVICES = ("device", "targetDevice")
_DEVICE = "eth0"


def fill_in(obj: KubeObject) -> None:
    """Fill in, in place, what the mutating webhooks and the definitions' defaults do."""
    spec = obj.get("spec", {})
    selecting = [spec, spec["target"]] if "target" in spec else [spec]
    for part in selecting:
        if "selector" in part and not part["selector"].get("namespaces"):
            part["selector"]["namespaces"] = [obj["metadata"].get("namespace", "default")]
    if obj["kind"] != "NetworkChaos":
        return
    spec.setdefault("direction", "to")
    if "delay" in spec:
        spec["delay"] |= {name: spec["delay"].get(name) or zero for name, zero in _DELAY_ZEROS.items()}
    if "loss" in spec:
        spec["loss"]["correlation"] = spec["loss"].get("correlation") or "0"


def admit(kind: Kind, obj: KubeObject, old: KubeObject | None) -> None:
    """Raise Forbidden, as a webhook does, for a spec that Chaos Mesh refuses or the sandbox does not implement."""
    if old is not None:
        refusals = ["Cannot update chaos spec"] if obj["spec"] != old["spec"] else []
    else:
        causes = [*_not_implemented(kind.kind, obj["spec"]), *_invalid(kind.kind, obj["spec"])]
        refusals = [f"{each.field}: {each.message}" for each in causes]
    if refusals:
        webhook = f"v{kind.kind.lower()}.kb.io"
        raise Forbidden(f'admission webhook "{webhook}" denied the request: {", ".join(refusals)}')


def _not_implemented(kind: str, spec: KubeObject) -> Iterator[Cause]:
    if spec["action"] not in _ACTIONS[kind]:
        listed = ", ".join(_ACTIONS[kind])
        yield forbidden_change("spec.action", f"{spec['action']}: {_NOT_HERE}, only {listed}")
    for path in _LEFT_OUT[kind]:
        if dig(spec, path):
            yield forbidden_change(f"spec.{path}", _NOT_HERE)
    for name in _DEVICES:
        if spec.get(name) not in (None, "", _DEVICE):
            yield forbidden_change(f"spec.{name}", f"{_NOT_HERE}, only {_DEVICE}")
    if kind == "NetworkChaos" and spec["action"] == "partition" and spec["direction"] != "to" and "target" not in spec:
        yield forbidden_change("spec.direction", f"{spec['direction']} without a target: {_NOT_HERE}")
    for index, each in enumerate(spec.get("externalTargets", [])):
        try:
            IPv4Network(each, strict=False)
        except ValueError:
            yield forbidden_change(f"spec.externalTargets[{index}]", f"{each}: {_NOT_HERE}, only IPv4 and its CIDRs")


def _invalid(kind: str, spec: KubeObject) -> Iterator[Cause]:
    yield from _selection("spec", spec)
    yield from _duration("spec.duration", spec.get("duration"))
    if kind != "NetworkChaos":
        return
    if "target" in spec:
        yield from _selection("spec.target", spec["target"])
    for name in ("latency", "jitter"):
        yield from _duration(f"spec.delay.{name}", dig(spec, f"delay.{name}"))
    for path in ("delay.correlation", "loss.correlation", "loss.loss"):
        yield from _percentage(f"spec.{path}", dig(spec, path))
    if spec["action"] != "partition" and spec["direction"] != "to":
        if "externalTargets" in spec:
            why = "external targets cannot be used with `from` and `both` direction in netem action yet"
            yield invalid_value("spec.direction", spec["direction"], why)
        if "target" not in spec:
            why = "`from` and `both` direction cannot be used when targets is empty in netem action"
            yield invalid_value("spec.direction", spec["direction"], why)


def _selection(path: str, spec: KubeObject) -> Iterator[Cause]:
    mode, value = spec["mode"], spec.get("value", "")
    if mode in ("one", "all"):
        return
    if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
        yield invalid_value(f"{path}.value", value, "parse value field error: it is no whole number")
    elif mode == "fixed" and int(value) <= 0:
        yield invalid_value(f"{path}.value", value, "value must be greater than 0 with mode:fixed")
    elif mode != "fixed" and not 0 < int(value) <= 100:
        why = f"value of {value} is invalid, Must be (0,100] with mode:{mode}"
        yield invalid_value(f"{path}.value", value, why)


def _duration(path: str, value: str | None) -> Iterator[Cause]:
    try:
        duration_ns(value or "0")
    except ValueError as error:
        yield invalid_value(path, value, f"parse duration field error: {error}")


def _percentage(path: str, value: str | None) -> Iterator[Cause]:
    try:
        number = float(value or "0")
    except ValueError as error:
        yield invalid_value(path, value, f"parse correlation field error:{error}")
        return
    if not 0 <= number <= 100:
        # Chaos Mesh lets it pass; what netem would then make of it is not worth imitating.
        yield invalid_value(path, value, "must be from 0 to 100")


_DELAY_ZEROS = {"correlation": "0", "jitter": "0ms"}
