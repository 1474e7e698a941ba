"""What gameday adds to Locust, through Locust's own events: options, the record, and its end.

Imported by `gameday.load.user`, so that any profile that uses it has the options under plain `locust -f`, and by
`gameday.load.worker`, so that closed-loop profiles are recorded too.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import gevent
import geventhttpclient.client
from locust import events
from locust.env import Environment
from locust.event import EventHook
from locust.runners import MasterRunner, WorkerRunner

from bundle.clock import ENVIRONMENT_VARIABLE, Anchor
from gameday.load import deferredstats, pruning, rows
from gameday.load.inflight import COUNTS
from gameday.load.options import add_options, asked_of, options_of
from gameday.load.schedule import flaw, open_users, schedules
from gameday.load.streams import flush_for_ever

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 3
"""How long requests in flight may take to finish at the end, where `--stop-timeout` doesn't say."""

clock_is_set = EventHook()  # type: ignore[no-untyped-call]  # Locust leaves it unannotated
"""Fired with the `anchor` by which times are recorded from now on, before users run."""
record_ends = EventHook()  # type: ignore[no-untyped-call]  # Locust leaves it unannotated
"""Fired, perhaps twice, when every user has ended: whoever keeps a record closes it."""


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
    open_loop = bool(users) and len(users) == len(environment.user_classes)
    if open_loop:
        if options.num_users not in (None, len(users)):
            logger.warning("--users %d has no effect: arrivals come at the rate, not by users", options.num_users)
        options.num_users = options.spawn_rate = len(users) * (options.expect_workers if options.master else 1)
    if users and not environment.stop_timeout:
        # Locust's default kills what is in flight. Of an open workload something always is, and would count as failed.
        environment.stop_timeout = STOP_TIMEOUT_S
    os.environ.setdefault(ENVIRONMENT_VARIABLE, Anchor.take().text())  # one clock for all that is in this process
    if isinstance(runner, MasterRunner):
        if users and not open_loop:
            logger.error("ArrivalUsers and other users in one file cannot share a load over several processes")
            raise SystemExit(2)
        lead(environment, runner, users)
        return
    if options.gameday_forward and (options.gameday_bundle is None or not isinstance(runner, WorkerRunner)):
        logger.error("--gameday-forward sends the record of a --worker: it needs --gameday-bundle, too")
        raise SystemExit(2)
    options.gameday_worker = options.gameday_worker or f"load-{max(runner.worker_index, 0)}"
    if options.gameday_bundle is not None:
        _open_record(options.gameday_bundle, options.gameday_worker, runner)
    if isinstance(runner, WorkerRunner):
        from gameday.load.follower import Follower

        send_from = options.gameday_bundle if options.gameday_forward else None
        name, anchor = options.gameday_worker, Anchor.of(os.environ)
        Follower(environment, runner, anchor, name, send_from, _set_clock, record_ends.fire)


def lead(environment: Environment, runner: MasterRunner, users: list[type[Any]]) -> None:
    """Be the master of several processes. Headless, wait until all of them are ready, and for a harness elsewhere."""
    from gameday.load.master import Master
    from gameday.load.session import Session

    options, anchor = options_of(environment), Anchor.of(os.environ)
    workers, timeout_s = options.expect_workers, options.expect_workers_max_wait
    if options.gameday_relay is not None:
        try:
            session = Session(environment, runner, anchor, users)
        except (OSError, ValueError) as error:
            logger.error("no harness can be waited for at %s: %s", options.gameday_relay, error)
            raise SystemExit(2) from None
        session.wait(workers)
        return
    master = Master(environment, runner, anchor, open_loop=bool(users))
    if options.headless and not master.wait_for(workers, timeout_s=timeout_s):
        logger.error("%d of %d workers were ready after %g s", len(master.ready()), workers, timeout_s)
        raise SystemExit(1)


def _open_record(bundle: Path, worker: str, runner: Any) -> None:
    def failed(error: OSError) -> None:
        logger.critical("the bundle cannot be written, so the load ends: %s", error)
        gevent.spawn(runner.quit)

    try:
        rows.open_record(bundle, worker, failed)
    except OSError as error:
        logger.error("the bundle cannot be written: %s", error)
        raise SystemExit(2) from None
    gevent.spawn(deferredstats.defer(runner.stats).count_for_ever, gevent.sleep)


def _set_clock(anchor: Anchor) -> None:
    clock_is_set.fire(anchor=anchor)  # type: ignore[no-untyped-call]  # Locust leaves it unannotated


def record_by(anchor: Anchor, **_: Any) -> None:
    """Record requests and samples by this clock."""
    if (recorder := rows.recorder()) is not None:
        recorder.set_clock(anchor)


def begin(environment: Environment, **_: Any) -> None:
    """Start to flush and to sample, and keep Locust's own statistics small."""
    gevent.spawn(pruning.prune_for_ever, environment.stats, gevent.sleep)
    if (recorder := rows.recorder()) is not None:
        from gameday.load import health

        gevent.spawn(flush_for_ever, recorder.flush, gevent.sleep)
        gevent.spawn(health.watch, recorder, COUNTS if open_users(environment.user_classes) else None)


def end_record(**_: Any) -> None:
    """The load is over. A worker's master has asked for this before, most likely."""
    record_ends.fire()  # type: ignore[no-untyped-call]  # Locust leaves it unannotated


def finish(**_: Any) -> None:
    """Close the record of requests and samples."""
    if (recorder := rows.recorder()) is not None:
        recorder.close(time.monotonic_ns())


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
    (events.quit, end_record),
    (clock_is_set, record_by),
    (record_ends, finish),
):
    event.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust leaves it unannotated
