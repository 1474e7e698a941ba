"""From Locust's event of a request to its row: what runs once a request, and the one record that it goes to."""

from __future__ import annotations

import os
from collections.abc import Callable
from operator import contains
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from geventhttpclient.header import Headers

from bundle.clock import Anchor
from gameday.load.inflight import CURRENT, Unsent
from gameday.load.outcome import error_text

if TYPE_CHECKING:
    from gameday.load.recorder import Recorder

REGION_HEADER = "x-gameday-region"

_has_key = dict.__contains__
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
    now_ns = monotonic_ns()
    elapsed_ns = int(response_time * 1e6) if response_time else 0
    arrival = CURRENT.get()
    start_ns: int | None
    scheduled_ns = start_ns = now_ns - elapsed_ns
    latency_ns = elapsed_ns
    if arrival is not None:
        if exception is not None and isinstance(exception, Unsent):
            arrival.rows += 1
            scheduled_ns, start_ns = arrival.scheduled_ns, None
        else:
            scheduled_ns, start_ns = arrival.end(start_ns)
            latency_ns += start_ns - scheduled_ns
    if _recorder is None:
        return
    status, region, error = 0, "", ""
    if response is not None:
        try:
            status, headers = response.status_code or 0, response.headers
        except AttributeError:  # of a protocol that has neither
            headers = None
        # geventhttpclient's headers are a dictionary by lower-case name, whose own `in` takes three times as long
        if headers is not None and (_has_key if headers.__class__ is Headers else contains)(headers, REGION_HEADER):
            region = str(headers[REGION_HEADER])
    if exception is not None:
        error = error_text(exception, status)
    if _recorder.columns.append(scheduled_ns, start_ns, latency_ns, status, response_length or 0, name, region, error):
        _recorder.flush()
