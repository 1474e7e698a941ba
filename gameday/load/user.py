"""A Locust user that opens the loop: it sends each arrival when it is due, whatever became of those before it.

Any Locust file can use it:

    class Tars(ArrivalUser):
        rate = 100

        @task
        def list_agents(self):
            self.client.get("/api/v1/agents")

One user a process keeps the schedule. Each arrival runs one task, chosen by weight, on a *slot*: an object of the same
class with a client and one connection of its own, so that `on_start` and `self` mean what they always do. Slots are
made as they are needed, up to `max_inflight`; the rate does not depend on `--users`.
"""

from __future__ import annotations

import gc
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Group
from locust import FastHttpUser
from locust.env import Environment
from locust.exception import StopTest
from locust.user.task import LOCUST_STATE_RUNNING

from gameday.load import plugin, resolver, rows
from gameday.load.alarm import Alarm, CoarseAlarm, best_alarm
from gameday.load.arrivals import Shape, Spacing, due_times_ns
from gameday.load.inflight import COUNTS, CURRENT, Abandoned, Arrival, Unsent
from gameday.load.options import asked_of, options_of
from gameday.load.schedule import Part, Schedule, open_users, schedules
from gameday.load.watchdog import Watchdog

__all__ = ["ArrivalUser", "plugin"]  # the plugin is imported for its listeners

logger = logging.getLogger(__name__)

LONG_WAIT_NS = 50_000_000
"""So long before an arrival is due, there is no more ear for the end of the load, which then takes as much longer."""
SHORT_WAIT_NS = 1_000_000
"""An alarm for each arrival costs more than it gives where they come closer than this."""
MAX_AT_ONCE = 8
"""Arrivals behind schedule that are sent off together, in one turn of the event loop."""
ONE_TURN_S = 1e-9
"""Shorter than any turn of the event loop. 0 would let the slots run, but look for no answers for up to 5 ms."""
TASKS_AT_ONCE = 256
"""Tasks that are drawn at random together: each then takes a quarter of the time."""
DRAIN_POLL_S = 0.01

Task = Callable[["ArrivalUser"], object]


def _chosen(tasks: Sequence[Any], seed: str) -> Iterator[Task]:
    """Tasks at random, by weight, for ever; the same for the same seed."""
    rng = random.Random(f"tasks:{seed}")
    while True:
        yield from rng.choices(tasks, k=TASKS_AT_ONCE)


