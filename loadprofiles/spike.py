"""The mixed T.A.R.S. traffic, four times as much of it all of a sudden: 50 arrivals a second, after half a minute 200
for half a minute, then 50 again.

`--rate` sets the height of the spike, `--duration` when it is over: it begins half-way.

locust -f loadprofiles/spike.py --headless --run-time 90s -H http://…
gameday run experiments/pod-kill.yaml --load loadprofiles/spike.py --rate 100 --duration 60
"""

from __future__ import annotations

from traffic import Tars

from gameday.load.shapes import spike


class Spike(Tars):
    """A sudden crowd."""

    rate = spike(50, 200, at_s=30, for_s=30)
