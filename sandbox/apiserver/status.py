"""The server's errors, each of which a client sees as a `metav1.Status` body.

    StatusError
    ├── BadRequest 400          ├── MethodNotAllowed 405      ├── UnsupportedMediaType 415
    ├── Unauthorized 401        ├── Conflict 409              ├── Unprocessable 422
    ├── Forbidden 403           ├── AlreadyExists 409         ├── NotServed 501
    ├── NotFound 404            ├── Expired 410               └── Timeout 504
    └── NoSuchResource 404      └── NotAcceptable 406

Wording follows the real server's, since kubectl prints it and clients match on it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.apiserver.catalogue import Kind
from sandbox.apiserver.objects import KubeObject


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why an object is invalid: which field, the machine-readable reason, and what is wrong."""

    field: str
    reason: str
    message: str

    def json(self) -> KubeObject:
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, detail: str = "") -> Cause:
    """A field that must be given and was not."""
    return Cause(field, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value")


def invalid_value(field: str, value: object, detail: str) -> Cause:
    """A field whose value breaks a rule."""
    shown = json.dumps(value, separators=(",", ":"))
    return Cause(field, "FieldValueInvalid", f"Invalid value: {shown}: {detail}")


def unsupported_value(field: str, value: object, supported: Sequence[str]) -> Cause:
    """A field whose value is none of those that there are."""
    listed = ", ".join(f'"{each}"' for each in supported)
    return Cause(field, "FieldValueNotSupported", f"Unsupported value: {json.dumps(value)}: supported values: {listed}")


def forbidden_change(field: str, detail: str) -> Cause:
    """A change to a field that may not change."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {detail}")


class StatusError(Exception):
    """An answer other than success; `body()` is what goes to the client."""

    code = 500
    reason = "InternalError"

    def __init__(self, message: str, details: KubeObject | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}

    def body(self) -> KubeObject:
        """Return the `metav1.Status` that clients parse."""
        status: KubeObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            status["details"] = self.details
        return status


class BadRequest(StatusError):
    code = 400
    reason = "BadRequest"


class Unauthorized(StatusError):
    code = 401
    reason = "Unauthorized"


class Forbidden(StatusError):
    code = 403
    reason = "Forbidden"


class MethodNotAllowed(StatusError):
    code = 405
    reason = "MethodNotAllowed"

    def __init__(self) -> None:
        super().__init__("the server does not allow this method on the requested resource")


class NotAcceptable(StatusError):
    """The client takes none of the forms that the server has."""

    code = 406
    reason = "NotAcceptable"

    def __init__(self) -> None:
        super().__init__("only the following media types are accepted: application/json")


class Expired(StatusError):
    code = 410
    reason = "Expired"


class UnsupportedMediaType(StatusError):
    code = 415
    reason = "UnsupportedMediaType"

    @classmethod
    def expecting(cls, accepted: Sequence[str], hint: str = "") -> UnsupportedMediaType:
        """The body is in none of the accepted forms; `hint` says what else to do."""
        listed = ", ".join(accepted)
        return cls(f"the body of the request was in an unknown format - accepted media types include: {listed}{hint}")


class NotServed(StatusError):
    """A part of the API that a real cluster has and the sandbox leaves out on purpose."""

    code = 501
    reason = "NotImplemented"


class Timeout(StatusError):
    code = 504
    reason = "Timeout"


class NotFound(StatusError):
    code = 404
    reason = "NotFound"

    def __init__(self, kind: Kind, name: str) -> None:
        super().__init__(f'{kind.qualified} "{name}" not found', _details(kind, name))


class NoSuchResource(StatusError):
    """A path within a group version that is served, but to nothing that is."""

    code = 404
    reason = "NotFound"

    def __init__(self) -> None:
        super().__init__("the server could not find the requested resource")


class AlreadyExists(StatusError):
    code = 409
    reason = "AlreadyExists"

    def __init__(self, kind: Kind, name: str) -> None:
        super().__init__(f'{kind.qualified} "{name}" already exists', _details(kind, name))


class Conflict(StatusError):
    code = 409
    reason = "Conflict"

    def __init__(self, kind: Kind, name: str, why: str, subresource: str = "") -> None:
        where = f"{kind.qualified}/{subresource}" if subresource else kind.qualified
        super().__init__(f'Operation cannot be fulfilled on {where} "{name}": {why}', _details(kind, name))

    @classmethod
    def stale(cls, kind: Kind, name: str) -> Conflict:
        """The optimistic lock: the client changed a version that is no longer the newest."""
        return cls(
            kind, name, "the object has been modified; please apply your changes to the latest version and try again"
        )


class Unprocessable(StatusError):
    code = 422
    reason = "Invalid"


class Invalid(Unprocessable):
    """An object that breaks rules of its kind, each with the field it is about."""

    def __init__(self, kind: Kind, name: str, causes: Sequence[Cause]) -> None:
        faults = [f"{cause.field}: {cause.message}" for cause in causes]
        says = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        details = _details(kind, name) | {"kind": kind.kind, "causes": [cause.json() for cause in causes]}
        qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
        super().__init__(f'{qualified} "{name}" is invalid: {says}', details)


def _details(kind: Kind, name: str) -> KubeObject:
    group = {"group": kind.group} if kind.group else {}
    return {"name": name, **group, "kind": kind.plural}
