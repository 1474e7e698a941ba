"""`python -m gameday.load.pod …`: `python -m gameday.load.worker …`, begun again for each session.

What runs in the pods of `deploy/locust/`. Each session of a harness has fresh processes, so that nothing is left of the
one before; when one ends in order, the next waits. When one fails, so does the pod, and Kubernetes shows it.

The socket where a harness knocks stays open in between, so that `kubectl port-forward` finds it there at any time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import FrameType

from gameday.child import HARNESS_VARIABLE
from gameday.load.listener import LISTENER_VARIABLE, RELAY_VARIABLE, listen


def main() -> int:
    """Run sessions until SIGTERM, or until one fails; its exit code."""
    inherited: list[int] = []
    environment = {**os.environ, HARNESS_VARIABLE: str(os.getpid())}
    if address := os.environ.get(RELAY_VARIABLE):
        listener = listen(address)
        inherited.append(listener.fileno())
        environment[LISTENER_VARIABLE] = str(listener.fileno())
    ending = False
    session: subprocess.Popen[bytes] | None = None

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # signal's signature
        nonlocal ending
        ending = True
        if session is not None and session.poll() is None:
            session.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    code = 0
    while code == 0 and not ending:
        session = subprocess.Popen(
            [sys.executable, "-m", "gameday.load.worker", *sys.argv[1:]],
            env=environment,
            pass_fds=inherited,
            start_new_session=True,
        )
        if ending:  # the signal came while it was being started
            session.terminate()
        code = session.wait()
    return 0 if ending else code if code > 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
