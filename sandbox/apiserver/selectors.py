"""Label selectors and field selectors, from a query string and from an object's `spec.selector`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject, dig
from sandbox.apiserver.status import BadRequest

Predicate = Callable[[KubeObject], bool]

_SET_REQUIREMENT = re.compile(r"([^\s=!,()]+)\s+(in|notin)\s*\(([^()]*)\)")
_EXACT_REQUIREMENT = re.compile(r"([^\s=!,()]+)\s*(==|=|!=)\s*([^\s=!,()]*)")
_EXISTS_REQUIREMENT = re.compile(r"(!?)\s*([^\s=!,()]+)")
_ORDER_REQUIREMENT = re.compile(r"([^\s=!,()<>]+)\s*([<>])\s*(-?\d+)")
_FIELD_REQUIREMENT = re.compile(r"([^=!]+?)(==|=|!=)(.*)")
_BOOLEANS = ("spec.hostNetwork", "spec.unschedulable")
_OUTER_COMMA = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a label selector; `operator` is one of `in`, `notin`, `exists`, `!`, `>`, `<`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet the requirement; an absent label meets `notin`, as in Kubernetes."""
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value is not None and value in self.values
            case "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                return value is not None and _in_order(value, self.operator, int(self.values[0]))

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


def _in_order(value: str, operator: str, bound: int) -> bool:
    if not re.fullmatch(r"-?\d+", value):
        return False
    return int(value) > bound if operator == ">" else int(value) < bound


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """Parse a label selector such as `app=x,tier in (a,b),!canary`; raises BadRequest on one that does not parse."""
    return tuple(_parse_requirement(term.strip(), text) for term in _OUTER_COMMA.split(text) if text.strip())


def _parse_requirement(term: str, text: str) -> Requirement:
    if found := _SET_REQUIREMENT.fullmatch(term):
        return Requirement(found[1], found[2], tuple(each.strip() for each in found[3].split(",")))
    if found := _ORDER_REQUIREMENT.fullmatch(term):
        return Requirement(found[1], found[2], (found[3],))
    if found := _EXACT_REQUIREMENT.fullmatch(term):
        return Requirement(found[1], "notin" if found[2] == "!=" else "in", (found[3],))
    if found := _EXISTS_REQUIREMENT.fullmatch(term):
        return Requirement(found[2], found[1] or "exists")
    raise BadRequest(f'unable to parse requirement: found {term!r} in label selector "{text}"')


def from_selector(selector: KubeObject) -> tuple[Requirement, ...]:
    """Return the requirements of a `metav1.LabelSelector`, those of `matchExpressions` last."""
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
    labels = sorted(selector.get("matchLabels", {}).items())
    return tuple(Requirement(key, "in", (value,)) for key, value in labels) + tuple(
        Requirement(each["key"], operators[each["operator"]], tuple(each.get("values", ())))
        for each in selector.get("matchExpressions", ())
    )


def matches(requirements: tuple[Requirement, ...], labels: Mapping[str, str]) -> bool:
    """Whether labels meet every requirement."""
    return all(each.matches(labels) for each in requirements)


def predicate(kind: Kind, labels: str, fields: str) -> Predicate | None:
    """Return the test of a label and a field selector, None where both are empty; raises BadRequest."""
    requirements = parse_labels(labels)
    terms = _parse_fields(kind, fields)
    if not requirements and not terms:
        return None

    def holds(obj: KubeObject) -> bool:
        return matches(requirements, obj["metadata"].get("labels") or {}) and all(
            (_field(kind, obj, path) == value) is wanted for path, value, wanted in terms
        )

    return holds


def _parse_fields(kind: Kind, text: str) -> list[tuple[str, str, bool]]:
    terms = []
    for term in filter(None, text.split(",")):
        found = _FIELD_REQUIREMENT.fullmatch(term)
        if found is None:
            raise BadRequest(f"invalid selector: '{text}'; can't understand '{term}'")
        path = found[1]
        known = {"metadata.name", *(("metadata.namespace",) if kind.namespaced else ()), *kind.selectable}
        if path not in known and kind.selectable:
            raise BadRequest(f"field label not supported: {path}")
        if path not in known:
            names = ", ".join(f'"{each}"' for each in sorted(known))
            raise BadRequest(f'"{path}" is not a known field selector: only {names}')
        terms.append((path, found[3], found[2] != "!="))
    return terms


def _field(kind: Kind, obj: KubeObject, path: str) -> str:
    if kind.plural == "events" and path == "source":
        return str(dig(obj, "source.component") or obj.get("reportingComponent", ""))
    value = dig(obj, path, path not in _BOOLEANS and "")
    return str(value).lower() if isinstance(value, bool) else str(value)
