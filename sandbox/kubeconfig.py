"""Reads a kubeconfig: where each context's API server is and how to be let in."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.errors import SandboxError


class BadKubeconfig(SandboxError):
    """A kubeconfig that can't be read, or lacks what is needed."""


@dataclass(frozen=True)
class Access:
    """One context: server, bearer token, and the authority that signs the server's certificate (file or PEM text)."""

    server: str
    token: str
    ca_file: str | None
    ca_pem: str | None


def load(path: Path) -> dict[str, Access]:
    """The contexts of a kubeconfig by name; raises `BadKubeconfig`. Bearer tokens only, as the sandbox gives out."""
    try:
        config = yaml.safe_load(path.read_text())
        clusters = {entry["name"]: entry["cluster"] for entry in config["clusters"]}
        users = {entry["name"]: entry["user"] for entry in config["users"]}
        return {
            entry["name"]: _access(clusters[entry["context"]["cluster"]], users[entry["context"]["user"]], path.parent)
            for entry in config["contexts"]
        }
    except OSError as error:
        raise BadKubeconfig(f"can't be read: {error.strerror}", where=str(path)) from error
    except yaml.YAMLError as error:
        raise BadKubeconfig(f"no YAML: {error}", where=str(path)) from error
    except (KeyError, TypeError, binascii.Error) as error:
        raise BadKubeconfig(f"no kubeconfig with servers and tokens ({error!r})", where=str(path)) from error


def _access(cluster: dict[str, Any], user: dict[str, Any], directory: Path) -> Access:
    ca_file = cluster.get("certificate-authority")
    ca_data = cluster.get("certificate-authority-data")
    return Access(
        server=cluster["server"],
        token=user["token"],
        ca_file=str(directory / ca_file) if ca_file else None,
        ca_pem=base64.b64decode(ca_data, validate=True).decode() if ca_data else None,
    )
