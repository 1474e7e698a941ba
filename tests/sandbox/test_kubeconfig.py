from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.kubeconfig import Access, BadKubeconfig, load

KUBECONFIG = """
clusters:
- {name: c1, cluster: {server: "https://127.92.1.1:6443", certificate-authority: ca.crt}}
- {name: c2, cluster: {server: "https://127.92.2.1:6443", certificate-authority-data: Q0E=}}
users:
- {name: u, user: {token: secret}}
contexts:
- {name: us-east-1, context: {cluster: c1, user: u}}
- {name: us-west-2, context: {cluster: c2, user: u}}
"""


def test_each_context_names_its_server_token_and_authority(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(KUBECONFIG)
    assert load(path) == {
        "us-east-1": Access("https://127.92.1.1:6443", "secret", str(tmp_path / "ca.crt"), None),
        "us-west-2": Access("https://127.92.2.1:6443", "secret", None, "CA"),
    }


def test_a_context_without_its_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(KUBECONFIG.replace("{name: u,", "{name: other,"))
    with pytest.raises(BadKubeconfig, match="no kubeconfig with servers and tokens"):
        load(path)
