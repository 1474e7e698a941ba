"""The mixed T.A.R.S. traffic at a steady rate: 100 arrivals a second unless `--rate` says otherwise.

locust -f loadprofiles/steady.py --headless -H http://…
gameday run experiments/pod-kill.yaml --load loadprofiles/steady.py
"""

from __future__ import annotations

from traffic import Tars


class Steady(Tars):
    """The same rate for as long as the drill lasts."""

    rate = 100
