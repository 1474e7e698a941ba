"""The mixed T.A.R.S. traffic, growing evenly: from 10 to 200 arrivals a second within two minutes, where it stays.

`--rate` sets where it ends, `--duration` how long it takes.

locust -f loadprofiles/ramp.py --headless --run-time 3m -H http://…
gameday run experiments/pod-kill.yaml --load loadprofiles/ramp.py --rate 100 --duration 30
"""

from __future__ import annotations

from traffic import Tars

from gameday.load.shapes import ramp


class Ramp(Tars):
    """More and more."""

    rate = ramp(10, 200, over_s=120)
