"""Certificates, bearer token and kubeconfig of a new sandbox."""

from __future__ import annotations

import secrets

import trustme
import yaml

from sandbox.network import NAMESPACE, Network
from sandbox.state import State

USER = "gameday-sandbox"


def write_credentials(state: State, network: Network) -> None:
    """Write a new authority, the API servers' certificate, a random token, and a kubeconfig with a context a region."""
    authority = trustme.CA(organization_name="gameday sandbox")
    server = authority.issue_cert(*(region.api.host for region in network.regions))
    token = secrets.token_urlsafe(32)
    state.write_private(state.authority, authority.cert_pem.bytes().decode())
    state.write_private(state.certificate, "".join(blob.bytes().decode() for blob in server.cert_chain_pems))
    state.write_private(state.key, server.private_key_pem.bytes().decode())
    state.write_private(state.token, token)
    state.write_private(state.kubeconfig, kubeconfig(network, state, token))


def kubeconfig(network: Network, state: State, token: str) -> str:
    """The kubeconfig's text; the first region is the current context."""
    names = [region.name for region in network.regions]
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": names[0],
            "clusters": [
                {"name": region.name,
                 "cluster": {"server": region.api_url, "certificate-authority": str(state.authority)}}
                for region in network.regions
            ],
            "users": [{"name": USER, "user": {"token": token}}],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": USER, "namespace": NAMESPACE}} for name in names
            ],
        },
        sort_keys=False,
    )  # fmt: skip
