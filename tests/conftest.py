"""What holds for all tests."""

from __future__ import annotations

import signal
import threading

from hypothesis import settings

# How long an example takes says how busy the machine is. What must be fast has a benchmark, which compares.
settings.register_profile("gameday", deadline=None)
settings.load_profile("gameday")

# A shell that starts something in the background has it ignore SIGINT, and every child of ours would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
