"""From Locust's event of a request to its row: what runs once a request, and the one record that it goes to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from bundle.clock import Anchor
from gameday.load.inflight import CURRENT, Unsent
from gameday.load.outcome import error_text

if TYPE_CHECKING:
    from gameday.load.recorder import Recorder

REGION_HEADER = "x-gameday-region"

_recorder: Recorder | None = None


def open_record(bundle: Path, worker: str, failed: Callable[[OSError], None]) -> None:
    """Record the requests of this process into a bundle from now on. Raises OSError.

    The bundle's clock comes from the environment, and is read now where it doesn't.
    failed: called once, with the reason, when the bundle can no longer be written.
    """
    global _recorder
    from gameday.load.recorder import Recorder  # it imports pyarrow, which plain Locust can do without

    _recorder = Recorder(bundle, worker, Anchor.of(os.environ), failed)


def recorder() -> Recorder | None:
    """The record of this process; None where nothing is recorded."""
    return _recorder


def on_request(
    name: str,
    response_time: float | None,
    response_length: int,
    exception: BaseException | None = None,
    response: Any = None,
    request_type: str = "",  # noqa: ARG001  # named, as are the next three: to collect them would double the call's price
    context: Any = None,  # noqa: ARG001
    start_time: float = 0.0,  # noqa: ARG001
    url: str = "",  # noqa: ARG001
    **_: Any,
) -> None:
    """Make the row of a request. Locust calls it when the answer is in, in the greenlet that sent the request."""
    elapsed_ns = int((response_time or 0) * 1e6)
    arrival = CURRENT.get()
    start_ns: int | None
    scheduled_ns = start_ns = monotonic_ns() - elapsed_ns
    if arrival is not None:
        if isinstance(exception, Unsent):
            arrival.rows += 1
            scheduled_ns, start_ns = arrival.scheduled_ns, None
        else:
            scheduled_ns, start_ns = arrival.end(start_ns)
    if _recorder is None:
        return
    status = getattr(response, "status_code", None) or 0
    headers = getattr(response, "headers", None)
    full = _recorder.columns.append(
        scheduled_ns,
        start_ns,
        (start_ns or scheduled_ns) + elapsed_ns - scheduled_ns,
        status,
        response_length or 0,
        name,
        # `in`, for geventhttpclient's `get` of a header that is missing raises and catches; a plain `if headers` counts
        str(headers[REGION_HEADER]) if headers is not None and REGION_HEADER in headers else "",
        error_text(exception, status) if exception is not None else "",
    )
    if full:
        _recorder.flush()
