"""`python -m gameday.load.worker …`: `locust …` with gameday's options, and bound to the life of its harness.

With GAMEDAY_HARNESS_PID set, the process group is killed within 0.2 s of that process's death; rows are then lost up to
the last flush, and nothing else. A thread of the operating system watches, so that a busy event loop can't hold it up,
and by the parent's id rather than by PR_SET_PDEATHSIG, which fires when the *thread* that started us ends.
"""

from __future__ import annotations

import _thread
import os
import signal
from time import sleep

from gameday.child import HARNESS_VARIABLE

WATCH_S = 0.2
ORPHANED_S = 10
"""A worker ends when its master was silent for so long. Locust's own limit is a minute, in which load would be sent."""
CONNECT_S, CONNECT_TRIES = 1, 300
"""How often a worker knocks at a master that isn't there yet. Locust's own 5 seconds are a long wait for nothing."""


def end_with(harness_pid: int) -> None:
    """Wait for the death of our parent, then kill our process group."""
    while os.getppid() == harness_pid:
        sleep(WATCH_S)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Run Locust with the arguments of this process."""
    if harness := os.environ.get(HARNESS_VARIABLE):
        # Not `threading`: gevent replaces it when Locust is imported, and would take charge of a thread it knows of.
        _thread.start_new_thread(end_with, (int(harness),))
    import locust.main
    import locust.runners

    import gameday.load.plugin  # noqa: F401  # adds its listeners

    locust.runners.MASTER_HEARTBEAT_TIMEOUT = ORPHANED_S
    locust.runners.CONNECT_TIMEOUT, locust.runners.CONNECT_RETRY_COUNT = CONNECT_S, CONNECT_TRIES
    locust.main.main()  # type: ignore[no-untyped-call]  # Locust leaves it unannotated


if __name__ == "__main__":
    main()
