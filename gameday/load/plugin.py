"""What gameday adds to Locust, through Locust's own events: options, the record, and its end.

Imported by `gameday.load.user`, so that any profile that uses it has the options under plain `locust -f`, and by
`gameday.load.worker`, so that closed-loop profiles are recorded too.
"""

from __future__ import annotations

import logging
from typing import Any

import gevent
import geventhttpclient.client
from locust import events
from locust.env import Environment

from gameday.load import rows
from gameday.load.inflight import COUNTS
from gameday.load.options import add_options, asked_of, options_of
from gameday.load.schedule import flaw, open_users, schedules

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 3
"""How long requests in flight may take to finish at the end, where `--stop-timeout` doesn't say."""


def prepare(environment: Environment, runner: Any, **_: Any) -> None:
    """Check the profile, give every open-loop class its one user, and open the record. Ends Locust where it can't."""
    # The loop's idea of now is as old as Locust's import, by which `--run-time` would end too early.
    gevent.get_hub().loop.update_now()
    options = options_of(environment)
    users = open_users(environment.user_classes)
    for user in users:
        if reason := flaw(user):
            logger.error("%s: %s", user.__name__, reason)
            raise SystemExit(2)
    try:
        schedules(users, asked_of(environment))
    except ValueError as error:
        logger.error("%s", error)
        raise SystemExit(2) from None
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

    try:
        rows.open_record(options.gameday_bundle, options.gameday_worker, failed)
    except OSError as error:
        logger.error("the bundle cannot be written: %s", error)
        raise SystemExit(2) from None


def begin(environment: Environment, **_: Any) -> None:
    """Start to flush and to sample."""
    if (recorder := rows.recorder()) is not None:
        from gameday.load import health

        gevent.spawn(recorder.flush_for_ever, gevent.sleep)
        gevent.spawn(health.watch, recorder, COUNTS if open_users(environment.user_classes) else None)


def finish(**_: Any) -> None:
    """Close the record. Every user has ended."""
    if (recorder := rows.recorder()) is not None:
        recorder.close()


def _never_retry(method: str) -> bool:  # noqa: ARG001  # the signature it stands in for
    return False


# geventhttpclient sends a GET again, up to twice and without a word, when its connection closes before the answer. To a
# drill that is a failed request: a profile that wants retries makes them, and each is a row.
geventhttpclient.client._may_retry_after_send_error = _never_retry

for event, listener in (
    (events.init_command_line_parser, add_options),
    (events.init, prepare),
    (events.test_start, begin),
    (events.request, rows.on_request),
    (events.quit, finish),
):
    event.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust leaves it unannotated
