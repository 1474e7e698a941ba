from __future__ import annotations

import pytest

from sandbox.apiserver import selectors
from sandbox.apiserver.status import BadRequest
from tests.sandbox.apiserver.bodies import CONFIG_MAP, EVENT, NODE, POD

LABELS = {"app": "web", "tier": "back", "weight": "7"}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=api", False),
        ("app!=api", True),
        ("app!=web", False),
        ("absent!=web", True),
        ("app in (web, api)", True),
        ("app in (api)", False),
        ("app notin (api)", True),
        ("absent notin (web)", True),
        ("app", True),
        ("absent", False),
        ("!app", False),
        ("!absent", True),
        ("weight>6", True),
        ("weight>7", False),
        ("weight<8", True),
        ("app<8", False),
        ("app=web,tier in (back,front),!absent", True),
        ("app=web,tier in (front)", False),
        ("app=", False),
        ("example.com/part=x", False),
    ],
)
def test_a_label_selector_matches_as_kubernetes_defines_it(selector: str, matches: bool) -> None:
    assert selectors.matches(selectors.parse_labels(selector), LABELS) is matches


@pytest.mark.parametrize("selector", ["a b", "app in web", "a=b=c", ",", "app in (", "=x"])
def test_a_label_selector_that_does_not_parse_is_a_bad_request(selector: str) -> None:
    with pytest.raises(BadRequest, match="unable to parse requirement"):
        selectors.parse_labels(selector)


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}, "a in (x,y)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}, "a notin (x)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}]}, "a,!b"),
    ],
)
def test_an_objects_selector_is_written_as_kubectl_shows_it(selector: dict[str, object], text: str) -> None:
    assert ",".join(map(str, selectors.from_selector(selector))) == text


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ("metadata.name=web", True),
        ("metadata.name==web,status.phase=Running", True),
        ("status.phase!=Running", False),
        ("spec.nodeName=", True),
        ("spec.nodeName!=", False),
        ("spec.hostNetwork=false", True),
        ("metadata.namespace=other", False),
    ],
)
def test_a_field_selector_compares_fields_as_text_and_absent_ones_as_empty(fields: str, matches: bool) -> None:
    obj = {"metadata": {"name": "web", "namespace": "default"}, "spec": {}, "status": {"phase": "Running"}}
    holds = selectors.predicate(POD, "", fields)
    assert holds is not None
    assert holds(obj) is matches


def test_the_source_of_an_event_is_its_component_or_else_its_reporter() -> None:
    holds = selectors.predicate(EVENT, "", "source=kubelet")
    assert holds is not None
    assert holds({"metadata": {}, "source": {"component": "kubelet"}})
    assert holds({"metadata": {}, "reportingComponent": "kubelet"})
    assert not holds({"metadata": {}, "source": {"component": "scheduler"}, "reportingComponent": "kubelet"})


def test_no_selector_is_no_test_at_all() -> None:
    assert selectors.predicate(POD, "", "") is None


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        (POD, "spec.image=x", "field label not supported: spec.image"),
        (NODE, "metadata.namespace=x", "field label not supported: metadata.namespace"),
        (CONFIG_MAP, "data=x", '"data" is not a known field selector: only "metadata.name", "metadata.namespace"'),
        (POD, "phase", "invalid selector: 'phase'; can't understand 'phase'"),
    ],
)
def test_a_field_that_can_not_be_selected_by_is_a_bad_request(kind: selectors.Kind, fields: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        selectors.predicate(kind, "", fields)
    assert str(caught.value) == says
