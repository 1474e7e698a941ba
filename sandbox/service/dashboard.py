"""dashboard-api: shows what orchestration-agent knows, asked through that Service's address."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from http import HTTPStatus

from sandbox.service.server import HttpError, Request, Response, Route

TIMEOUT_S = 2.0


def routes(environment: Mapping[str, str]) -> list[Route]:
    """The service's routes; the address comes from the variables that Kubernetes sets for each Service."""
    host = environment.get("ORCHESTRATION_AGENT_SERVICE_HOST", "orchestration-agent")
    port = int(environment.get("ORCHESTRATION_AGENT_SERVICE_PORT", "8094"))

    def dashboard(_: Request) -> Response:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", "/api/v1/agents")
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise HttpError(HTTPStatus.BAD_GATEWAY, f"orchestration-agent does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status != HTTPStatus.OK:
            raise HttpError(HTTPStatus.BAD_GATEWAY, f"orchestration-agent answered {answer.status}")
        return Response({"agents": json.loads(body)["agents"]})

    return [Route("GET", "/api/v1/dashboard", dashboard)]
