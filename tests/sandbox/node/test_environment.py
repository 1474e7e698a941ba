from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sandbox.node.environment import (
    CannotCreate,
    base_environment,
    command_line,
    container_environment,
    expand,
    service_environment,
)
from tests.sandbox.builders import container, pod, service


def test_python3_is_the_interpreter_that_the_sandbox_runs_in_and_every_process_is_marked() -> None:
    environment = base_environment({"PATH": "/usr/bin", "SECRET": "x", "LANG": "C.UTF-8"}, Path("/state"))
    found = shutil.which("python3", path=environment["PATH"])
    assert found is not None
    assert Path(found).parent == Path(sys.executable).parent
    assert environment["GAMEDAY_SANDBOX"] == "/state"
    assert environment["LANG"] == "C.UTF-8"
    assert "SECRET" not in environment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(B)", "1-2"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(A)", "$(A)"),
        ("$A ${A}", "$A ${A}"),
        ("100$$", "100$"),
    ],
)
def test_variables_are_expanded_as_kubernetes_does(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expected


def test_the_downward_api_tells_a_process_which_pod_it_is() -> None:
    paths = {
        "NAME": "metadata.name",
        "UID": "metadata.uid",
        "APP": "metadata.labels['app']",
        "NONE": "metadata.annotations['none']",
        "IP": "status.podIP",
        "HOST": "status.hostIP",
        "NODE": "spec.nodeName",
    }
    fields = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in paths.items()]
    env = [*fields, {"name": "URL", "value": "http://$(IP):80"}, {"name": "EMPTY"}]
    made = container_environment(pod(), container(env=env), {"X": "y"}, pod_ip="127.92.32.9", host_ip="127.92.1.2")
    assert made == {
        "X": "y",
        "HOSTNAME": "web-1",
        "NAME": "web-1",
        "UID": "uid-web-1",
        "APP": "web",
        "NONE": "",
        "IP": "127.92.32.9",
        "HOST": "127.92.1.2",
        "NODE": "node-1",
        "URL": "http://127.92.32.9:80",
        "EMPTY": "",
    }


def test_services_are_told_by_variables() -> None:
    ports = [{"name": "http", "port": 80}, {"name": "raft-peer", "port": 7000}]
    services = [service("orchestration-agent", clusterIP="127.92.48.1", ports=ports), service(clusterIP="None")]
    assert service_environment(services) == {
        "ORCHESTRATION_AGENT_SERVICE_HOST": "127.92.48.1",
        "ORCHESTRATION_AGENT_SERVICE_PORT": "80",
        "ORCHESTRATION_AGENT_SERVICE_PORT_HTTP": "80",
        "ORCHESTRATION_AGENT_SERVICE_PORT_RAFT_PEER": "7000",
    }


def test_the_arguments_follow_the_command_and_both_are_expanded() -> None:
    made = container(command=["serve", "--port=$(PORT)"], args=["$(PORT)"])
    assert command_line(made, {"PORT": "80"}) == ["serve", "--port=80", "80"]


@pytest.mark.parametrize(
    ("entry", "reason", "says"),
    [
        ({"valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}, "CreateContainerConfigError", "secretKeyRef"),
        ({"valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}, "CreateContainerConfigError", "spec.x"),
    ],
)
def test_a_source_that_the_sandbox_does_not_know_is_refused_by_name(
    entry: dict[str, object], reason: str, says: str
) -> None:
    with pytest.raises(CannotCreate, match=says) as caught:
        container_environment(pod(), container(env=[{"name": "A", **entry}]), {}, pod_ip="", host_ip="")
    assert caught.value.reason == reason


def test_a_container_without_a_command_can_not_be_made() -> None:
    with pytest.raises(CannotCreate, match="no command specified") as caught:
        command_line({"name": "app"}, {})
    assert caught.value.reason == "CreateContainerError"