class ArrivalUser(FastHttpUser):
    """Base class of open-loop users. What a profile sets here, `--rate`, `--duration` and `--spacing` override."""

    abstract = True
    fixed_count = 1
    opens_loop = True

    rate: float | Shape = 1.0
    """Arrivals a second: a number, or one of the shapes of `gameday.load.shapes`."""
    spacing: str = Spacing.UNIFORM
    timeout_s: float = 10.0
    """A request without a complete answer after so many seconds has failed."""
    max_inflight: int = 1000
    """Arrivals served at the same time; one that comes due beyond it is recorded as unsent."""

    def __init__(self, environment: Environment) -> None:
        self.network_timeout = self.connection_timeout = None  # type: ignore[assignment]  # the watchdog sees to both
        self.concurrency = 1
        super().__init__(environment)
        self.client.request = self._timed(self.client.request)  # type: ignore[method-assign]  # `get`, `post`… call it
        self._watchdog = Watchdog(self.timeout_s)
        self._stopping = Event()
        self._stopped_ns = 0
        self._fresh = True
        self._idle: list[ArrivalUser] = []
        self._slots = 0
        self._servant: gevent.Greenlet
        self._hub = gevent.get_hub()
        self._soon = self._hub.loop.run_callback
        self._serving = Group()
        self._ended = False
        self._at_once = 0
        self._logged: set[str] = set()

    def run(self) -> None:  # type: ignore[misc]  # Locust marks it final; its own PytestUser replaces it too
        """Keep the schedule until stopped, then wait for what is in flight, as long as `--stop-timeout` says."""
        self._state = LOCUST_STATE_RUNNING
        schedule, part, seed = self._schedule()
        self.environment.events.quitting.add_listener(self._take_no_more)
        resolver.install()
        alarm = best_alarm()
        gc.collect()
        gc.freeze()  # a full collection that walks every module takes long enough to delay arrivals
        try:
            self._idle += [self._new_slot() for _ in range(min(MAX_AT_ONCE, self.max_inflight))]
            start_ns = self._begin()
            due_ns = due_times_ns(schedule.shape, schedule.spacing, seed)
            # a task for every arrival of the schedule, so that parts do not depend on their number
            for number, (offset_ns, task) in enumerate(zip(due_ns, _chosen(self.tasks, seed), strict=False)):
                if not part.holds(number):
                    continue
                arrival = Arrival(start_ns + offset_ns)
                self._wait_until(arrival.scheduled_ns, alarm)
                if self._stopping.is_set() and arrival.scheduled_ns > self._stopped_ns:
                    break
                self._dispatch(arrival, task)
            self._stopping.wait()
            while len(self._idle) < self._slots:
                gevent.sleep(DRAIN_POLL_S)
        except Exception as error:  # a profile whose objects can't be made: end, so that the load is seen to be gone
            logger.error("%s cannot go on: %s: %s", type(self).__name__, type(error).__name__, error)
            gevent.spawn(self.environment.runner.quit)
            raise
        finally:
            gevent.sleep(0)  # a greenlet that is killed before it first ran would leave no row
            alarm.close()
            self._ended = True
            self._serving.kill()
            started = [slot for slot in self._idle if not slot._fresh]
            gevent.joinall([gevent.spawn(slot.on_stop) for slot in started], timeout=self.timeout_s)

    def _schedule(self) -> tuple[Schedule, Part, str]:
        """The schedule of this class, the part of it that is sent here, and its seed."""
        classes, options = open_users(self.environment.user_classes), options_of(self.environment)
        schedule = schedules(classes, asked_of(self.environment))[classes.index(type(self))]
        return schedule, options.gameday_part, f"{options.seed}:{type(self).__name__}"

    def _begin(self) -> int:
        """When the schedule begins, on CLOCK_MONOTONIC: now, or when the first class of this process began it."""
        if not COUNTS.began_ns:
            COUNTS.began_ns = time.monotonic_ns()
            if (recorder := rows.recorder()) is not None:
                recorder.sample(COUNTS.began_ns, {"load.began": 0.0})
        return COUNTS.began_ns

    def stop(self, force: bool = False) -> bool:
        """Take no more arrivals. Locust calls it."""
        self._take_no_more()
        return bool(super().stop(force))

    def _take_no_more(self, **_: Any) -> None:
        """Nothing comes due from now on; what was due before is still sent.

        Also a listener of `quitting`, the first thing that Locust does on SIGTERM: before it calls `stop` it blocks for
        some 60 ms, in which arrivals would come due and be late.
        """
        if not self._stopping.is_set():
            self._stopped_ns = time.monotonic_ns()
            self._stopping.set()

    def _wait_until(self, due_ns: int, alarm: Alarm | CoarseAlarm) -> None:
        left_ns = due_ns - time.monotonic_ns()
        if left_ns > LONG_WAIT_NS and self._stopping.wait((left_ns - LONG_WAIT_NS) / 1e9):
            return
        self._at_once = self._at_once + 1 if left_ns <= 0 else 0
        if left_ns > SHORT_WAIT_NS:
            alarm.wait_until(due_ns)
        elif left_ns <= 0 and self._at_once % MAX_AT_ONCE == 0:
            gevent.sleep(ONE_TURN_S)
        while (left_ns := due_ns - time.monotonic_ns()) > 0:
            gevent.sleep(left_ns / 1e9)  # up to a millisecond longer: those that come due meanwhile go together

    def _dispatch(self, arrival: Arrival, task: Any) -> None:
        COUNTS.due += 1
        if not self._idle:
            if self._slots >= self.max_inflight:
                self._report(arrival, task, Unsent(f"{self.max_inflight} arrivals were in flight, the limit"))
                return
            self._idle.append(self._new_slot())
        self._soon(self._idle.pop()._servant.switch, (arrival, task))

    def _new_slot(self) -> ArrivalUser:
        """A slot with a greenlet that waits for its arrivals: a new one for each would be a tenth of their price."""
        self._slots += 1
        slot = type(self)(self.environment)
        slot._watchdog = self._watchdog
        slot._servant = self._serving.spawn(self._serve_all, slot)
        return slot

    def _serve_all(self, slot: ArrivalUser) -> None:
        while not self._ended:
            arrival, task = self._hub.switch()  # comes back from `_dispatch`
            self._serve(slot, arrival, task)

    def _serve(self, slot: ArrivalUser, arrival: Arrival, task: Task) -> None:
        COUNTS.inflight += 1
        reason = "the task sent no request"
        try:
            if slot._fresh:
                slot.on_start()
                slot._fresh = False
            CURRENT.set(arrival)
            task(slot)
        except gevent.GreenletExit:
            reason = "the load was stopped"
        except StopTest:
            gevent.spawn(self.environment.runner.quit)
        except (Exception, gevent.Timeout) as error:  # a profile's own bug: the load goes on, its rows say why
            reason = f"{'on_start' if slot._fresh else 'the task'} raised {type(error).__name__}"
            self._log_once(task, error)
        finally:
            COUNTS.inflight -= 1
            if arrival.start_ns is not None:
                self._report(arrival, task, Abandoned(reason))
            elif not arrival.rows:
                self._report(arrival, task, Unsent(reason))
            self._idle.append(slot)

    def _report(self, arrival: Arrival, task: Task, reason: Unsent | Abandoned) -> None:
        """Give an arrival the row that no request of it did; in Locust's statistics it is a failure."""
        outer = CURRENT.get()
        CURRENT.set(arrival)
        since_ns = arrival.start_ns
        self.environment.events.request.fire(
            request_type="ARRIVAL",
            name=getattr(task, "__name__", str(task)),
            response_time=None if since_ns is None else (time.monotonic_ns() - since_ns) / 1e6,
            response_length=0,
            exception=reason,
            response=None,
            context={},
        )
        CURRENT.set(outer)

    def _log_once(self, task: Task, error: BaseException) -> None:
        self.environment.events.user_error.fire(user_instance=self, exception=error, tb=error.__traceback__)
        cause = f"{task} {type(error)}"
        if cause not in self._logged:  # at hundreds a second, one traceback says it all
            self._logged.add(cause)
            name = getattr(task, "__name__", task)
            logger.error("%s failed: %s: %s (said once)", name, type(error).__name__, error, exc_info=error)

    def _timed(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """`send` with a time-out for the whole request, and its start noted in the arrival it belongs to."""

        def request(*args: Any, **kwargs: Any) -> Any:
            now_ns = time.monotonic_ns()
            arrival = CURRENT.get()
            if arrival is not None:
                arrival.begin(now_ns)
            self._watchdog.watch(now_ns)
            try:
                answer = send(*args, **kwargs)
            finally:
                self._watchdog.release()
            if kwargs.get("stream"):  # its body is read later: each wait for more of it has the time of a request
                connection = getattr(answer._response, "_sock", None)
                if connection is not None:
                    connection.settimeout(self.timeout_s)
            return answer

        return request
