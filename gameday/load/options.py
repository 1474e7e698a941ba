"""The options that gameday adds to Locust's command line. Each may also come from the environment.

--rate N               GAMEDAY_RATE      highest arrival rate over all open-loop users  (default: the profile's)
    --duration S           GAMEDAY_DURATION  length of the rate's shape in seconds          (default: the profile's)
    --spacing S            GAMEDAY_SPACING   uniform or poisson                             (default: the profile's)
    --seed N               GAMEDAY_SEED      same seed, same due times and same tasks       (default: 0)
    --gameday-bundle DIR   GAMEDAY_BUNDLE    record every request into this bundle          (default: record nothing)
    --gameday-worker NAME  GAMEDAY_WORKER    name of this process in the bundle             (default: load-<its number>)
    --gameday-part I/N     GAMEDAY_PART      send every N-th arrival, from number I on      (default: 0/1, all;
                                             with a master, that one says)
    --gameday-relay H:P    GAMEDAY_RELAY     a master: wait there for `gameday run --load-at`, run what that asks for
    --gameday-forward      GAMEDAY_FORWARD   a worker: send the record on to the master, as it grows
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from locust.env import Environment

from bundle.rates import RateCurve
from gameday.child import HARNESS_VARIABLE
from gameday.load.arrivals import Spacing
from gameday.load.schedule import Asked, Part

Value = TypeVar("Value")


def _rate(text: str) -> float:
    return RateCurve.constant(float(text)).highest_per_s


def _duration(text: str) -> float:
    if not 0 < float(text) <= 7 * 86_400:
        raise ValueError(f"a duration must be more than 0 seconds and at most a week, not {text}")
    return float(text)


def _explained(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """A parser whose ValueError argparse prints rather than hides."""

    def parsed(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


def add_options(parser: Any) -> None:
    """Add gameday's options to Locust's parser.

    In a drill Locust reads no `locust.conf`: the record says what the command line asked for, and nothing else.
    """
    if HARNESS_VARIABLE in os.environ:
        parser._default_config_files = []  # configargparse has no other way once the parser is made
    group = parser.add_argument_group("gameday options")
    group.add_argument(
        "--rate",
        type=_explained(_rate),
        metavar="<number>",
        env_var="GAMEDAY_RATE",
        help="Highest arrival rate, a second, over all open-loop users. Defaults to what the profile says.",
    )
    group.add_argument(
        "--duration",
        type=_explained(_duration),
        metavar="<seconds>",
        env_var="GAMEDAY_DURATION",
        help="Length of the rate's shape: its ramp, its peak, its period. Defaults to what the profile says.",
    )
    group.add_argument(
        "--lead",
        type=_explained(_duration),
        metavar="<seconds>",
        env_var="GAMEDAY_LEAD",
        help="So much of the shape's last rate before it begins: low load before a peak. Defaults to none.",
    )
    group.add_argument(
        "--spacing",
        choices=[Spacing.UNIFORM.value, Spacing.POISSON.value],
        env_var="GAMEDAY_SPACING",
        help="How arrivals are spaced. Defaults to what the profile says.",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="<int>",
        env_var="GAMEDAY_SEED",
        help="Same seed, same due times and same tasks. Defaults to 0.",
    )
    group.add_argument(
        "--gameday-bundle",
        type=Path,
        metavar="<directory>",
        env_var="GAMEDAY_BUNDLE",
        help="Record every request into this run bundle.",
    )
    group.add_argument(
        "--gameday-worker",
        metavar="<name>",
        env_var="GAMEDAY_WORKER",
        help="Name of this process in the bundle. Defaults to load- and its number among the workers.",
    )
    group.add_argument(
        "--gameday-part",
        type=_explained(Part.parse),
        default=Part(),
        metavar="<index>/<of>",
        env_var="GAMEDAY_PART",
        help="Send every so many-th arrival of the schedule only, which other processes share. Defaults to all. "
        "A worker of a Locust master sends the part that the master gives it.",
    )
    group.add_argument(
        "--gameday-relay",
        metavar="<host:port>",
        env_var="GAMEDAY_RELAY",
        help="With --master: wait at this address for `gameday run --load-at`, and run what it asks for.",
    )
    group.add_argument(
        "--gameday-forward",
        action="store_true",
        env_var="GAMEDAY_FORWARD",
        help="With --worker and --gameday-bundle: send the record on to the master as it grows.",
    )


def options_of(environment: Environment) -> argparse.Namespace:
    """The parsed options of a run."""
    options: argparse.Namespace = environment.parsed_options  # type: ignore[assignment]  # set before any event fires
    return options


def asked_of(environment: Environment) -> Asked:
    """What was asked for instead of what the profile says."""
    options = options_of(environment)
    spacing = Spacing(options.spacing) if options.spacing else None
    return Asked(rate_per_s=options.rate, duration_s=options.duration, spacing=spacing, lead_s=options.lead)
