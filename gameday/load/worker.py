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

    import gameday.load.plugin  # noqa: F401  # adds its listeners

    locust.main.main()  # type: ignore[no-untyped-call]  # Locust leaves it unannotated


if __name__ == "__main__":
    main()
