"""In which form a client wants its answer, from the `Accept` header."""

from __future__ import annotations

from enum import StrEnum

from sandbox.apiserver.status import NotAcceptable


class Form(StrEnum):
    """The forms an object or a list can be answered in."""

    PLAIN = ""
    TABLE = "Table"
    PARTIAL = "PartialObjectMetadata"
    PARTIAL_LIST = "PartialObjectMetadataList"


def negotiate(accept: str) -> Form:
    """Return the first form in an `Accept` header that the server has; raises NotAcceptable where it has none."""
    for offer in accept.split(",") if accept else ("*/*",):
        media_type, *rest = (part.strip() for part in offer.split(";"))
        parameters = dict(part.partition("=")[::2] for part in rest)
        shape = parameters.get("as", "")
        if media_type in ("application/json", "application/*", "*/*") and shape in {form.value for form in Form}:
            return Form(shape)
    raise NotAcceptable
