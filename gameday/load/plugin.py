"""What gameday adds to Locust, through Locust's own events: options, the record, and its end.

Imported by `gameday.load.user`, so that any profile that uses it has the options under plain `locust -f`, and by
`gameday.load.worker`, so that closed-loop profiles are recorded too. Options may also come from the environment.

    --rate N               GAMEDAY_RATE      arrivals a second over all open-loop users (default: the profile's)
    --spacing S            GAMEDAY_SPACING   uniform or poisson                         (default: the profile's)
    --seed N               GAMEDAY_SEED      same seed, same due times and same tasks   (default: 0)
    --gameday-bundle DIR   GAMEDAY_BUNDLE    record every request into this bundle      (default: record nothing)
    --gameday-worker NAME  GAMEDAY_WORKER    name of this process in the bundle         (default: load-0)
                           GAMEDAY_CLOCK_ANCHOR   the bundle's clock (default: read now)
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
import geventhttpclient.client
from locust import events
from locust.env import Environment

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from gameday.load.arrivals import ConstantRate, Spacing
from gameday.load.inflight import COUNTS, CURRENT, Unsent
from gameday.load.outcome import error_text

if TYPE_CHECKING:
    from gameday.load.recorder import Recorder
    from gameday.load.user import ArrivalUser

logger = logging.getLogger(__name__)

REGION_HEADER = "x-gameday-region"
STOP_TIMEOUT_S = 3
"""How long requests in flight may take to finish at the end, where `--stop-timeout` doesn't say."""

_recorder: Recorder | None = None


def _rate(text: str) -> float:
    try:
        return ConstantRate(float(text)).per_s
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_options(parser: Any) -> None:
    """Add gameday's options to Locust's command line."""
    group = parser.add_argument_group("gameday options")
    group.add_argument(
        "--rate",
        type=_rate,
        metavar="<number>",
        env_var="GAMEDAY_RATE",
        help="Arrivals a second over all open-loop users. Defaults to what the profile says.",
    )
    group.add_argument(
        "--spacing",
        choices=[s.value for s in Spacing],
        env_var="GAMEDAY_SPACING",
        help="How arrivals are spaced. Defaults to what the profile says.",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="<int>",
        env_var="GAMEDAY_SEED",
        help="Same seed, same due times and same tasks. Defaults to 0.",
    )
    group.add_argument(
        "--gameday-bundle",
        type=Path,
        metavar="<directory>",
        env_var="GAMEDAY_BUNDLE",
        help="Record every request into this run bundle.",
    )
    group.add_argument(
        "--gameday-worker",
        default="load-0",
        metavar="<name>",
        env_var="GAMEDAY_WORKER",
        help="Name of this process in the bundle. Defaults to load-0.",
    )


def _options(environment: Environment) -> argparse.Namespace:
    options: argparse.Namespace = environment.parsed_options  # type: ignore[assignment]  # set before any event fires
    return options


def open_users(environment: Environment) -> list[type[ArrivalUser]]:
    """The open-loop user classes of a run."""
    from gameday.load.user import ArrivalUser  # it imports this module

    return [user for user in environment.user_classes if issubclass(user, ArrivalUser)]


def schedule_of(user: type[ArrivalUser], environment: Environment) -> tuple[float, Spacing, str]:
    """(arrivals a second, spacing, seed) of one class. `--rate` is shared out in proportion to the classes' own."""
    options = _options(environment)
    rate = user.rate
    if options.rate is not None:
        classes = open_users(environment)
        total = sum(other.rate for other in classes)
        rate = options.rate * (user.rate / total if total else 1 / len(classes))
    return rate, Spacing(options.spacing or user.spacing), f"{options.seed}:{user.__name__}"


def prepare(environment: Environment, runner: Any, **_: Any) -> None:
    """Check the profile, give every open-loop class its one user, and open the record. Ends Locust where it can't."""
    from gameday.load.user import flaw

    # The loop's idea of now is as old as Locust's import, by which `--run-time` would end too early.
    gevent.get_hub().loop.update_now()
    options = _options(environment)
    users = open_users(environment)
    for user in users:
        if reason := flaw(user):
            logger.error("%s: %s", user.__name__, reason)
            raise SystemExit(2)
    if options.rate is not None and not users:
        logger.warning("--rate has no effect: no user class of this file is an ArrivalUser")
    if users and len(users) == len(environment.user_classes):
        if options.num_users not in (None, len(users)):
            logger.warning("--users %d has no effect: arrivals come at the rate, not by users", options.num_users)
        options.num_users = options.spawn_rate = len(users)
    if users and not environment.stop_timeout:
        # Locust's default kills what is in flight. Of an open workload something always is, and would count as failed.
        environment.stop_timeout = STOP_TIMEOUT_S
    if options.gameday_bundle is None:
        return

    def failed(error: OSError) -> None:
        logger.critical("the bundle cannot be written, so the load ends: %s", error)
        gevent.spawn(runner.quit)

    from gameday.load.recorder import Recorder  # it imports pyarrow, which plain Locust can do without

    global _recorder
    anchor = os.environ.get(ENVIRONMENT_VARIABLE)
    try:
        _recorder = Recorder(
            options.gameday_bundle, options.gameday_worker, Anchor.parse(anchor) if anchor else Anchor.take(), failed
        )
    except OSError as error:
        logger.error("the bundle cannot be written: %s", error)
        raise SystemExit(2) from None


def begin(environment: Environment, **_: Any) -> None:
    """Start to flush and to sample."""
    if _recorder is not None:
        from gameday.load import health

        gevent.spawn(_recorder.flush_for_ever, gevent.sleep)
        gevent.spawn(health.watch, _recorder, COUNTS if open_users(environment) else None)


def on_request(
    name: str,
    response_time: float | None,
    response_length: int,
    exception: BaseException | None = None,
    response: Any = None,
    **_: Any,
) -> None:
    """Make the row of a request. Locust calls it when the answer is in, in the greenlet that sent the request."""
    elapsed_ns = round((response_time or 0) * 1e6)
    arrival = CURRENT.get()
    start_ns: int | None
    scheduled_ns = start_ns = time.monotonic_ns() - elapsed_ns
    if isinstance(exception, Unsent) and arrival is not None:
        arrival.rows += 1
        scheduled_ns, start_ns = arrival.scheduled_ns, None
    elif arrival is not None:
        scheduled_ns, start_ns = arrival.end(start_ns)
    if _recorder is None:
        return
    status = getattr(response, "status_code", None) or 0
    headers = getattr(response, "headers", None)
    _recorder.columns.append(
        scheduled_ns=scheduled_ns,
        start_ns=start_ns,
        latency_ns=(start_ns or scheduled_ns) + elapsed_ns - scheduled_ns,
        status=status,
        size=response_length or 0,
        endpoint=name,
        region=str(headers.get(REGION_HEADER, "")) if headers else "",
        error=error_text(exception, status),
    )
    _recorder.flush_if_full()


def finish(**_: Any) -> None:
    """Close the record. Every user has ended."""
    if _recorder is not None:
        _recorder.close()


def _never_retry(method: str) -> bool:  # noqa: ARG001  # the signature it stands in for
    return False


# geventhttpclient sends a GET again, up to twice and without a word, when its connection closes before the answer. To a
# drill that is a failed request: a profile that wants retries makes them, and each is a row.
geventhttpclient.client._may_retry_after_send_error = _never_retry

for event, listener in (
    (events.init_command_line_parser, add_options),
    (events.init, prepare),
    (events.test_start, begin),
    (events.request, on_request),
    (events.quit, finish),
):
    event.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust leaves it unannotated
