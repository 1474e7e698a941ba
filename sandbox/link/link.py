"""A pod's link to the network: the faults in force, the outboxes of its connections, and who empties them on time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random, SystemRandom

from sandbox.link.fault import Fault
from sandbox.link.netem import NEVER, Emulator, arrival_ns
from sandbox.link.outbox import Outbox, Wire

FULL_BYTES = 4 * 1024 * 1024
"""As much as one connection may have waiting: then its sender waits, as for a full socket."""
NS_PER_S = 1_000_000_000


class Link:
    """Shared by all threads of a process. Costs one look at `quiet` for as long as nothing is wrong."""

    def __init__(self, clock_ns: Callable[[], int] = time.monotonic_ns, random: Random | None = None) -> None:
        self.quiet = True
        """Nothing is wrong and nothing waits: what is sent need not pass through here."""
        self._clock_ns = clock_ns
        self._random = random or SystemRandom()
        self._emulators: tuple[Emulator, ...] = ()
        self._outboxes: list[Outbox] = []
        # Reentrant: a garbage collection may close a socket in the middle of what is done here.
        lock = threading.RLock()
        self._changed, self._emptied = threading.Condition(lock), threading.Condition(lock)
        self._thread: threading.Thread | None = None

    def impose(self, faults: Sequence[Fault]) -> None:
        """Put these faults in force, in place of those before."""
        with self._changed:
            now_ns = self._clock_ns()
            self._emulators = tuple(Emulator(each, self._random) for each in faults)
            self.quiet = not (self._emulators or self._outboxes)
            for outbox in self._outboxes:
                concerned = any(each.reaches(outbox.host) for each in faults)
                outbox.reschedule(now_ns, partial(arrival_ns, self._emulators, outbox.host) if concerned else None)
            if self._thread is None and faults:
                self._thread = threading.Thread(target=self._run, name="link", daemon=True)
                self._thread.start()
            self._changed.notify()

    def hold(
        self,
        data: bytes | None,
        outbox: Outbox | None,
        host: str,
        wire: Callable[[], Wire],
        wait_s: float | None = None,
    ) -> Outbox | None:
        """Take over what is sent to `host`, or (None) the end of sending; returns the outbox that it lies in.

        None: it may go at once. outbox: what the last call for this connection returned. wire: a way to send that stays
        when the connection's user closes it. wait_s: how long a full outbox may be waited for, 0 not at all, None for
        ever. Raises BlockingIOError or TimeoutError where it stays full.
        """
        with self._changed:
            now_ns = self._clock_ns()
            due_ns = arrival_ns(self._emulators, host, now_ns)
            if outbox is None or outbox not in self._outboxes:
                if due_ns <= now_ns:
                    return None
                outbox = Outbox(wire(), host)
                self._outboxes.append(outbox)
            if outbox.size >= FULL_BYTES:
                self._await_room(outbox, wait_s)
                # By now it may be gone, the faults others, and it is later.
                return self.hold(data, outbox, host, wire, wait_s)
            outbox.put(data, now_ns, due_ns)
            self._changed.notify()
            return outbox

    def drain(self, patience_s: float) -> None:
        """Wait until all that is held has left, at most `patience_s`."""
        with self._changed:
            self._emptied.wait_for(lambda: not self._outboxes, patience_s)

    def _await_room(self, outbox: Outbox, wait_s: float | None) -> None:
        if wait_s == 0:
            raise BlockingIOError("the link takes no more for now")
        if not self._emptied.wait_for(lambda: outbox.size < FULL_BYTES, wait_s):
            raise TimeoutError("timed out")

    def _run(self) -> None:
        with self._changed:
            while True:
                next_ns = self._flush()
                wait_s = None if next_ns == NEVER else max(0.0, (next_ns - self._clock_ns()) / NS_PER_S)
                self._changed.wait(wait_s)

    def _flush(self) -> int:
        """Send what is due; returns when the next is."""
        now_ns, next_ns = self._clock_ns(), NEVER
        for outbox in list(self._outboxes):
            next_ns = min(next_ns, outbox.flush(now_ns))
            if outbox.is_empty():
                outbox.close()
                self._outboxes.remove(outbox)
        self.quiet = not (self._emulators or self._outboxes)
        self._emptied.notify_all()
        return next_ns
