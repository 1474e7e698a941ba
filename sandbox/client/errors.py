"""The failures of the Kubernetes API.

ApiError                 the server answered with a failure
├── NotFound             404
├── Conflict             409: someone else wrote first
│   └── AlreadyExists    409 on create
├── Gone                 410: the resourceVersion is too old, list again
├── Unreachable          no answer at all (status 0)
└── Untrusted            the server's certificate isn't signed by the known authority (status 0)
"""

from __future__ import annotations

import json

from sandbox.errors import SandboxError


class ApiError(SandboxError):
    """The API server refused: `status` is the HTTP code, `reason` the machine-readable word of its Status object."""

    exit_code = 3

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}", where="Kubernetes API")
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def transient(self) -> bool:
        """Whether the same request may well succeed later."""
        return self.status in (409, 429) or self.status >= 500


class NotFound(ApiError):
    """404: the object, its namespace or its kind isn't there."""


class Conflict(ApiError):
    """409: the object changed since it was read, or a precondition doesn't hold."""


class AlreadyExists(Conflict):
    """409 on create: the name is taken."""


class Gone(ApiError):
    """410: the resourceVersion asked for is no longer kept."""


class Unreachable(ApiError):
    """No answer: connection refused, reset or timed out."""

    transient = True

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


class Untrusted(ApiError):
    """Someone answers, but not the server that the certificate authority vouches for."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "Untrusted", message)


def error_from_status(code: int, body: bytes) -> ApiError:
    """The exception for an HTTP failure, from the Status object in its body (or the bare body where it isn't one)."""
    try:
        status = json.loads(body)
    except ValueError:
        status = {}
    if not isinstance(status, dict):
        status = {}
    code = status.get("code") or code
    reason = status.get("reason") or ""
    kind = {404: NotFound, 409: Conflict, 410: Gone}.get(code, ApiError)
    if reason == "AlreadyExists":
        kind = AlreadyExists
    return kind(code, reason, status.get("message") or body.decode(errors="replace")[:200])
