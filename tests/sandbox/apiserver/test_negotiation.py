from __future__ import annotations

import pytest

from sandbox.apiserver.negotiation import Form, negotiate
from sandbox.apiserver.status import NotAcceptable

KUBECTL_GET = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form.PLAIN),
        ("*/*", Form.PLAIN),
        ("application/json, */*", Form.PLAIN),
        (KUBECTL_GET, Form.TABLE),
        ("application/vnd.kubernetes.protobuf,application/json", Form.PLAIN),
        ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", Form.PARTIAL_LIST),
        ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", Form.PLAIN),
    ],
)
def test_the_first_form_that_the_server_has_is_taken(accept: str, form: Form) -> None:
    assert negotiate(accept) is form


@pytest.mark.parametrize("accept", ["application/xml", "application/vnd.kubernetes.protobuf"])
def test_a_client_that_takes_none_of_them_is_told_which_there_are(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json"):
        negotiate(accept)
