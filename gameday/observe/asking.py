"""Asking a replica, again and again over one connection."""

from __future__ import annotations

import http.client
from typing import Protocol

from gameday.cluster import Cluster
from gameday.observe.roles import AskPlan
from gameday.observe.sighting import Replica

TIMEOUT_S = 0.5


class NoAnswer(Exception):
    """The replica refused, closed the connection or answered nonsense: it could be asked, and told nothing."""


class OutOfReach(Exception):
    """Nothing came back in time: the replica, or the way to it, is silent."""


class Asking(Protocol):
    """Asks one replica."""

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of its answer. Raises NoAnswer and OutOfReach."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Direct:
    """At the pod's own address, over HTTP with keep-alive."""

    def __init__(self, address: str, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = http.client.HTTPConnection(address, port, timeout=timeout_s)

    def get(self, path: str) -> tuple[int, bytes]:
        """As in Asking."""
        try:
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (ConnectionError, http.client.HTTPException) as error:
            self._connection.close()
            raise NoAnswer(_said(error)) from error
        except OSError as error:  # time-outs, and what the network says of a host that can't be reached
            self._connection.close()
            raise OutOfReach(_said(error)) from error

    def close(self) -> None:
        """As in Asking."""
        self._connection.close()


class Proxied:
    """Through the API server, which asks the pod in our place."""

    def __init__(self, cluster: Cluster, replica: Replica, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._cluster, self._timeout_s = cluster, timeout_s
        self._base = f"/api/v1/namespaces/{replica.namespace}/pods/{replica.name}:{port}/proxy"

    def get(self, path: str) -> tuple[int, bytes]:
        """As in Asking."""
        import urllib3.exceptions

        try:
            status, body = self._cluster.read(self._base + path, timeout_s=self._timeout_s)
        except urllib3.exceptions.HTTPError as error:
            raise OutOfReach(_said(error)) from error
        if b'"kind":"Status"' in body.replace(b" ", b""):  # the API server itself: it got no answer from the pod
            raise NoAnswer(f"HTTP {status}")
        return status, body

    def close(self) -> None:
        """Nothing to close: the connections are the cluster's."""


def asking(plan: AskPlan, cluster: Cluster, replica: Replica, timeout_s: float = TIMEOUT_S) -> Asking:
    """How a plan says that a replica is asked."""
    if plan.reach == "proxy":
        return Proxied(cluster, replica, plan.port, timeout_s)
    return Direct(replica.address, plan.port, timeout_s)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
