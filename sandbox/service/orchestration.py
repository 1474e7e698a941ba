"""orchestration-agent: knows the agents and takes tasks for them, each write once by its Idempotency-Key."""

from __future__ import annotations

from http import HTTPStatus

from sandbox.service.raft import NotCommitted
from sandbox.service.server import HttpError, Json, Request, Response, Route
from sandbox.service.tasklog import PATIENCE_S, TaskLog
from sandbox.service.tasks import AGENTS, Task


def routes(log: TaskLog, identity: Json) -> list[Route]:
    """The service's routes. identity: what its health check says besides."""

    def health(_: Request) -> Response:
        # Ready once it has what the others have. Later, without a leader, it still is: taking every pod out of service
        # would make an outage of an election.
        status = log.status
        body = {**identity, "raft_status": status.as_json()}
        if not status.caught_up:
            return Response({**body, "status": "catching up"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return Response({**body, "status": "ok"})

    def list_agents(_: Request) -> Response:
        return Response({"agents": [{"id": agent, "tasks": log.count(agent)} for agent in AGENTS]})

    def accept_task(request: Request) -> Response:
        agent, key = request.params["agent"], request.headers.get("idempotency-key", "")
        if agent not in AGENTS:
            raise HttpError(HTTPStatus.NOT_FOUND, f"no agent {agent!r}")
        if not key:
            raise HttpError(HTTPStatus.BAD_REQUEST, "a write needs an Idempotency-Key header")
        try:
            task, first = log.accept(Task(key, agent, request.body))
        except NotCommitted as error:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        return Response(task.as_json(), HTTPStatus.CREATED if first else HTTPStatus.OK)

    def find_task(request: Request) -> Response:
        key = request.params["key"]
        try:
            task = log.find(key)
        except NotCommitted as error:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        if task is None:
            raise HttpError(HTTPStatus.NOT_FOUND, f"no task {key!r}")
        return Response(task.as_json())

    def lead_from(request: Request) -> Response:
        region = request.body.get("region")
        if not isinstance(region, str) or not region:
            raise HttpError(HTTPStatus.BAD_REQUEST, 'say which region is to lead: {"region": "..."}')
        try:
            log.member.lead_from(region, PATIENCE_S)
        except NotCommitted as error:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        return Response(log.status.as_json(), HTTPStatus.ACCEPTED)

    return [
        Route("GET", "/health", health),
        Route("GET", "/api/v1/agents", list_agents),
        Route("POST", "/api/v1/agents/{agent}/tasks", accept_task),
        Route("GET", "/api/v1/tasks/{key}", find_task),
        Route("POST", "/api/v1/leader", lead_from),
    ]
